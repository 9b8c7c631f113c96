// Bundlers that cannot list a folder: the app names its migrations one by one. Each is called as in docs/bundlers.md.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { at } from '../../scripts/process.mjs';
import { POLICY } from '../../scripts/serve.mjs';
import { call, inProject, installed } from './project.mjs';
import { tool } from './tools.mjs';

/** Writes the app's program and its page: `listed.js` and `listed.html`. */
function writeApp(scheme = '', first = '') {
  const names = readdirSync(inProject('migrations'));
  const imports = names.map((name, n) => `import sql${n} from '${scheme}./migrations/${name}';\n`);
  const migrations = names.map((name, n) => `'${name}': sql${n}`);
  const program = `${first}import { visit } from './visit.js';\n${imports.join('')}await visit({ ${migrations} });\n`;
  writeFileSync(inProject('listed.js'), program);
  const page = readFileSync(inProject('index.html'), 'utf8').replace('/main.ts', './listed.js');
  writeFileSync(inProject('listed.html'), page);
}

/** The files that must be next to the output of a bundler that does not change `new URL('…', import.meta.url)`. */
const BESIDE = ['worker.js', 'broker.js', 'wasm', 'models'];

/** Adds these files to the output of such a bundler. */
function addFiles(folder) {
  for (const name of BESIDE) cpSync(join(installed, 'dist', name), inProject(folder, name), { recursive: true });
  cpSync(inProject('listed.html'), inProject(folder, 'index.html'));
}

/** The settings that docs/bundlers.md shows. */
const PARCEL_SETTINGS = JSON.parse(
  /```json\n(.*?)```/s.exec(readFileSync(at('docs', 'bundlers.md'), 'utf8').split('### Parcel')[1])[1],
);

/** Each builds the project into a folder of it, and returns the policy of its page if it is not the strictest. */
export const builders = {
  async esbuild(folder) {
    writeApp();
    const options = ['--bundle', '--format=esm', '--splitting', '--minify', '--loader:.sql=text'];
    await call(tool('esbuild'), ['listed.js', ...options, `--outdir=${folder}`, '--log-level=warning']);
    addFiles(folder);
  },

  async Rollup(folder) {
    writeApp();
    const { stderr } = await call(tool('rollup'), ['--config', 'rollup.config.js', '--dir', folder, '--silent']);
    assert.equal(stderr, '');
    addFiles(folder);
  },

  /**
   * The first release has no settings: its page has an import map, which the policy must allow. The second one has the
   * settings that avoid the import map and that let Parcel find entries such as `synth-memory/embedders`.
   */
  async Parcel(folder) {
    const isFirst = readdirSync(inProject('migrations')).length === 1;
    writeApp('bundle-text:', isFirst ? '' : "import 'synth-memory/embedders';\n");
    const manifest = JSON.parse(readFileSync(inProject('package.json'), 'utf8'));
    writeFileSync(inProject('package.json'), JSON.stringify({ ...manifest, ...(!isFirst && PARCEL_SETTINGS) }));
    rmSync(inProject(folder), { recursive: true, force: true });
    const options = ['--no-autoinstall', '--no-cache', '--no-source-maps', '--log-level', 'warn'];
    const { stdout, stderr } = await call(tool('parcel'), ['build', 'listed.html', '--dist-dir', folder, ...options]);
    assert.equal(stdout + stderr, '');
    const page = readFileSync(inProject(folder, 'listed.html'), 'utf8');
    writeFileSync(inProject(folder, 'index.html'), page);
    const [, map] = /<script type="?importmap"?>(.*?)<\/script>/s.exec(page) ?? [];
    assert.equal(map !== undefined, isFirst);
    const hash = map && createHash('sha256').update(map).digest('base64');
    return map && POLICY.replace("script-src 'self'", `script-src 'self' 'sha256-${hash}'`);
  },
};
