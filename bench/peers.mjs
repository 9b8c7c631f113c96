// The peers that a benchmark compares the package with. They are not dependencies of the package: each benchmark
// installs its own.
import { existsSync, readFileSync } from 'node:fs';
import { at, run } from '../scripts/process.mjs';

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));

/** Installs the packages that `bench/<name>/package-lock.json` pins, if they are missing or have other versions. */
export async function installPeers(name) {
  const { packages } = read(at('bench', name, 'package-lock.json'));
  const there = ([path, { version }]) => {
    const file = at('bench', name, path, 'package.json');
    return path === '' || (existsSync(file) && read(file).version === version);
  };
  if (!Object.entries(packages).every(there)) await run('npm', ['ci', '--prefix', at('bench', name)]);
}
