// The Node modules that are used, requested at run time so that no bundler finds an import it cannot resolve.
interface NodeProcess {
  getBuiltinModule(name: 'node:fs'): { readFileSync(file: URL): Uint8Array<ArrayBuffer> };
  getBuiltinModule(name: 'node:util'): Pick<typeof globalThis, 'TextDecoder' | 'TextEncoder'>;
}

const { process } = globalThis as unknown as { process: NodeProcess };

export const { readFileSync } = process.getBuiltinModule('node:fs');

// The page that Jest emulates lacks these globals, which every browser has. The engine needs them from the start.
const { TextDecoder, TextEncoder } = process.getBuiltinModule('node:util');
globalThis.TextDecoder ??= TextDecoder;
globalThis.TextEncoder ??= TextEncoder;
