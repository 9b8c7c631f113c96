// Installs what a machine needs to build and test: `node scripts/setup.mjs [--tests]`.
//
// Each step first checks whether there is anything to do, so a second run takes a moment. A step that fails says what
// you must install. Only rustup's cargo and rustc, Node 20 and npm have to be there.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ask, at, findProgram, run, toolsFolder } from './process.mjs';

const TARGET = 'wasm32-unknown-unknown';
const MINUTE = 60;
/** Compiled code contains the paths of its source files: this removes the user's home folder from them. */
export const WITHOUT_HOME = `--remap-path-prefix=${homedir()}=~`;

/** Versions that must match what Cargo.toml and the tests were written against. */
const WASM_BINDGEN = /wasm-bindgen = "=([\d.]+)"/.exec(readFileSync(at('Cargo.toml'), 'utf8'))[1];
const WASM_PACK = '0.15.1';
const GECKODRIVER = '0.37.1';
const CARGO_DENY = '0.20.2';
const ALEMBIC = 'alembic==1.20.1';
/** A newer SQLite than that of many Pythons: files with a full-text index need at least 3.43. */
const SQLITE = 'pysqlite3-binary==0.5.4.post2';

async function step(name, { ready, make, otherwise }) {
  const started = performance.now();
  const say = (what) =>
    console.log(`  ${name.padEnd(34)} ${what.padEnd(16)} ${((performance.now() - started) / 1000).toFixed(1)} s`);
  if (ready()) return say('already there');
  console.log(`  ${name} …`);
  let cause;
  try {
    await make();
  } catch (error) {
    cause = error;
  }
  if (cause || !ready()) {
    const said = cause ? `\n${cause.message}` : '';
    throw new Error(`The set-up stopped at «${name}».${said}\n\nWhat to do: ${otherwise}`);
  }
  say('done');
}

// --- Debian's packages ------------------------------------------------------------------------------------------

let listsRead = false;
async function apt(...packages) {
  if (!findProgram('apt-get')) throw new Error('this machine has no apt-get');
  const [command, prefix] = process.getuid() === 0 ? ['apt-get', []] : ['sudo', ['-n', 'apt-get']];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  if (!listsRead) {
    await run(command, [...prefix, 'update'], { quiet: true, env, seconds: 5 * MINUTE });
    listsRead = true;
  }
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  await run(command, [...prefix, ...install], { quiet: true, env, seconds: 15 * MINUTE });
}

// --- The compilers ----------------------------------------------------------------------------------------------

/** The release that rust-toolchain.toml pins. */
const CHANNEL = /channel = "(.+)"/.exec(readFileSync(at('rust-toolchain.toml'), 'utf8'))[1];

/**
 * Whether there is a compiler of the pinned release. If rustup does not know one by that name, it would download it at
 * each call of cargo. If `stable` is the same release, as on machines without a network, it is used instead.
 */
function hasRust() {
  const known = process.env.RUSTUP_TOOLCHAIN ? undefined : ask('rustup', ['toolchain', 'list']);
  if (known !== undefined && !known.split('\n').some((line) => line.startsWith(`${CHANNEL}-`))) {
    if (!ask('rustup', ['run', 'stable', 'rustc', '--version'])?.startsWith(`rustc ${CHANNEL} `)) return false;
    process.env.RUSTUP_TOOLCHAIN = 'stable';
  }
  return Boolean(ask('cargo', ['--version']) && ask('rustc', ['--version']));
}

async function addRust() {
  if (findProgram('rustup')) await run('rustup', ['toolchain', 'install'], { quiet: true, seconds: 10 * MINUTE });
}

const debianToolchain = at('target', 'setup', 'debian-toolchain');

/** Which toolchain compiles for WebAssembly: rustup's own, or Debian's if the target came with that. */
const toolchainEnv = () => (existsSync(debianToolchain) ? { RUSTUP_TOOLCHAIN: 'debian' } : {});

function hasTarget(env) {
  const sysroot = ask('rustc', ['--print', 'sysroot'], env);
  const libraries = sysroot && join(sysroot, 'lib', 'rustlib', TARGET, 'lib');
  return Boolean(
    libraries && existsSync(libraries) && readdirSync(libraries).some((file) => file.startsWith('libstd-')),
  );
}

