// Which memories the garbage collector must keep although no one references them, and how the others leave.
import type { Tab, TabHost } from './tab.js';

/** Connections that are kept although no one may reference them: while calls wait, and while they have listeners. */
export const holders = new Map<object, object>();
/** A memory that was dropped without being closed leaves too, for example if hot reloading replaced its module. */
export const abandoned = new FinalizationRegistry<Tab>((tab) => void tab.leave());

/** The same host, held weakly: the browser references the tab, which would otherwise keep an unreferenced memory. */
export function weakly(host: TabHost): TabHost {
  const weak = new WeakRef(host);
  return {
    get isQuiet() {
      return weak.deref()?.isQuiet ?? true;
    },
    reached: (role) => weak.deref()?.reached(role),
    moved: () => weak.deref()?.moved(),
    receive: (message) => weak.deref()?.receive(message),
    heard: () => weak.deref()?.heard(),
    opening: () => weak.deref()?.opening(),
    lost: () => weak.deref()?.lost(),
    ended: (sequence, failure) => weak.deref()?.ended(sequence, failure),
    refused: (failure) => weak.deref()?.refused(failure),
  };
}
