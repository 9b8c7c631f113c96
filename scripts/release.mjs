// `npm run release:check -- v1.2.3`: checks the files against a release's tag. The release workflow runs it first.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { at } from './process.mjs';

const readFile = (file) => readFileSync(at(file), 'utf8');

/** The version in each file; undefined if none is found. */
export function versions(read = readFile) {
  const { version, name } = JSON.parse(read('package.json'));
  const lock = JSON.parse(read('package-lock.json'));
  return {
    'package.json': version,
    'package-lock.json': lock.packages[''].version,
    'Cargo.toml': /^\[package\][^[]*^version = "(.+)"$/m.exec(read('Cargo.toml'))?.[1],
    'Cargo.lock': new RegExp(`^name = "${name}"\nversion = "(.+)"$`, 'm').exec(read('Cargo.lock'))?.[1],
  };
}

/** The reasons why a tag cannot be released, as sentences; empty if it can. */
export function problems(tag, read = readFile) {
  const version = /^v(\d+\.\d+\.\d+(?:-[\w.]+)?)$/.exec(tag ?? '')?.[1];
  if (version === undefined) return [`A release is tagged v<major>.<minor>.<patch>, not "${tag ?? ''}".`];
  const found = Object.entries(versions(read))
    .filter(([, one]) => one !== version)
    .map(([file, one]) => `${file} has version ${one}, the tag is ${tag}.`);
  const headings = read('CHANGELOG.md').match(/^## \[.+$/gm) ?? [];
  if (!headings.some((line) => line.startsWith(`## [${version}] - `)))
    found.push(`CHANGELOG.md has no section "## [${version}] - <date>".`);
  return found;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const found = problems(process.argv[2]);
  for (const problem of found) console.error(problem);
  if (found.length > 0) process.exitCode = 1;
  else console.log(`${process.argv[2]} can be released.`);
}
