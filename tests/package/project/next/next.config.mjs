import { resolve } from 'node:path';

// The packages of this repository are found above the project.
export default { turbopack: { root: resolve(import.meta.dirname, '../../../..') } };
