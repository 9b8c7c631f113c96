// `npm run docs`: rustdoc and TypeDoc, with every warning an error.
import { pathToFileURL } from 'node:url';
import { at, run } from './process.mjs';
import { setUp } from './setup.mjs';
import { build } from './build.mjs';

export async function buildDocs() {
  await run('cargo', ['doc', '--no-deps'], { env: { RUSTDOCFLAGS: '-D warnings' } });
  await run('typedoc', ['--options', at('typedoc.json')]);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await setUp();
  await build();
  await buildDocs();
  console.log('The documentation is in target/doc/synth_memory/ and target/docs/.');
}
