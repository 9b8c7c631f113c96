import { openIn } from './pglite.js';

export const open = (name) => openIn(`opfs-ahp://${name}`);
