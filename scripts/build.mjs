// Builds the package into dist/: Rust to WebAssembly, its glue and declarations, then TypeScript.
import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { at, run } from './process.mjs';
import { compilerEnv, WITHOUT_HOME } from './setup.mjs';
import { finishWasm } from './wasm.mjs';

const TARGET = 'wasm32-unknown-unknown';
const compiled = at('target', TARGET, 'release', 'synth_memory.wasm');
const glue = at('www', 'package', 'wasm');
const dist = at('dist');

/** The time of the newest file in these files and folders, 0 where there is none. */
function newest(...paths) {
  const times = paths.map((path) => {
    if (!existsSync(path)) return 0;
    const stat = statSync(path);
    return stat.isDirectory() ? newest(...readdirSync(path).map((name) => join(path, name))) : stat.mtimeMs;
  });
  return Math.max(0, ...times);
}

async function buildWasm() {
  const sources = ['src', 'migrations/versions', 'Cargo.toml', 'Cargo.lock', 'build.rs', '.cargo/config.toml'];
  const finished = join(glue, 'synth_memory_bg.wasm');
  if (newest(finished) > newest(...sources.map((path) => at(path)))) return false;

  rmSync(glue, { recursive: true, force: true });
  // The crate type is given here, for with an rlib beside it cargo does no link-time optimisation.
  const args = ['rustc', '--release', '--lib', '--crate-type', 'cdylib', '--target', TARGET];
  const env = { RUSTFLAGS: `-Ctarget-feature=+simd128 ${WITHOUT_HOME}` };
  await run('cargo', args, { env: { ...compilerEnv(), ...env } });
  await finishWasm(compiled, glue);
  return true;
}

/** An entry that imports the package's own imports the file that the page has already, in place of a copy of it. */
const coreOnce = {
  name: 'core-once',
  resolveId: (id) => (id === '../index.js' ? { id: './index.js', external: true } : undefined),
};

async function buildTypeScript() {
  const sources = ['www/package', 'tsconfig.json', 'package.json', 'models'];
  if (newest(join(dist, 'index.js')) > newest(...sources.map((path) => at(path)))) return false;
  rmSync(dist, { recursive: true, force: true });
  await run('tsc', ['--project', at('tsconfig.json')]);
  await run('tsc', ['--project', at('www', 'package', 'cli', 'tsconfig.json')]);
  // Not at the top: this file is read before the set-up has installed anything.
  const { rolldown } = await import('rolldown');
  // One file for the page and one for each worker, so that opening a memory is not a chain of small requests even where
  // no bundler is used. What only Node needs is one more, and is not loaded elsewhere.
  const modules = [
    ['index', 'index.ts', 'neutral'],
    ['embedders', 'embedders.ts', 'neutral'],
    ['react', join('react', 'index.ts'), 'neutral'],
    ['worker', join('worker', 'worker.ts'), 'neutral'],
    ['broker', join('worker', 'broker.ts'), 'neutral'],
    ['cli', join('cli', 'main.ts'), 'node'],
  ];
  for (const [name, source, platform] of modules) {
    const bundle = await rolldown({
      input: { [name]: at('www', 'package', source) },
      platform,
      external: ['react'],
      plugins: [coreOnce],
      // What is loaded later takes what it shares from the file that is there already; to set that apart would be one
      // more request before anything can be opened.
      preserveEntrySignatures: 'allow-extension',
    });
    await bundle.write({
      dir: dist,
      // What is imported when it is needed is a file of its own.
      chunkFileNames: '[name].js',
      minify: true,
      // A page's own components can be rendered on a server, these cannot: React reads it from the first line.
      banner: name === 'react' ? "'use client';" : '',
      comments: { legal: true, annotation: true, jsdoc: false },
    });
    await bundle.close();
  }
  mkdirSync(join(dist, 'wasm'), { recursive: true });
  for (const file of ['synth_memory.d.ts', 'synth_memory_bg.wasm']) cpSync(join(glue, file), join(dist, 'wasm', file));
  mkdirSync(join(dist, 'models'), { recursive: true });
  for (const file of readdirSync(at('models')).filter((name) => name.endsWith('.bin')))
    cpSync(at('models', file), join(dist, 'models', file));
  return true;
}

/** The inspector is a program of its own, which uses the package as anybody does. */
async function buildInspector() {
  const sources = ['www/inspector', 'www/package'];
  const built = at('target', 'site');
  if (newest(built) > newest(...sources.map((path) => at(path)))) return false;
  rmSync(built, { recursive: true, force: true });
  await run('tsc', ['--project', at('www', 'inspector', 'tsconfig.json')]);
  return true;
}

/** @param {{ inspector?: boolean }} what */
export async function build({ inspector = false } = {}) {
  console.log('Build');
  const steps = [
    ['WebAssembly, from Rust', buildWasm],
    ['the package, from TypeScript', buildTypeScript],
    ...(inspector ? [['the inspector', buildInspector]] : []),
  ];
  for (const [name, make] of steps) {
    const started = performance.now();
    const made = await make();
    console.log(
      `  ${name.padEnd(34)} ${(made ? 'done' : 'up to date').padEnd(16)} ${((performance.now() - started) / 1000).toFixed(1)} s`,
    );
  }
  console.log();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await build({ inspector: true });
