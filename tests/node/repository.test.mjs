// The repository is named in many files. package.json is the source, and the others must match it.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';

const { name, repository, homepage, bugs, scripts } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const url = repository.url.replace(/^git\+/, '').replace(/\.git$/, '');
const cargo = readFileSync(at('Cargo.toml'), 'utf8');

/** The Markdown files at the top and in docs/, and the files for GitHub. */
function papers() {
  const inFolder = (folder, pattern) =>
    existsSync(at(folder))
      ? readdirSync(at(folder), { recursive: true })
          .filter((path) => pattern.test(path))
          .map((path) => `${folder}/${path}`)
      : [];
  const top = readdirSync(at()).filter((path) => path.endsWith('.md'));
  return [...top, ...inFolder('docs', /\.md$/), ...inFolder('.github', /\.(?:md|ya?ml)$/), 'migrations/README.md'];
}

test('package.json and Cargo.toml name one repository', () => {
  assert.match(url, /^https:\/\/github\.com\/[\w.-]+\/[\w.-]+$/);
  assert.equal(homepage, `${url}#readme`);
  assert.equal(bugs, `${url}/issues`);
  for (const field of ['repository', 'homepage'])
    assert.equal(new RegExp(`^${field} = "(.+)"$`, 'm').exec(cargo)?.[1], url, `${field} in Cargo.toml`);
});

test('every link to the repository in documents and workflows is to that one', () => {
  const own = new RegExp(`https://github\\.com/[\\w.-]+/${name}(?![\\w-])`, 'g');
  for (const file of papers())
    for (const [found] of readFileSync(at(file), 'utf8').matchAll(own)) assert.equal(found, url, file);
});

test('the workflows call scripts that exist, pin their actions, and start with no more than reading', () => {
  const folder = at('.github', 'workflows');
  for (const file of readdirSync(folder)) {
    const text = readFileSync(`${folder}/${file}`, 'utf8');
    for (const [, script] of text.matchAll(/npm run (?:--\S+ )*([\w:]+)/g)) assert.ok(script in scripts, script);
    for (const [, action] of text.matchAll(/uses: (.+)/g))
      assert.match(action, /^\.\/|^actions\/[\w-]+@(?:v\d|[0-9a-f]{40})/);
    assert.match(text, /^permissions:(?: \{\}|\n {2}contents: read)$/m, file);
  }
});
