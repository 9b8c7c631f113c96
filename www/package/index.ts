/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The memory of an AI agent in a browser tab: SQLite in OPFS, migrated on open, behind a typed API.
 *
 * Importing it does nothing: no worker starts and nothing is loaded before {@link Memory.open} is called.
 *
 * @packageDocumentation
 */
export { Memory } from './client/memory.js';
export type { Change, ChangeOptions, MissedChanges, Replacement, RowChange } from './client/changes.js';
export { Live } from './client/live.js';
export type { LiveSnapshot } from './client/live.js';
export type { MemoryReader } from './client/reader.js';
export type { BackupOptions, ExportOptions, ImportOptions, OpenOptions, QueryOptions } from './client/options.js';
export type { MemoryStatus } from './client/status.js';
export type { CallOptions } from './link/connection.js';
export { MemoryError } from './wire/errors.js';
export type { ClientErrorCode, ErrorCode } from './wire/errors.js';
export { Embeddings } from './client/embeddings.js';
export type { ContextOptions, ContextSection, ExplainedHit, MemoryContext } from './recall/context.js';
export type {
  BundledEmbedder,
  Embedder,
  EmbedderOption,
  EmbeddingPurpose,
  EmbeddingStatus,
} from './recall/embedder.js';
export type { ExecuteResult, SqlStatement } from './client/query.js';
export type { GivenRow, Json, JsonFields, JsonInput, JsonType, JsonValue, UnknownField } from './wire/json.js';
export { Backups } from './client/backups.js';
export { Migrations } from './client/migrations.js';
export type { Backup, Compacted } from './client/backups.js';
export type {
  CheckOptions,
  DirectionOptions,
  NewRevision,
  RevisionInfo,
  SchemaRenames,
  StampOptions,
  VerifiedRevision,
} from './client/migrations.js';
export type {
  ConsolidateOptions,
  Consolidation,
  FoundMemory,
  RecallExplanation,
  RecallFilter,
  RecallHit,
  RecallHitBase,
  RecallOptions,
  RelatedOptions,
  RelatedRow,
  SemanticSearchOptions,
} from './recall/questions.js';
export type {
  RecallEvidence,
  RecallParts,
  RecallWeights,
  Reranker,
  RerankerScores,
  RerankOptions,
} from './recall/rerank.js';
export { Table, TableWithIds } from './client/table.js';
export { Episodes, LongTerm, SemanticMemories, Turns, UncertaintyLog } from './client/tables.js';
export type * from './wire/rows.js';
export type { ResolveOptions } from './client/tables.js';
export type {
  ChangeKind,
  CoherenceDrift,
  Consolidated,
  SortDirection,
  Durability,
  EngineErrorCode,
  EntryOrder,
  EpisodeOrder,
  Imported,
  LeftOut,
  Match,
  MemoryMapPoint,
  MemoryReference,
  MemoryTable,
  MergedMemories,
  MigrationDirection,
  MigrationFile,
  MigrationPhase,
  MigrationPlan,
  MigrationProgress,
  OnNewerSchema,
  PlannedStep,
  SchemaCheck,
  SemanticMemoryOrder,
  SimilarMemory,
  SqlParameters,
  UnreadableRow,
  SqlValue,
  Standing,
  TableRows,
  TurnOrder,
  UncertaintyOrder,
  UncertaintyStatistics,
} from './wasm/synth_memory.js';
