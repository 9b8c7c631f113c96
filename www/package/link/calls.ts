// The kind of each call, which decides how the call is carried out among the others.
import type { Method, Moving, Request } from './protocol.js';

/**
 * - `read`: changes nothing, so it shares no transaction with the calls behind it and does not wait for them.
 * - `write`: changes rows, and shares a transaction and its flush with its neighbors. It is never made twice.
 * - `upkeep`: like `write`, but changes only data that can be derived again at any time, so it may be made twice.
 * - `alone`: has a transaction of its own, or none, and leaves nothing in the database.
 * - `whole`: has a transaction of its own, and is never made twice.
 * - `backedUp`: like `whole`, but makes a backup first, which needs room.
 */
export type Kind = 'read' | 'write' | 'upkeep' | 'alone' | 'whole' | 'backedUp';

/** Every call of the engine: a call that is added in Rust but is missing here is a compile error. */
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
  // It must be noted only once, so it is never repeated with a batch.
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

  // It changes nothing. The next leader makes it again or not at all.
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

export function kindOf({ method }: Pick<Request, 'method'>): Kind {
  return CALLS[method];
}

/** Whether a call shares its transaction with no other call. */
export function isByItself(kind: Kind): boolean {
  return kind === 'alone' || kind === 'whole' || kind === 'backedUp';
}

/** Whether a call must not be made twice, so that its answer is kept until its client has received it. */
export function isKept(kind: Kind): boolean {
  return kind === 'write' || kind === 'whole' || kind === 'backedUp';
}

/**
 * The change that a call makes to the schema or the whole database, of which all tabs are notified before and after.
 */
export function movingOf({ method }: Pick<Request, 'method'>): Moving | null {
  const isStep = method === 'upgrade' || method === 'downgrade' || method === 'redo';
  return isStep || method === 'import' || method === 'restore' ? method : null;
}

/** How long a query may run if its caller sets no limit, in ms: the same as in the engine. */
const QUERY_LIMIT = 10_000;
/** How long a call that may go through the whole database may run without a sign of life, in ms. */
const LONG_LIMIT = 120_000;

/**
 * How long the worker may be silent during a call that may keep it busy for long, in ms. The worker reports this limit
 * to its page. Undefined for other calls: for those, the page notices only that the worker is silent.
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
