// One tab of the soak, and what its calls were answered.

let writers = 0;

export class Tab {
  /** The name of its writer, which is in everything it writes. */
  writer = `w${++writers}`;
  /** Every answer: the number of its call, when it was called and when it was answered. */
  answers = [];
  failures = [];
  /** How many calls it made, known once it has stopped. */
  sent;

  #module;
  #session;

  /** `module` is the one of pages/ that its page runs. */
  constructor(page, pid, module) {
    this.page = page;
    this.pid = pid;
    this.#module = module;
  }

  /** Begins to listen, and opens the memory. */
  async open(url) {
    const session = (this.#session = await this.page.context().newCDPSession(this.page));
    session.on('Runtime.bindingCalled', ({ payload }) => this.#hear(JSON.parse(payload)));
    await session.send('Runtime.enable');
    await session.send('Runtime.addBinding', { name: 'report' });
    await this.run('open', url, this.writer);
  }

  #hear(answer) {
    if ('failure' in answer) this.failures.push(answer);
    else this.answers.push(answer);
  }

  /** Calls a function of its module. */
  run(name, ...args) {
    return this.page.evaluate(
      async ([module, name, args]) => (await import(`/tabs/${module}`))[name](...args),
      [this.#module, name, args],
    );
  }

  /** What the page's JavaScript holds, in MB. */
  async heap() {
    for (let n = 0; n < 3; n++) await this.#session.send('HeapProfiler.collectGarbage');
    return (await this.#session.send('Runtime.getHeapUsage')).usedSize / 1024 / 1024;
  }

  start() {
    return this.run('start');
  }

  async stop() {
    this.sent = await this.run('stop');
  }

  /** Whether a call that was made after this instant has been answered. */
  answeredSince(instant) {
    return this.answers.some(({ called }) => called > instant);
  }

  /** The longest time without an answer since this instant, in ms. */
  longestWait(instant) {
    const times = [instant, ...this.answers.map(({ at }) => at).filter((at) => at > instant)].sort((a, b) => a - b);
    return Math.max(0, ...times.slice(1).map((time, n) => time - times[n]));
  }
}
