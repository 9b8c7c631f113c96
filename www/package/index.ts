/// <reference lib="esnext.disposable" preserve="true" />
/**
 * The memory of an AI agent in a browser tab: SQLite in OPFS, migrated on open, behind a typed API.
 *
 * Importing it does nothing: no worker starts and nothing is loaded before {@link Memory.open} is called.
 *
 * @packageDocumentation
 */
export { Memory } from './client.js';
export type { BackupOptions, ExportOptions, OpenOptions, QueryOptions } from './options.js';
export type { MemoryStatus } from './status.js';
export type { CallOptions } from './connection.js';
export { MemoryError } from './errors.js';
export type { ClientErrorCode, ErrorCode } from './errors.js';
export { Embeddings } from './embeddings.js';
export type { ContextOptions, ContextSection, MemoryContext } from './context.js';
export type { Embedder, EmbeddingPurpose, EmbeddingStatus, MemoryMapPoint } from './embedder.js';
export type { JsonValue } from './json.js';
export { Backups, Migrations } from './migrations.js';
export type {
  Backup,
  CheckOptions,
  DirectionOptions,
  RevisionInfo,
  StampOptions,
  VerifiedRevision,
} from './migrations.js';
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
} from './recall.js';
export { Table, TableWithIds, Episodes, LongTerm, SemanticMemories, Turns, UncertaintyLog } from './tables.js';
export type * from './tables.js';
export type {
  CoherenceDrift,
  Consolidated,
  Direction,
  Durability,
  EngineErrorCode,
  EntryOrder,
  EpisodeOrder,
  Match,
  MemoryReference,
  MemoryTable,
  MergedMemories,
  MigrationDirection,
  MigrationFile,
  MigrationPhase,
  MigrationPlan,
  MigrationProgress,
  NewRevision,
  OnNewerSchema,
  PlannedStep,
  RecallEvidence,
  RecallParts,
  RecallWeights,
  SchemaCheck,
  SchemaRenames,
  SemanticMemoryOrder,
  SqlParameters,
  SqlValue,
  Standing,
  TableRows,
  TurnOrder,
  UncertaintyOrder,
  UncertaintyStatistics,
} from './wasm/synth_memory.js';