async function addTarget() {
  let cause;
  try {
    await run('rustup', ['target', 'add', TARGET], { quiet: true, seconds: 2 * MINUTE });
    if (hasTarget()) return;
  } catch (error) {
    cause = error;
  }
  const why = cause ? ` (${cause.message.split('\n')[0]})` : '';
  console.log(`    rustup could not install it${why}; using Debian's compiler`);
  await apt('rustc-web', 'cargo-web', 'rust-web-src', 'rust-web-clippy', 'gcc', 'libc6-dev');
  await run('rustup', ['toolchain', 'link', 'debian', '/usr'], { quiet: true });
  const env = { RUSTUP_TOOLCHAIN: 'debian' };
  if (!hasTarget(env)) await buildStandardLibrary(env);
  mkdirSync(at('target', 'setup'), { recursive: true });
  writeFileSync(debianToolchain, '');
}

/** Debian ships the standard library's source but no build of it for WebAssembly, so it is built once, here. */
async function buildStandardLibrary(env) {
  const crate = at('target', 'setup', 'standard-library');
  mkdirSync(join(crate, 'src'), { recursive: true });
  writeFileSync(
    join(crate, 'Cargo.toml'),
    '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n',
  );
  writeFileSync(join(crate, 'src', 'lib.rs'), '');
  // With bitcode, because `lto = true` needs it later; wasm-bindgen-test needs `test`.
  await run('cargo', ['build', '-Zbuild-std=std,panic_abort,test', '--target', TARGET, '--release'], {
    cwd: crate,
    quiet: true,
    env: {
      ...env,
      RUSTC_BOOTSTRAP: '1',
      RUSTFLAGS: `-C embed-bitcode=yes ${WITHOUT_HOME}`,
      CARGO_TARGET_DIR: join(crate, 'target'),
    },
    seconds: 15 * MINUTE,
  });
  const built = join(crate, 'target', TARGET, 'release', 'deps');
  const libraries = join(ask('rustc', ['--print', 'sysroot'], env), 'lib', 'rustlib', TARGET, 'lib');
  mkdirSync(libraries, { recursive: true });
  for (const file of readdirSync(built)) {
    if (file.endsWith('.rlib') && !file.startsWith('libempty-')) copyFileSync(join(built, file), join(libraries, file));
  }
}

const versions = ['', '-21', '-20', '-19', '-18', '-17', '-16'];
const clangs = () => [process.env.CC_wasm32_unknown_unknown, ...versions.map((v) => `clang${v}`)];
let clangFound;
function clang() {
  clangFound ??= clangs()
    .map((name) => findProgram(name))
    .find((file) => file && ask(file, ['--print-targets'])?.includes('wasm32'));
  return clangFound;
}

/** The environment variables with which cargo compiles C for WebAssembly. */
export function compilerEnv() {
  const suffix = /-\d+$/.exec(basename(clang() ?? ''))?.[0] ?? '';
  const archiver = findProgram(
    process.env.AR_wasm32_unknown_unknown,
    `llvm-ar${suffix}`,
    'llvm-ar',
    ...versions.map((v) => `llvm-ar${v}`),
  );
  const env = { ...toolchainEnv(), CC_wasm32_unknown_unknown: clang(), AR_wasm32_unknown_unknown: archiver };
  // rustup's compiler comes with its own linker, Debian's does not.
  if (env.RUSTUP_TOOLCHAIN) env.CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER = findProgram(`wasm-ld${suffix}`, 'wasm-ld');
  return env;
}

// --- Tools from crates.io, built into target/tools ----------------------------------------------------------------

function cargoTool(crate, version, { program = crate, locked = true } = {}) {
  const file = join(toolsFolder, 'bin', program);
  return {
    ready: () => existsSync(file) && Boolean(ask(file, ['--version'])?.includes(version)),
    make: () =>
      run('cargo', ['install', `${crate}@${version}`, '--root', toolsFolder, ...(locked ? ['--locked'] : [])], {
        quiet: true,
        // They run for seconds a day, so the time to build them matters most.
        env: {
          CARGO_TARGET_DIR: at('target', 'tools-build'),
          CARGO_PROFILE_RELEASE_OPT_LEVEL: '1',
          CARGO_PROFILE_RELEASE_LTO: 'false',
          CARGO_PROFILE_RELEASE_CODEGEN_UNITS: '16',
          CARGO_PROFILE_RELEASE_DEBUG: 'false',
        },
        seconds: 20 * MINUTE,
      }),
    otherwise: `install it by hand: cargo install ${crate}@${version} --root target/tools`,
  };
}

// --- Browsers and Alembic, for the tests --------------------------------------------------------------------------

/** Where WebKitGTK's MiniBrowser may be: next to the library, in a folder with the version in its name. */
function miniBrowsers() {
  const folder = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
  const versions = existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith('webkit2gtk-')) : [];
  return versions.map((version) => join(folder, version, 'MiniBrowser'));
}

