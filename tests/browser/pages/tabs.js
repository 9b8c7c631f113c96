// What tabs that share a memory do: every public method of it, and writes that are counted. Runs in all pages.
import { Memory } from '/package/index.js';

const URL = 'opfs:///shared.db';

/** Parts of the prototypes that TypeScript does not let anybody call. */
const PROTECTED = ['row', 'addRows', 'addRow', 'call'];

const lessons = { settledBy: [{ table: 'longTerm', key: 'kept' }] };
const table = {
  list: (table) => table.list({ search: 'kept' }),
  count: (table) => table.count({ search: 'kept' }),
  clear: (table) => table.clear({ search: 'gone' }),
};
const withIds = {
  ...table,
  get: (table) => table.get(1),
  recent: (table) => table.recent(2),
  delete: (table) => table.delete([1000]),
};

/** A call of each public method, by the class's name in the package's API, in the order in which they are called. */
const CALLS = {
  turns: {
    append: (turns) => turns.append({ userInput: 'kept' }),
    appendMany: (turns) => turns.appendMany(Array.from({ length: 500 }, () => ({ userInput: 'gone' }))),
    update: (turns) => turns.update(1, { assistantResponse: 'kept' }),
    ...withIds,
  },
  episodes: {
    record: (episodes) => episodes.record({ eventType: 'kept' }),
    recordMany: (episodes) => episodes.recordMany([{ eventType: 'gone' }, { eventType: 'gone' }]),
    update: (episodes) => episodes.update(1, { valence: 1 }),
    ...withIds,
  },
  longTerm: {
    set: (longTerm) => longTerm.set('kept', 'kept'),
    setMany: (longTerm) => longTerm.setMany({ 'user.gone': 'gone' }),
    get: (longTerm) => longTerm.get('kept'),
    entry: (longTerm) => longTerm.entry('kept'),
    update: (longTerm) => longTerm.update('kept', { value: 'kept' }),
    delete: (longTerm) => longTerm.delete('nothing'),
    ...table,
  },
  uncertainty: {
    log: (doubts) => doubts.log({ userMessage: 'kept', confidenceScore: 0.5 }),
    logMany: (doubts) => doubts.logMany([{ userMessage: 'gone', confidenceScore: 0.5 }]),
    resolve: (doubts) => doubts.resolve(1, 'asked', lessons),
    statistics: (doubts) => doubts.statistics(),
    update: (doubts) => doubts.update(1, { userMessage: 'kept' }),
    ...withIds,
  },
  semantic: {
    remember: (facts) => facts.remember({ content: 'kept: Ada plays the cello' }),
    rememberMany: (facts) => facts.rememberMany(['gone', 'twice', 'twice'].map((content) => ({ content }))),
    search: (facts) => facts.search('a musical instrument'),
    update: (facts) => facts.update(1, { importance: 1 }),
    merge: async (facts) =>
      facts.merge(await facts.remember({ content: 'gone' }), [await facts.remember({ content: 'as well' })]),
    ...withIds,
  },
  embeddings: {
    status: (embeddings) => embeddings.status(),
    ready: (embeddings) => embeddings.ready(),
    retry: (embeddings) => embeddings.retry(),
    embed: (embeddings) => embeddings.embed(['music']),
    map: (embeddings) => embeddings.map(),
  },
  memory: {
    query: (memory) => memory.query('SELECT count(*) FROM turns'),
    changes: (memory) => memory.changes().return(),
    onChange: (memory) => memory.onChange(() => undefined)(),
    live: (memory) =>
      memory
        .live((memory) => memory.turns.count())
        [Symbol.asyncIterator]()
        .next(),
    onStatus: (memory) => memory.onStatus(() => undefined)(),
    recall: (memory) => memory.recall('music'),
    context: (memory) => memory.context('music'),
    related: (memory) => memory.related('music'),
    groundingConfidence: (memory) => memory.groundingConfidence('music'),
    trackContext: (memory) => memory.trackContext('music'),
    coherenceDrift: (memory) => memory.coherenceDrift(),
    consolidate: (memory) => memory.consolidate(),
    consolidations: (memory) => memory.consolidations(),
    undoConsolidation: (memory) => memory.undoConsolidation(),
    discardConsolidations: (memory) => memory.discardConsolidations(),
    execute: (memory) => memory.execute('UPDATE app1 SET id = ?', [1]),
    transaction: (memory) => memory.transaction([{ sql: 'DELETE FROM app1' }]),
    unreadable: (memory) => memory.unreadable(),
    compact: (memory) => memory.compact(),
    export: (memory) => memory.export({ revision: '001' }),
    import: async (memory) => memory.import(new Blob([await memory.export()])),
    refreshStatus: (memory) => memory.refreshStatus(),
    status: (memory) => memory.status,
    onStatus: (memory) => memory.onStatus(() => undefined)(),
  },
  backups: {
    create: (backups) => backups.create(),
    list: (backups) => backups.list(),
    delete: (backups) => backups.delete('none'),
    restore: async (backups) => backups.restore((await backups.list())[0].id),
  },
  migrations: {
    current: (migrations) => migrations.current(),
    history: (migrations) => migrations.history(),
    heads: (migrations) => migrations.heads(),
    branches: (migrations) => migrations.branches(),
    show: (migrations) => migrations.show('heads'),
    plan: (migrations) => migrations.plan('001', { direction: 'downgrade' }),
    downgrade: (migrations) => migrations.downgrade('001'),
    upgrade: (migrations) => migrations.upgrade(),
    redo: (migrations) => migrations.redo('app3'),
    sql: (migrations) => migrations.sql('base', '001'),
    stamp: (migrations) => migrations.stamp('heads'),
    ensureVersion: (migrations) => migrations.ensureVersion(),
    verify: (migrations) => migrations.verify(),
    accept: (migrations) => migrations.accept('001'),
    check: (migrations) => migrations.check('CREATE TABLE other (id INTEGER PRIMARY KEY);'),
    revision: (migrations) => migrations.revision({ message: 'Places', heads: ['app1'] }),
    merge: (migrations) => migrations.merge(['app1', 'app2'], { message: 'Both' }),
    squash: (migrations) => migrations.squash('base', 'app3', { message: 'All' }),
  },
};

