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

/** The time of the newest file in these files and folders; 0 if there is none. */
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
  // The crate type is set here, because cargo does no link-time optimisation if it also builds an rlib.
  const args = ['rustc', '--release', '--lib', '--crate-type', 'cdylib', '--target', TARGET];
  const env = { RUSTFLAGS: `-Ctarget-feature=+simd128 ${WITHOUT_HOME}` };
  await run('cargo', args, { env: { ...compilerEnv(), ...env } });
  await finishWasm(compiled, glue);
  return true;
}

/** An entry that imports the package's main entry imports the file that the page already has, instead of a copy. */
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
  // Not imported at the top, because this file is loaded before the set-up has installed anything.
  const { rolldown } = await import('rolldown');
  // One file for the page and one for each worker, so that opening a memory is not a chain of small requests, even
  // without a bundler. The code that only Node needs is in one more file, which is not loaded elsewhere.
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
      // A file that is loaded later imports the code it shares from the file that is already there. A separate file for
      // shared code would be one more request before anything can be opened.
      preserveEntrySignatures: 'allow-extension',
    });
    await bundle.write({
      dir: dist,
      // A module that is imported on first use is a file of its own.
      chunkFileNames: '[name].js',
      minify: true,
      // React reads from the first line that these components, unlike a page's own, cannot be rendered on a server.
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

/** The inspector is a separate program, which uses the package as any app does. */
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
