// What the page with the four tabs and each of its frames say to each other.
import type { MemoryStatus } from '../../package/index.js';

/** The memory that the four share: one of its own, as they write into it without end. */
export const URL_OF_TABS = 'opfs:///tabs.db';

/** The turns of one writer: a tab as it was opened once. It numbers them from 1. */
export interface Writer {
  readonly writer: string;
  readonly rows: number;
  /** How many different numbers they have. */
  readonly numbers: number;
  readonly first: number;
  readonly last: number;
}

/** A write that was answered, with times in ms. */
export interface Written {
  readonly writer: string;
  readonly number: number;
  readonly began: number;
  readonly ended: number;
}

/** What a tab read, with when it began to. */
export interface Count {
  readonly readAt: number;
  readonly rows: number;
  readonly writers: readonly Writer[];
}

export type Role = MemoryStatus['role'];

export type FromTab =
  /** It has the memory open, and listens. */
  | { readonly type: 'opened' }
  | { readonly type: 'role'; readonly role: Role }
  | { readonly type: 'read'; readonly count: Count }
  | { readonly type: 'written'; readonly written: Written }
  /** Its memory is closed: its frame can go. */
  | { readonly type: 'closed' };

export type ToTab =
  /** Write by yourself, or no longer. */
  { readonly type: 'run'; readonly isOn: boolean } | { readonly type: 'close' };
