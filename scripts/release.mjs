// `npm run release:check -- v1.2.3`: whether the files agree with the tag of a release. The release workflow runs it first.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { at } from './process.mjs';

const readFile = (file) => readFileSync(at(file), 'utf8');

/** The version that each file has, undefined where none is found. */
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

/** What keeps a tag from being released, as sentences; none if nothing does. */
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