/** What opens or closes a memory: these are called by themselves. */
const OPEN_AND_CLOSE = ['Memory.open', 'Memory.delete', 'memory.close', 'memory.Symbol.asyncDispose'];

/** An app's own branches, for what needs several heads, and a line of them. */
const revision = (id, revises) =>
  `-- The table ${id}\n--\n-- Revision ID: ${id}\n-- Revises: ${revises}\n-- migrate:up\nCREATE TABLE ${id} (id);\n-- migrate:down\nDROP TABLE ${id};\n`;
const migrations = {
  'app1.sql': revision('app1', ''),
  'app2.sql': revision('app2', ''),
  'app3.sql': revision('app3', 'app2'),
};

/** The public methods that there are: of the class itself, of a memory, and of all that hangs on it. */
function methodsOf(memory) {
  const names = Object.getOwnPropertyNames(Memory)
    .filter((name) => typeof Memory[name] === 'function')
    .map((name) => `Memory.${name}`);
  const parts = Object.entries(memory);
  for (const [name, part] of [['memory', memory], ...parts]) {
    for (let at = Object.getPrototypeOf(part); at !== Object.prototype; at = Object.getPrototypeOf(at)) {
      for (const key of Reflect.ownKeys(at))
        if (key !== 'constructor' && !PROTECTED.includes(key))
          names.push(`${name}.${typeof key === 'symbol' ? key.description : key}`);
    }
  }
  return [...new Set(names)].sort();
}

const listed = () => [
  ...OPEN_AND_CLOSE,
  ...Object.entries(CALLS).flatMap(([part, calls]) => Object.keys(calls).map((name) => `${part}.${name}`)),
];

/** Opens the memory; gives the methods that there are and those that are listed here. */
export async function open() {
  window.memory = await Memory.open({ url: URL, migrations });
  return { methods: methodsOf(window.memory), listed: listed().sort() };
}

/** Makes every call; gives what went wrong. */
export async function callAll() {
  const { memory } = window;
  const failures = [];
  const made = [];
  for (const [part, calls] of Object.entries(CALLS)) {
    for (const [name, call] of Object.entries(calls)) {
      const what = `${part}.${name}`;
      try {
        await call(part === 'memory' ? memory : memory[part]);
      } catch (error) {
        failures.push(`${what}: ${error.code} ${error.message}`);
      }
      const [row] = await memory.query("SELECT count(*) AS n FROM turns WHERE id = 1 AND user_input = 'kept'");
      if (row.n !== 1) failures.push(`${what}: the first turn is gone`);
      made.push(what);
    }
  }
  return { failures, made };
}

/** Opens the memory another way: in a frame, in a worker, or once more in this page; gives what it counts, and its part. */
export const openElsewhere = {
  async frame() {
    const frame = document.createElement('iframe');
    frame.src = '/pages/blank.html';
    document.body.append(frame);
    await new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }));
    const script = frame.contentDocument.createElement('script');
    script.type = 'module';
    script.src = '/pages/tabs.js';
    frame.contentDocument.body.append(script);
    await new Promise((resolve) => script.addEventListener('load', resolve, { once: true }));
    return frame.contentWindow.look();
  },
  worker() {
    const worker = new Worker('/pages/tabs-worker.js', { type: 'module' });
    return new Promise((resolve) => worker.addEventListener('message', ({ data }) => resolve(data), { once: true }));
  },
  page: () => look(),
};

/** Opens the memory; gives its part, and how many turns it counts when it has added one. */
export async function look() {
  const memory = await Memory.open({ url: URL, migrations });
  await memory.turns.append({ userInput: 'counted' });
  return { role: memory.status.role, count: await memory.turns.count({ search: 'counted' }) };
}
globalThis.look = look;
