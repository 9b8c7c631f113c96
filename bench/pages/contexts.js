// Packs contexts in a page with this build and, with `?before`, also with another one.
import { makeTexts } from '/recall/data.js';
import { measureContexts } from './contexts-of.js';

const { Memory: ours } = await import('/package/index.js');
const before = new URLSearchParams(location.search).has('before') && (await import('/before/index.js')).Memory;
const builds = before ? { ours, before } : { ours };

window.contexts = (options) =>
  measureContexts(
    builds,
    (name) => `opfs:///contexts-${name}.db`,
    (count) => makeTexts().stored(0, count),
    options,
  );
