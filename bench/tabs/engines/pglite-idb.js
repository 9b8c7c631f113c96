import { openIn } from './pglite.js';

/** IndexedDB: what PGlite's documentation recommends in browsers. */
export const open = (name) => openIn(`idb://${name}`);
