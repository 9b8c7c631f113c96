import { visit } from './visit.js';

// What the app adds to the memory: every file in this folder, at the time of the build.
const files = import.meta.webpackContext('./migrations', { recursive: false, regExp: /\.sql$/ });
await visit(Object.fromEntries(files.keys().map((name) => [name, files(name)])));
