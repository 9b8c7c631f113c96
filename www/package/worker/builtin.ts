// What is used of Node, asked for at run time, so that no bundler meets an import it cannot resolve.
interface NodeProcess {
  getBuiltinModule(name: 'node:fs'): { readFileSync(file: URL): Uint8Array<ArrayBuffer> };
  getBuiltinModule(name: 'node:util'): Pick<typeof globalThis, 'TextDecoder' | 'TextEncoder'>;
}

const { process } = globalThis as unknown as { process: NodeProcess };

export const { readFileSync } = process.getBuiltinModule('node:fs');

// The page that Jest emulates has no such globals, as every browser has. The engine needs them from its first line on.
const { TextDecoder, TextEncoder } = process.getBuiltinModule('node:util');
globalThis.TextDecoder ??= TextDecoder;
globalThis.TextEncoder ??= TextEncoder;
