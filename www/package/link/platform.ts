/** What is looked at of Node; `type` and `nw` are Electron's and NW.js's. */
interface NodeProcess {
  readonly versions?: { readonly node?: string; readonly nw?: string };
  readonly getBuiltinModule?: unknown;
  readonly type?: string;
}

/**
 * Whether this is Node, or a server built on it, as opposed to a browser or a worker of one. Tests that emulate a page, with jsdom
 * or happy-dom, run in Node: their `window` brings no OPFS and no worker. The pages of Electron and NW.js can have Node, and
 * are a browser's all the same.
 */
export function isNode(): boolean {
  const { process } = globalThis as { process?: NodeProcess };
  if (!process?.versions?.node || !process.getBuiltinModule) return false;
  return process.type !== 'renderer' && process.type !== 'worker' && process.versions.nw === undefined;
}
