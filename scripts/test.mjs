// `npm test`: installs what is needed, builds, and runs every check and every test. Arguments name the stages to run.
import { readdirSync } from 'node:fs';
import { build } from './build.mjs';
import { checkCrates } from './deny.mjs';
import { buildDocs } from './docs.mjs';
import { at, run } from './process.mjs';
import { browsers, compilerEnv, setUp } from './setup.mjs';

const files = (folder) =>
  readdirSync(at('tests', folder))
    .filter((name) => name.endsWith('.test.mjs'))
    .map((name) => `tests/${folder}/${name}`);

/** Runs two files at a time: while one waits for its browser, the other works. */
const nodeTests = (folder) =>
  run('node', ['--test', '--test-concurrency=2', '--test-timeout=600000', '--test-reporter=spec', ...files(folder)]);

/** Without optimisation: optimising for WebAssembly takes longer than the tests gain by it. */
const wasmEnv = () => ({ ...compilerEnv(), CARGO_PROFILE_DEV_OPT_LEVEL: '0' });

const wasmPack = (browser, driver, path) =>
  run(
    'wasm-pack',
    ['test', '--headless', `--${browser}`, `--${driver}`, path, '--mode', 'no-install', '--', '--test', 'opfs'],
    { env: wasmEnv() },
  );

const STAGES = {
  format: async () => {
    await run('cargo', ['fmt', '--check']);
    await run('prettier', [
      '--check',
      '--log-level',
      'warn',
      'www',
      'scripts',
      'tests',
      'bench',
      'eval/*.mjs',
      '*.json',
    ]);
  },
  lint: async () => {
    await run('cargo', ['clippy', '--all-targets', '--', '-D', 'warnings']);
    const target = ['--target', 'wasm32-unknown-unknown'];
    await run('cargo', ['clippy', ...target, '--', '-D', 'warnings'], { env: wasmEnv() });
    await checkCrates();
    await run('oxlint', ['--type-aware', '--deny-warnings', 'www/package', 'www/inspector']);
  },
  docs: () => buildDocs(),
  native: () => run('cargo', ['test']),
  'opfs-chromium': () => wasmPack('chrome', 'chromedriver', browsers.chromedriver()),
  'opfs-firefox': () => wasmPack('firefox', 'geckodriver', browsers.geckodriver()),
  node: () => nodeTests('node'),
  browser: () => nodeTests('browser'),
  package: () => nodeTests('package'),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in STAGES));
if (unknown.length > 0) {
  console.error(`There is no stage ${unknown.join(', ')}. The stages are ${Object.keys(STAGES).join(', ')}.`);
  process.exit(1);
}

try {
  await setUp({ forTests: true });
  await build({ inspector: true });
  const times = [];
  for (const [name, stage] of Object.entries(STAGES)) {
    if (asked.length > 0 && !asked.includes(name)) continue;
    console.log(`\n=== ${name}`);
    const started = performance.now();
    await stage();
    times.push(`  ${name.padEnd(16)} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  }
  console.log(`\nEvery test passed.\n${times.join('\n')}`);
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}
