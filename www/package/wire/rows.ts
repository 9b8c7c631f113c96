// The rows of the five tables and what is said of them, as the page has them.
import type { Public } from './codec.js';
import type { JsonInput } from './json.js';
import type * as wire from '../wasm/synth_memory.js';

/** One page of a listing. */
export interface Page<Row> {
  /** The rows, in the order asked for. */
  rows: Row[];
  /** Give it to the same listing to read on; null when there is no more. */
  cursor: string | null;
  /** How many rows the filter finds on all pages, if `total` asked for it. */
  total?: number;
}

/** One page of a listing that was asked for its `total`. */
export interface PageWithTotal<Row> extends Page<Row> {
  total: number;
}

/** How to list. */
export type Paging<Order> = wire.Paging<Order>;

/** A row of `turns`: what the user said and what the assistant answered. Any column may be null in a file from elsewhere. */
export interface Turn extends Public<wire.Turn> {}
/** A turn to be added. */
export interface NewTurn extends Public<wire.NewTurn, JsonInput> {}
/** What to change of a turn; what is not named stays as it is. */
export interface TurnPatch extends Public<wire.TurnPatch, JsonInput> {}
/** Which turns; all of them where nothing is said. */
export interface TurnFilter extends Public<wire.TurnFilter> {}

/** A row of `episodes`: something that happened. */
export interface Episode extends Public<wire.Episode> {}
/** An episode to be recorded. */
export interface NewEpisode extends Public<wire.NewEpisode, JsonInput> {}
/** What to change of an episode; what is not named stays as it is. */
export interface EpisodePatch extends Public<wire.EpisodePatch, JsonInput> {}
/** Which episodes; all of them where nothing is said. */
export interface EpisodeFilter extends Public<wire.EpisodeFilter> {}

/** A row of `long_term`: something known, under its key. */
export interface Entry extends Public<wire.Entry> {}
/** A key to be set, with its time. */
export interface NewEntry extends Public<wire.NewEntry, JsonInput> {}
/** What to change of an entry that exists. */
export interface EntryPatch extends Public<wire.EntryPatch, JsonInput> {}
/** Which entries; all of them where nothing is said. */
export interface EntryFilter extends Public<wire.EntryFilter> {}

/** A row of `uncertainty_log`: something the agent was unsure of, and how it was settled. */
export interface Uncertainty extends Public<wire.Uncertainty> {}
/** A doubt to be logged. */
export interface NewUncertainty extends Public<wire.NewUncertainty, JsonInput> {}
/** What to change of a doubt; what is not named stays as it is. */
export interface UncertaintyPatch extends Public<wire.UncertaintyPatch, JsonInput> {}
/** Which doubts; all of them where nothing is said. */
export interface UncertaintyFilter extends Public<wire.UncertaintyFilter> {}

/** A row of `semantic_memories`: a fact. */
export interface SemanticMemory extends Public<wire.SemanticMemory> {}
/** A fact to be remembered. */
export interface NewSemanticMemory extends Public<wire.NewSemanticMemory, JsonInput> {}
/** What to change of a fact; what is not named stays as it is. */
export interface SemanticMemoryPatch extends Public<wire.SemanticMemoryPatch, JsonInput> {}
/** Which facts; all of them where nothing is said. */
export interface SemanticMemoryFilter extends Public<wire.SemanticMemoryFilter> {}
