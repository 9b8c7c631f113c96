// A tag that does not match the files is not released.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { problems, versions } from '../../scripts/release.mjs';

const FILES = {
  'package.json': '{ "name": "synth-memory", "version": "1.2.3" }',
  'package-lock.json': '{ "version": "1.2.3", "packages": { "": { "version": "1.2.3" } } }',
  'Cargo.toml': '[package]\nname = "synth-memory"\nversion = "1.2.3"\n\n[dependencies.other]\nversion = "9.9.9"\n',
  'Cargo.lock':
    '[[package]]\nname = "other"\nversion = "9.9.9"\n\n[[package]]\nname = "synth-memory"\nversion = "1.2.3"\n',
  'CHANGELOG.md': '## [Unreleased]\n\n## [1.2.3] - 2026-01-02\n',
};
const of = (changed) => (file) => ({ ...FILES, ...changed })[file];

test('files that agree with the tag have no problem', () => {
  assert.deepEqual(problems('v1.2.3', of({})), []);
});

test('each file that does not agree is named', () => {
  for (const file of ['package.json', 'package-lock.json', 'Cargo.toml', 'Cargo.lock']) {
    const older = FILES[file].replaceAll('1.2.3', '1.2.2');
    assert.deepEqual(problems('v1.2.3', of({ [file]: older })), [`${file} has version 1.2.2, the tag is v1.2.3.`]);
  }
  const unreleased = { 'CHANGELOG.md': '## [Unreleased]\n\n## [1.2.30] - 2026-01-02\n' };
  assert.deepEqual(problems('v1.2.3', of(unreleased)), ['CHANGELOG.md has no section "## [1.2.3] - <date>".']);
  assert.equal(problems('v1.2.4', of({})).length, 5);
});

test('a tag is v and a version', () => {
  for (const tag of ['1.2.3', 'v1.2', 'v1.2.3+4', 'latest', '', undefined]) {
    const [problem, ...more] = problems(tag, of({}));
    assert.match(problem, /^A release is tagged v<major>/);
    assert.deepEqual(more, []);
  }
});

test("the project's own files have one version, and its compiler is new enough", () => {
  const [first, ...others] = Object.values(versions());
  assert.match(first, /^\d+\.\d+\.\d+/);
  for (const version of others) assert.equal(version, first);
  const oldest = /^rust-version = "(.+)"$/m.exec(readFileSync(at('Cargo.toml'), 'utf8'))[1];
  const pinned = /^channel = "(.+)"$/m.exec(readFileSync(at('rust-toolchain.toml'), 'utf8'))[1];
  const [major, minor] = oldest.split('.').map(Number);
  const [pinnedMajor, pinnedMinor] = pinned.split('.').map(Number);
  assert.ok(pinnedMajor === major && pinnedMinor >= minor, `Rust ${pinned} is older than ${oldest}`);
});
