// The messages between the page with the four tabs and each of its frames.
import type { MemoryStatus } from '../../package/index.js';

/** The memory that the four tabs share: a separate one, because they may write to it endlessly. */
export const URL_OF_TABS = 'opfs:///tabs.db';

/** The turns of one writer, which is a tab from one opening on. It numbers them from 1. */
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

/** A count that a tab read, with the time at which it began to read. */
export interface Count {
  readonly readAt: number;
  readonly rows: number;
  readonly writers: readonly Writer[];
}

export type Role = MemoryStatus['role'];

export type FromTab =
  /** The tab has opened the memory and listens. */
  | { readonly type: 'opened' }
  | { readonly type: 'role'; readonly role: Role }
  | { readonly type: 'read'; readonly count: Count }
  | { readonly type: 'written'; readonly written: Written }
  /** The tab has closed its memory: its frame can be removed. */
  | { readonly type: 'closed' };

export type ToTab =
  /** Start or stop to write continuously. */
  { readonly type: 'run'; readonly isOn: boolean } | { readonly type: 'close' };
