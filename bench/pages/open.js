// Opens a memory with the build that `?package=` names, and then does what `?then=` names.
const given = new URLSearchParams(location.search);
const { Memory } = await import(`${given.get('package')}index.js`);

const FACTS = 1000;
const then = {
  nothing: () => undefined,
  async fill(memory) {
    const { remembered } = await import('./facts.js');
    await memory.semantic.rememberMany(remembered(0, FACTS));
    await memory.close();
  },
  async recall(memory) {
    const hits = await memory.recall(given.get('question'), { k: 5 });
    if (hits.length === 0) throw new Error('Nothing was recalled.');
  },
};

// Set only for recall, because setting the option at all can load more.
const what = given.get('then');
const memory = await Memory.open({ url: 'opfs:///cold.db', ...(what === 'recall' && { embedder: 'none' }) });
await then[what](memory);
const opened = performance.now();
// The next page opens the same memory.
await memory.close();
window.opened = opened;