export const browsers = {
  chromium: () => findProgram(process.env.CHROMIUM, 'chromium', 'chromium-browser', 'google-chrome'),
  chromedriver: () => findProgram(process.env.CHROMEDRIVER, 'chromedriver'),
  firefox: () => findProgram(process.env.FIREFOX, 'firefox-esr', 'firefox'),
  geckodriver: () => findProgram('geckodriver'),
  webkitDriver: () => findProgram('WebKitWebDriver'),
  webkit: () => findProgram(...miniBrowsers()),
  virtualScreen: () => findProgram('Xvfb'),
};

export const python = at('target', 'python', 'bin', 'python');

async function makePython() {
  if (!findProgram('python3') || ask('python3', ['-c', 'import ensurepip']) === undefined)
    await apt('python3', 'python3-venv');
  rmSync(at('target', 'python'), { recursive: true, force: true });
  await run('python3', ['-m', 'venv', at('target', 'python')], { quiet: true });
  await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ALEMBIC, SQLITE], {
    quiet: true,
    seconds: 5 * MINUTE,
  });
}

// --- npm's packages -----------------------------------------------------------------------------------------------

/** Installs the packages that a folder's package-lock.json pins, in that folder. */
function npmPackages(...folder) {
  const stamp = at(...folder, 'node_modules', '.installed-lock');
  const lockHash = () =>
    createHash('sha256')
      .update(readFileSync(at(...folder, 'package-lock.json')))
      .digest('hex');
  return {
    ready: () => existsSync(stamp) && readFileSync(stamp, 'utf8') === lockHash(),
    make: async () => {
      await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: at(...folder), quiet: true, seconds: 10 * MINUTE });
      writeFileSync(stamp, lockHash());
    },
    otherwise: 'check that npm reaches its registry, then run the command again.',
  };
}

// --- The whole -----------------------------------------------------------------------------------------------------

export async function setUp({ forTests = false } = {}) {
  const started = performance.now();
  console.log('Set-up');
  await step('packages from npm', npmPackages());
  await step(`Rust ${CHANNEL}`, {
    ready: hasRust,
    make: addRust,
    otherwise: `install Rust with rustup (rustup.rs) and run \`rustup toolchain install ${CHANNEL}\`, then run the command again.`,
  });
  await step('a C compiler for this machine', {
    ready: () => Boolean(findProgram('cc')),
    make: () => apt('gcc', 'libc6-dev'),
    otherwise: 'install a C compiler that can be called as `cc`.',
  });
  await step('clang, for SQLite in WebAssembly', {
    ready: () => Boolean(clang() && compilerEnv().AR_wasm32_unknown_unknown),
    make: () => apt('clang-19', 'lld-19', 'llvm-19'),
    otherwise: 'install a clang that supports wasm32, and llvm-ar (on Debian: clang-19 lld-19 llvm-19).',
  });
  await step(`Rust's ${TARGET}`, {
    ready: () => hasTarget(toolchainEnv()),
    make: addTarget,
    otherwise: `run \`rustup target add ${TARGET}\` on a network that reaches rustup's server, or use Debian 12 as root.`,
  });
  await step(
    `wasm-bindgen ${WASM_BINDGEN}`,
    cargoTool('wasm-bindgen-cli', WASM_BINDGEN, { program: 'wasm-bindgen', locked: false }),
  );
  if (forTests) {
    await step(`wasm-pack ${WASM_PACK}`, cargoTool('wasm-pack', WASM_PACK));
    await step(`geckodriver ${GECKODRIVER}`, cargoTool('geckodriver', GECKODRIVER));
    await step(`cargo-deny ${CARGO_DENY}`, cargoTool('cargo-deny', CARGO_DENY));
    await step('Chromium, Firefox, WebKitGTK', {
      ready: () => Object.values(browsers).every((find) => find()),
      make: () => apt('chromium', 'chromium-driver', 'firefox-esr', 'webkit2gtk-driver', 'xvfb', 'fonts-dejavu-core'),
      otherwise:
        'install Chromium with chromedriver, Firefox, WebKitWebDriver and Xvfb (on Debian: chromium chromium-driver firefox-esr webkit2gtk-driver xvfb).',
    });
    await step('test runners and bundlers, from npm', npmPackages('tests', 'package', 'tools'));
    await step('Alembic, from PyPI', {
      ready: () => existsSync(python) && ask(python, ['-c', 'import alembic, pysqlite3']) !== undefined,
      make: makePython,
      otherwise: 'install Python 3 with its venv module, and check that pip reaches its index.',
    });
  }
  console.log(`Set-up finished in ${((performance.now() - started) / 1000).toFixed(1)} s\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    await setUp({ forTests: process.argv.includes('--tests') });
  } catch (error) {
    console.error(`\n${error.message}`);
    process.exitCode = 1;
  }
}
