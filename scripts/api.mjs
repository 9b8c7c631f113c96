// `npm run api`: writes the package's public API to api/, so that a change of the API shows as a change of a file.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { build } from './build.mjs';
import { at } from './process.mjs';
import { setUp } from './setup.mjs';

/** Private to the page and its worker: its methods change with the engine, and no user calls them. */
const NOT_PUBLIC = new Set(['WorkerApi']);

/** Matches the name that a part of a report declares. */
const DECLARATION = /^(?:export )?(?:declare |abstract )*(?:class|enum|interface|type|function|const|namespace) (\w+)/m;

/** The entry points that have types, the package's own first: `{ index: 'dist/index.d.ts', react: … }`. */
function entries() {
  const { exports } = JSON.parse(readFileSync(at('package.json'), 'utf8'));
  const typed = Object.entries(exports).filter(([, target]) => target.types);
  return typed.map(([path, { types }]) => [path === '.' ? 'index' : path.replace('./', ''), types]);
}

/** API Extractor's report of an entry: its declarations without comments, and those they use but it does not export. */
async function extract(name, types) {
  const { Extractor, ExtractorConfig } = await import('@microsoft/api-extractor');
  const folder = at('target', 'api');
  mkdirSync(folder, { recursive: true });
  rmSync(at('target', 'api', `${name}.api.md`), { force: true });
  const silent = { default: { logLevel: 'none' } };
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: at(),
      mainEntryPointFilePath: at(types),
      compiler: { tsconfigFilePath: at('tsconfig.json') },
      apiReport: {
        enabled: true,
        reportFileName: name,
        reportFolder: folder,
        reportTempFolder: at('target', 'api', 'temp'),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      newlineKind: 'lf',
      messages: { extractorMessageReporting: silent, tsdocMessageReporting: silent },
    },
    packageJsonFullPath: at('package.json'),
  });
  const { errorCount } = Extractor.invoke(config, {
    localBuild: true,
    messageCallback: (message) => (message.handled = message.logLevel !== 'error'),
  });
  if (errorCount > 0) throw new Error(`API Extractor could not read ${types}.`);
  return /```ts\n(.*)```/s.exec(readFileSync(at('target', 'api', `${name}.api.md`), 'utf8'))[1];
}

/**
 * The declarations that a user of an entry can reach. `export *` of the generated types also brings in the engine's
 * own; these are left out, and so is everything that another entry exports.
 */
function reachable(report, exportedElsewhere) {
  const chunks = report.trim().split(/\n+(?=\/\/ @|declare namespace )/);
  const imports = chunks.filter((text) => !DECLARATION.test(text));
  const declarations = chunks.filter((text) => DECLARATION.test(text));
  const names = declarations.map((text) => DECLARATION.exec(text)[1]);
  // In the namespace of the generated types, a declaration may have another name: `Turn_2 as Turn`.
  const wire = declarations[names.indexOf('wire')] ?? '';
  const renamed = new Map([...wire.matchAll(/(\w+) as (\w+)/g)].map(([, name, known]) => [known, name]));
  const texts = declarations.map((text) =>
    text.replaceAll(/\bwire\.(\w+)/g, (_, known) => renamed.get(known) ?? known),
  );
  const hidden = (name) => NOT_PUBLIC.has(name) || exportedElsewhere.has(name.replace(/_\d+$/, ''));
  const found = new Set(names.filter((_, i) => /^export /m.test(texts[i])));
  for (const name of found) {
    const named = texts.filter((_, i) => names[i] === name).flatMap((text) => text.match(/\w+/g));
    for (const word of named) if (names.includes(word) && word !== 'wire' && !hidden(word)) found.add(word);
  }
  const kept = texts.filter((_, i) => found.has(names[i]));
  return { text: [...imports, ...kept].join('\n\n'), exported: found };
}

/** The required contents of each file in api/, by file name. */
export async function reports() {
  const files = new Map();
  const elsewhere = new Set();
  for (const [name, types] of entries()) {
    const { text, exported } = reachable(await extract(name, types), elsewhere);
    for (const one of exported) elsewhere.add(one.replace(/_\d+$/, ''));
    const specifier = name === 'index' ? 'synth-memory' : `synth-memory/${name}`;
    files.set(
      `${name}.api.md`,
      `# \`${specifier}\`\n\nWritten by \`npm run api\`; do not edit.\n\n\`\`\`ts\n${text}\n\`\`\`\n`,
    );
  }
  return files;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await setUp();
  await build();
  rmSync(at('api'), { recursive: true, force: true });
  mkdirSync(at('api'));
  for (const [file, text] of await reports()) writeFileSync(at('api', file), text);
  console.log('The public API is in api/. If it changed, say so in CHANGELOG.md.');
}
