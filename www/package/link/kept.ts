// Which memories are kept though nobody has them, and that the others leave.
import type { Tab, TabHost } from './tab.js';

/** Connections that are kept though nobody may have them: for calls that wait, and for those who are told of what happens. */
export const holders = new Map<object, object>();
/** A memory that was dropped and not closed, as a module does that is replaced while a page is developed, leaves too. */
export const abandoned = new FinalizationRegistry<Tab>((tab) => void tab.leave());

/** The same, without keeping it: a tab is known to the browser, and would keep a memory that nobody has any more. */
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
