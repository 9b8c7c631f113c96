// The calls of the runner to a page: fill and search one engine, or open it again and search once.
import { DIMENSIONS, makeTexts, vectorsFor } from '../data.js';
import { describe, startWorker } from './hop.js';

const CHUNK = 5000;
/** The number of questions before the measured ones, so that code is compiled and caches are warm. */
const WARM_UP = 20;
/** How long the idle workers have to report their memory, in ms. */
const ANSWERS_WITHIN = 2000;

const timed = async (work) => {
  const begun = performance.now();
  const result = await work();
  return { time: performance.now() - begun, result };
};

/** An engine, in a worker unless it has its own. `call` makes one call to it, including the hop. */
async function load(file) {
  if (file === 'synth-memory.js') {
    const { default: engine } = await import(`../engines/${file}`);
    return { about: await describe(engine), call: (name, given = []) => engine[name](...given) };
  }
  // With this in its address, SQLite does not look for the proxy of a VFS that is not used here.
  const hop = startWorker('./engine-worker.js?opfs-disable');
  const about = await hop('load', [file]);
  return { about, call: (name, given = [], transfer) => hop('call', [name, ...given], transfer) };
}

/** The bytes of the workers' WebAssembly memories. Each worker reports its own. */
async function wasmBytes() {
  const channel = new BroadcastChannel('wasm-bytes');
  let sum = 0;
  channel.onmessage = ({ data }) => (sum += data);
  channel.postMessage('how much?');
  await new Promise((resolve) => setTimeout(resolve, ANSWERS_WITHIN));
  channel.close();
  return sum;
}

/** The bytes that the page and its workers hold in JavaScript, as the browser counts them, and in WebAssembly. */
async function heldBytes() {
  const wasm = await wasmBytes();
  globalThis.gc?.();
  const { bytes } = await performance.measureUserAgentSpecificMemory();
  return { javascript: bytes, wasm };
}

const storedBytes = async () => (await navigator.storage.estimate()).usage;

/** Fills an engine in parts, timing only the inserts, then lets it finish. */
async function build(call, size, part) {
  let total = 0;
  for (let from = 0; from < size; from += CHUNK) {
    const count = Math.min(CHUNK, size - from);
    const ids = Array.from({ length: count }, (_, at) => from + at + 1);
    const { verb, rows, transfer } = part(from, count);
    total += (await timed(() => call(verb, [ids, rows], transfer))).time;
  }
  return total + (await timed(() => call('finish'))).time;
}

/** Asks one question after the other; each question is a list of arguments. */
async function ask(call, verb, questions) {
  for (const question of questions.slice(0, WARM_UP)) await call(verb, question);
  const times = [];
  const answers = [];
  for (const question of questions) {
    const { time, result } = await timed(() => call(verb, question));
    times.push(time);
    answers.push(result);
  }
  return { times, answers };
}

async function run(file, options, fill, rounds) {
  const { about, call } = await load(file);
  if (about.missing) return { about };
  const empty = await heldBytes();
  const opening = await timed(() => call('open', [options]));
  const buildTime = await build(call, options.size, fill);
  const asked = [];
  for (const { setting, verb, questions, label } of rounds(about)) {
    if (setting !== undefined) await call('set', [setting]);
    const answered = await ask(call, verb, questions);
    const { javascript, wasm } = await heldBytes();
    asked.push({ label, ...answered, memory: { javascript: javascript - empty.javascript, wasm } });
  }
  const engineSays = await call('bytes');
  await call('close');
  const disk = { browser: await storedBytes(), engine: engineSays ?? null };
  return { about, opening: opening.time, build: buildTime, asked, disk };
}

const vectorQuestions = (made, count, k) => {
  const all = made.asked(count);
  return Array.from({ length: count }, (_, at) => [all.slice(at * DIMENSIONS, (at + 1) * DIMENSIONS), k]);
};

window.vectors = ({ file, size, count, k }) => {
  const made = vectorsFor(size);
  const fill = (from, rows) => {
    const vectors = made.stored(from, rows);
    return { verb: 'add', rows: vectors, transfer: [vectors.buffer] };
  };
  const questions = vectorQuestions(made, count, k);
  return run(file, { size, dimensions: DIMENSIONS }, fill, ({ settings }) =>
    (settings ?? [undefined]).map((setting) => ({ setting, label: setting, verb: 'search', questions })),
  );
};

window.texts = ({ file, size, count, k }) => {
  const made = makeTexts();
  const questions = made.asked(size, count);
  const fill = (from, rows) => ({ verb: 'addTexts', rows: made.stored(from, rows) });
  return run(file, { size, dimensions: DIMENSIONS, texts: true }, fill, () =>
    ['any', 'all'].map((which) => ({
      label: which,
      verb: 'searchText',
      questions: questions.map((words) => [words, k, which]),
    })),
  );
};

/** Opens a database that another page has built: the time until it is open, and until the first answer. */
window.reopen = async ({ file, size, k }) => {
  const [question] = vectorQuestions(vectorsFor(size), 1, k);
  const { about, call } = await load(file);
  const begun = performance.now();
  await call('open', [{ size, dimensions: DIMENSIONS }]);
  const opened = performance.now() - begun;
  if (about.settings) await call('set', [about.settings[0]]);
  const answer = await call('search', question);
  const answered = performance.now() - begun;
  await call('close');
  return { opened, answered, answer };
};

window.truth = ({ size, count }) => startWorker('./truth-worker.js')('find', [size, count]);

window.bandwidth = (module, bytes) => startWorker('./bandwidth-worker.js')('measure', [new Uint8Array(module), bytes]);
