// Builds the engine at a combination of optimisation levels.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, run } from '../../scripts/process.mjs';
import { compilerEnv, WITHOUT_HOME } from '../../scripts/setup.mjs';
import { finishWasm, passes } from '../../scripts/wasm.mjs';

const TARGET = 'wasm32-unknown-unknown';
const CRATE = 'synth-memory';
/** The crate whose build script compiles SQLite's C, at the crate's own opt-level. */
const SQLITE = 'sqlite-wasm-rs';
const FOLDER = at('target', 'levels');
const BUILD = join(FOLDER, 'build');

/**
 * @typedef {object} Levels
 * @property {string} sqlite opt-level of SQLite's C
 * @property {string} rust opt-level of everything in Rust
 * @property {string} wasmOpt wasm-opt's level
 * @property {Record<string, string>} crates opt-levels of single crates
 * @property {string | undefined} cflags clang's flags instead of those in .cargo/config.toml
 * @property {string} rustflags rustc's flags
 */

export const nameOf = ({ sqlite, rust, wasmOpt }) => `sqlite-${sqlite}-rust-${rust}-wasm-opt${wasmOpt}`;

const toml = (level) => (/^\d$/.test(level) ? level : `"${level}"`);

/**
 * Builds one engine; returns its name, the folder of its glue, and its bytes.
 *
 * The combinations share one target folder. Cargo keeps the builds of all levels there, so SQLite is compiled once for
 * each of its levels.
 *
 * @param {Levels} levels
 */
export async function buildLevels(levels) {
  const { sqlite, rust, wasmOpt, crates, cflags, rustflags } = levels;
  const name = nameOf(levels);
  const started = performance.now();
  const settings = {
    'profile.release.opt-level': rust,
    ...Object.fromEntries(
      Object.entries({ ...crates, [SQLITE]: sqlite }).map(([crate, level]) => [
        `profile.release.package.${crate}.opt-level`,
        level,
      ]),
    ),
  };
  const config = Object.entries(settings).flatMap(([key, level]) => ['--config', `${key}=${toml(level)}`]);
  const args = ['rustc', '--quiet', '--release', '--lib', '--package', CRATE, '--crate-type', 'cdylib'];
  await run('cargo', [...args, '--target', TARGET, '--target-dir', BUILD, ...config], {
    env: {
      ...compilerEnv(),
      RUSTFLAGS: `${rustflags} ${WITHOUT_HOME}`,
      ...(cflags !== undefined && { CFLAGS_wasm32_unknown_unknown: cflags }),
    },
  });
  const folder = join(FOLDER, name);
  const compiled = join(BUILD, TARGET, 'release', `${CRATE.replaceAll('-', '_')}.wasm`);
  const made = await finish(compiled, folder, wasmOpt);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.error(`  ${name}: ${made ? 'built' : 'up to date'}, ${seconds} s`);
  return described(name, levels, folder);
}

/** Writes the glue and the optimised engine, which takes minutes, unless they exist already. */
async function finish(compiled, folder, wasmOpt) {
  const source = createHash('sha256').update(readFileSync(compiled)).update(passes(wasmOpt).join(' ')).digest('hex');
  const stamp = join(folder, 'source');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === source) return false;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await finishWasm(compiled, folder, wasmOpt);
  writeFileSync(stamp, source);
  return true;
}

/** An engine in a folder, with its size in bytes. */
export function described(name, levels, folder) {
  const code = join(folder, 'synth_memory_bg.wasm');
  const gzipped = execFileSync('gzip', ['-9', '-n', '-c', code], { maxBuffer: 1 << 26 }).length;
  return { name, levels, folder, bytes: statSync(code).size, gzipped };
}
