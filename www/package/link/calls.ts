// What each call does, as far as its place among the others goes.
import type { Method } from './protocol.js';

/**
 * - `read`: it changes nothing, so it shares nothing with those behind it and need not wait for them.
 * - `write`: it changes rows, and shares a transaction and its flush with its neighbors.
 * - `alone`: it is a transaction of its own, or none.
 * - `backedUp`: the same, and a backup is kept first, for which there has to be room.
 */
export type Kind = 'read' | 'write' | 'alone' | 'backedUp';

/** Every call that the engine has: one that is added in Rust and not placed here does not compile. */
export const CALLS = {
  open: 'alone',
  close: 'alone',
  schemaStatus: 'read',
  query: 'read',
  export: 'alone',
  exportAt: 'alone',
  import: 'backedUp',

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

  recall: 'read',
  related: 'read',
  groundingConfidence: 'read',
  // It is noted once, so it is never made again with a batch.
  trackContext: 'alone',
  coherenceDrift: 'read',

  embed: 'read',
  embedderLoad: 'write',
  embeddingsUse: 'write',
  embeddingsCatchUp: 'write',
  embeddingsPending: 'read',
  embeddingsKeep: 'write',
  embeddingsSkip: 'write',
  embeddingsFail: 'write',
  embeddingsRetry: 'write',
  embeddingsStatus: 'read',
  embeddingsMap: 'read',

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
  stamp: 'alone',
  ensureVersion: 'alone',
  accept: 'alone',
  upgrade: 'backedUp',
  downgrade: 'backedUp',

  backups: 'read',
  backUp: 'backedUp',
  restore: 'backedUp',
} as const satisfies Record<Method, Kind>;
