/** The fields of Node's `process` that are checked; `type` is Electron's and `versions.nw` is NW.js's. */
interface NodeProcess {
  readonly versions?: { readonly node?: string; readonly nw?: string };
  readonly getBuiltinModule?: unknown;
  readonly type?: string;
}

/**
 * Whether this is Node, or a server built on it, and not a browser or a browser's worker. Tests that emulate a page
 * with jsdom or happy-dom count as Node, because their `window` has no OPFS and no worker. Pages of Electron and NW.js
 * count as a browser, although they can have Node.
 */
export function isNode(): boolean {
  const { process } = globalThis as { process?: NodeProcess };
  if (!process?.versions?.node || !process.getBuiltinModule) return false;
  return process.type !== 'renderer' && process.type !== 'worker' && process.versions.nw === undefined;
}
