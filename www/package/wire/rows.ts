// The page's types of the five tables: their rows, changes and filters.
import type { Public } from './codec.js';
import type { JsonInput } from './json.js';
import type * as wire from '../wasm/synth_memory.js';

/** One page of a listing. */
export interface Page<Row> {
  /** The rows, in the order asked for. */
  rows: Row[];
  /** Pass it to the same listing to get the next page; null on the last page. */
  cursor: string | null;
  /** How many rows match the filter on all pages; only set if `total` was requested. */
  total?: number;
}

/** One page of a listing with `total`. */
export interface PageWithTotal<Row> extends Page<Row> {
  total: number;
}

/** The order and the page of a listing. */
export type Paging<Order> = wire.Paging<Order>;

/**
 * A row of `turns`: what the user said and what the assistant answered. A file that another program made may have null
 * in any column.
 */
export interface Turn extends Public<wire.Turn> {}
/** A turn to add. */
export interface NewTurn extends Public<wire.NewTurn, JsonInput> {}
/** The fields of a turn to change; the others stay as they are. */
export interface TurnPatch extends Public<wire.TurnPatch, JsonInput> {}
/** Which turns; all if no field is set. */
export interface TurnFilter extends Public<wire.TurnFilter> {}

/** A row of `episodes`: something that happened. */
export interface Episode extends Public<wire.Episode> {}
/** An episode to record. */
export interface NewEpisode extends Public<wire.NewEpisode, JsonInput> {}
/** The fields of an episode to change; the others stay as they are. */
export interface EpisodePatch extends Public<wire.EpisodePatch, JsonInput> {}
/** Which episodes; all if no field is set. */
export interface EpisodeFilter extends Public<wire.EpisodeFilter> {}

/** A row of `long_term`: a value under its key. */
export interface Entry extends Public<wire.Entry> {}
/** An entry to set: its key, value and time. */
export interface NewEntry extends Public<wire.NewEntry, JsonInput> {}
/** The fields of an existing entry to change. */
export interface EntryPatch extends Public<wire.EntryPatch, JsonInput> {}
/** Which entries; all if no field is set. */
export interface EntryFilter extends Public<wire.EntryFilter> {}

/** A row of `uncertainty_log`: something the agent was unsure of, and how it was settled. */
export interface Uncertainty extends Public<wire.Uncertainty> {}
/** A doubt to log. */
export interface NewUncertainty extends Public<wire.NewUncertainty, JsonInput> {}
/** The fields of a doubt to change; the others stay as they are. */
export interface UncertaintyPatch extends Public<wire.UncertaintyPatch, JsonInput> {}
/** Which doubts; all if no field is set. */
export interface UncertaintyFilter extends Public<wire.UncertaintyFilter> {}

/** A row of `semantic_memories`: a fact. */
export interface SemanticMemory extends Public<wire.SemanticMemory> {}
/** A fact to remember. */
export interface NewSemanticMemory extends Public<wire.NewSemanticMemory, JsonInput> {}
/** The fields of a fact to change; the others stay as they are. */
export interface SemanticMemoryPatch extends Public<wire.SemanticMemoryPatch, JsonInput> {}
/** Which facts; all if no field is set. */
export interface SemanticMemoryFilter extends Public<wire.SemanticMemoryFilter> {}
