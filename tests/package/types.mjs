// The declarations, as a user's compiler reads them: project/types.ts, types-json.ts and types-react.ts contain code
// that must compile and code that must not.
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { call, inProject } from './project.mjs';

const FILES = ['types.ts', 'types-json.ts', 'types-react.ts'];
const strict = { noEmit: true, strict: true, target: 'ES2022', types: [] };

/** Compiles files of the project; rejects with what the compiler reports. */
export async function compile(files, compilerOptions) {
  writeFileSync(
    inProject('tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...strict, ...compilerOptions }, files }),
  );
  await call('tsc', ['--project', 'tsconfig.json']);
}

export function testTypes() {
  const compiles = (name, options) => test(name, () => compile(FILES, { skipLibCheck: false, ...options }));

  // ES2022 does not have `await using`, so the package must declare the parts that it needs.
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
}
