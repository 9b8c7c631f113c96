// The declarations, as a user's compiler reads them: project/types.ts and project/types-react.ts say what must compile and
// what must not; and each block of code in the documentation compiles.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { at } from '../../scripts/process.mjs';
import { call, inProject } from './project.mjs';

const strict = { noEmit: true, strict: true, target: 'ES2022', types: [] };

async function compile(files, compilerOptions) {
  writeFileSync(
    inProject('tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files }),
  );
  await call('tsc', ['--project', 'tsconfig.json']);
}

/** Writes each block of TypeScript in the documentation to a file; gives the files. */
function writeBlocks() {
  mkdirSync(inProject('docs'), { recursive: true });
  return readdirSync(at('docs')).flatMap((page) => {
    const blocks = readFileSync(at('docs', page), 'utf8').matchAll(/^```(tsx?)\n(.*?)^```$/gms);
    return [...blocks].map(([, kind, code], n) => {
      const file = `docs/${page}.${n}.${kind}`;
      writeFileSync(inProject(file), code);
      return file;
    });
  });
}

export function testTypes() {
  const compiles = (name, options) =>
    test(name, () => compile(['types.ts', 'types-react.ts'], { skipLibCheck: false, ...options }));

  // ES2022 knows nothing of `await using`: the declarations must bring what they need of it.
  const lib = ['ES2022', 'DOM'];
  compiles('as bundlers resolve modules', { lib, module: 'ESNext', moduleResolution: 'bundler' });
  compiles('as Node resolves modules', { lib, module: 'NodeNext', moduleResolution: 'NodeNext' });
  compiles('with all that can be stricter', {
    lib: ['ESNext', 'DOM', 'DOM.Iterable'],
    module: 'NodeNext',
    moduleResolution: 'NodeNext',
    exactOptionalPropertyTypes: true,
    isolatedModules: true,
    noPropertyAccessFromIndexSignature: true,
    noUncheckedIndexedAccess: true,
    verbatimModuleSyntax: true,
  });

  // Other packages' declarations are their own affair.
  const bundler = { module: 'ESNext', moduleResolution: 'bundler', jsx: 'react-jsx', skipLibCheck: true };
  test('the documentation compiles', () => compile(writeBlocks(), bundler));
}
