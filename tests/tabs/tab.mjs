// One tab of the soak, and what its writer was answered.

let writers = 0;

export class Tab {
  /** The name of its writer, which is in everything it writes. */
  writer = `w${++writers}`;
  /** Every answer: the number of its call, when it was called and when it was answered. */
  answers = [];
  failures = [];
  /** How many calls it made, known once it has stopped. */
  sent;

  constructor(page, pid) {
    this.page = page;
    this.pid = pid;
  }

  /** Opens the memory and begins to listen. */
  async open(session, url) {
    session.on('Runtime.bindingCalled', ({ payload }) => this.#hear(JSON.parse(payload)));
    await session.send('Runtime.enable');
    await session.send('Runtime.addBinding', { name: 'report' });
    await this.run('open', url, this.writer);
  }

  #hear(answer) {
    if ('failure' in answer) this.failures.push(answer);
    else this.answers.push(answer);
  }

  /** Calls a function of pages/writer.js. */
  run(name, ...args) {
    return this.page.evaluate(async ([name, args]) => (await import('/tabs/writer.js'))[name](...args), [name, args]);
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
