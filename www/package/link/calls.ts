// What each call does, as far as its place among the others goes.
import type { Method, Moving, Request } from './protocol.js';

/**
 * - `read`: it changes nothing, so it shares nothing with those behind it and need not wait for them.
 * - `write`: it changes rows, and shares a transaction and its flush with its neighbors. It is never made twice.
 * - `upkeep`: the same, of what can be made anew at any time, so that it may be made twice.
 * - `alone`: a transaction of its own, or none; it leaves nothing in the database.
 * - `whole`: a transaction of its own, which is never made twice.
 * - `backedUp`: the same, and a backup is kept first, for which there has to be room.
 */
export type Kind = 'read' | 'write' | 'upkeep' | 'alone' | 'whole' | 'backedUp';

/** Every call that the engine has: one that is added in Rust and not placed here does not compile. */
export const CALLS = {
  schemaStatus: 'read',
  query: 'read',
  execute: 'write',
  unreadable: 'read',
  export: 'alone',
  exportAt: 'alone',
  import: 'backedUp',
  compact: 'alone',

  turnsAdd: 'write',
  turnsGet: 'read',
  turnsList: 'read',
  turnsUpdate: 'write',
  turnsDelete: 'write',
  turnsCount: 'read',
  turnsClear: 'write',

  episodesAdd: 'write',
  episodesGet: 'read',
  episodesList: 'read',
  episodesUpdate: 'write',
  episodesDelete: 'write',
  episodesCount: 'read',
  episodesClear: 'write',

  longTermAdd: 'write',
  longTermGet: 'read',
  longTermList: 'read',
  longTermUpdate: 'write',
  longTermDelete: 'write',
  longTermCount: 'read',
  longTermClear: 'write',

  uncertaintyAdd: 'write',
  uncertaintyGet: 'read',
  uncertaintyList: 'read',
  uncertaintyUpdate: 'write',
  uncertaintyDelete: 'write',
  uncertaintyCount: 'read',
  uncertaintyClear: 'write',
  uncertaintyResolve: 'write',
  uncertaintyLearn: 'write',
  uncertaintyStatistics: 'read',

  semanticAdd: 'write',
  semanticGet: 'read',
  semanticList: 'read',
  semanticUpdate: 'write',
  semanticDelete: 'write',
  semanticCount: 'read',
  semanticClear: 'write',
  semanticSearch: 'read',
  semanticMerge: 'write',

  recall: 'read',
  related: 'read',
  groundingConfidence: 'read',
  // It is noted once, so it is never made again with a batch.
  trackContext: 'alone',
  coherenceDrift: 'read',

  embed: 'read',
  embedderLoad: 'upkeep',
  embeddingsUse: 'upkeep',
  embeddingsCatchUp: 'upkeep',
  embeddingsPending: 'read',
  embeddingsKeep: 'upkeep',
  embeddingsSkip: 'upkeep',
  embeddingsFail: 'upkeep',
  embeddingsRetry: 'upkeep',
  embeddingsStatus: 'read',
  embeddingsMap: 'read',

  // It changes nothing, and is made again or not at all by whoever leads next.
  consolidatePrepare: 'read',
  consolidate: 'write',
  consolidations: 'read',
  undoConsolidation: 'write',
  discardConsolidations: 'write',

  history: 'read',
  heads: 'read',
  branches: 'read',
  show: 'read',
  verify: 'read',
  check: 'read',
  sql: 'read',
  revision: 'read',
  merge: 'read',
  squash: 'read',
  plan: 'alone',
  stamp: 'whole',
  ensureVersion: 'whole',
  accept: 'whole',
  upgrade: 'backedUp',
  downgrade: 'backedUp',
  redo: 'backedUp',

  backups: 'read',
  backUp: 'backedUp',
  deleteBackup: 'alone',
  restore: 'backedUp',
} as const satisfies Record<Method, Kind>;

/** What kind a call is. */
export function kindOf({ method }: Pick<Request, 'method'>): Kind {
  return CALLS[method];
}

/** Whether a call has a transaction of its own, which it shares with no other. */
export function isByItself(kind: Kind): boolean {
  return kind === 'alone' || kind === 'whole' || kind === 'backedUp';
}

/** Whether a call must not be made twice, so that its answer is kept until its client has it. */
export function isKept(kind: Kind): boolean {
  return kind === 'write' || kind === 'whole' || kind === 'backedUp';
}

/** Which calls all tabs are told of before and after. */
export function movingOf({ method }: Pick<Request, 'method'>): Moving | null {
  const isStep = method === 'upgrade' || method === 'downgrade' || method === 'redo';
  return isStep || method === 'import' || method === 'restore' ? method : null;
}

/** How long a query may run where its caller does not say, in ms: as the engine has it. */
const QUERY_LIMIT = 10_000;
/** How long calls that may go through everything take at most without a sign of life, in ms. */
const LONG_LIMIT = 120_000;

/**
 * How long a call may take until the worker says anything, in ms, where its page is to be told of it: a call that may keep
 * the worker busy for long. The others are known by the worker's silence.
 */
export function limitOf(request: Request): number | undefined {
  if (request.method === 'query' || request.method === 'execute') {
    const seconds = request.method === 'query' ? request.arguments[2] : request.arguments[1];
    return seconds == null ? QUERY_LIMIT : seconds * 1000;
  }
  const { method } = request;
  const isLong = isByItself(kindOf(request)) || method === 'consolidate' || method === 'undoConsolidation';
  return isLong ? LONG_LIMIT : undefined;
}
