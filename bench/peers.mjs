// What a benchmark compares the package with. Peers are no dependencies of the package's: each benchmark installs its own.
import { existsSync, readFileSync } from 'node:fs';
import { at, run } from '../scripts/process.mjs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Installs what `bench/<name>/package-lock.json` pins, if it is missing or other versions are there. */
export async function installPeers(name) {
  const { packages } = read(at('bench', name, 'package-lock.json'));
  const there = ([path, { version }]) => {
    const file = at('bench', name, path, 'package.json');
    return path === '' || (existsSync(file) && read(file).version === version);
  };
  if (!Object.entries(packages).every(there)) await run('npm', ['ci', '--prefix', at('bench', name)]);
}
