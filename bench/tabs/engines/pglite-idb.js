import { openIn } from './pglite.js';

/** IndexedDB, which PGlite's documentation recommends in browsers. */
export const open = (name) => openIn(`idb://${name}`);
