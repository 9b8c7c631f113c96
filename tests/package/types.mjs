// The declarations, as a user's compiler reads them: project/types.ts and
// types-react.ts say what must compile and what must not.
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { call, inProject } from './project.mjs';

export function testTypes() {
  const compiles = (name, options) =>
    test(name, async () => {
      const compilerOptions = {
        noEmit: true,
        strict: true,
        skipLibCheck: false,
        target: 'ES2022',
        types: [],
        ...options,
      };
      writeFileSync(
        inProject('tsconfig.json'),
        JSON.stringify({ compilerOptions, files: ['types.ts', 'types-react.ts'] }),
      );
      await call('tsc', ['--project', 'tsconfig.json']);
    });

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
}
