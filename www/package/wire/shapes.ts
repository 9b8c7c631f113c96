// The fields of every type that is sent in messages. The compiler checks each list against Rust's declaration.
import type { Shape } from './codec.js';
import type * as wire from '../wasm/synth_memory.js';

const paging = { orderBy: 'text', direction: 'text', limit: 'number', cursor: 'text', total: 'flag' } as const;
const period = { since: 'time', until: 'time' } as const;
const search = { search: 'text', matching: 'text' } as const;

const turn = { timestamp: 'time', userInput: 'text', assistantResponse: 'text', metadata: 'json' } as const;
const episode = { timestamp: 'time', eventType: 'text', content: 'json', valence: 'number', metadata: 'json' } as const;
const memory = {
  timestamp: 'time',
  content: 'text',
  category: 'text',
  importance: 'number',
  metadata: 'json',
} as const;
const doubt = {
  timestamp: 'time',
  userMessage: 'text',
  parsedIntent: 'text',
  confidenceScore: 'number',
  context: 'text',
  signals: 'json',
} as const;
/** The fields of a row that cannot be read, because another program wrote it. */
const unreadable = { unreadable: 'texts' } as const;
const resolution = { resolved: 'flag', resolutionPattern: 'text' } as const;

/** The fields of a table's rows, additions, changes and filters. */
export interface Shapes<Row, New, Patch, Filter, Order> {
  readonly row: Shape<Row>;
  readonly added: Shape<New>;
  readonly patch: Shape<Patch>;
  readonly filter: Shape<Filter>;
  readonly listing: Shape<Filter & wire.Paging<Order>>;
}

export const turns: Shapes<wire.Turn, wire.NewTurn, wire.TurnPatch, wire.TurnFilter, wire.TurnOrder> = {
  row: { id: 'number', ...turn, ...unreadable },
  added: turn,
  patch: turn,
  filter: { ...period, ...search },
  listing: { ...period, ...search, ...paging },
};

const episodeFilter = {
  eventTypes: 'texts',
  minValence: 'number',
  maxValence: 'number',
  ...period,
  ...search,
} as const;

export const episodes: Shapes<wire.Episode, wire.NewEpisode, wire.EpisodePatch, wire.EpisodeFilter, wire.EpisodeOrder> =
  {
    row: { id: 'number', ...episode, ...unreadable },
    added: episode,
    patch: episode,
    filter: episodeFilter,
    listing: { ...episodeFilter, ...paging },
  };

const entryFilter = { prefix: 'text', ...period, ...search } as const;

export const longTerm: Shapes<wire.Entry, wire.NewEntry, wire.EntryPatch, wire.EntryFilter, wire.EntryOrder> = {
  row: { key: 'text', value: 'json', updatedAt: 'time', ...unreadable },
  added: { key: 'text', value: 'json', updatedAt: 'time' },
  patch: { value: 'json', updatedAt: 'time' },
  filter: entryFilter,
  listing: { ...entryFilter, ...paging },
};

const doubtFilter = {
  resolved: 'flag',
  minConfidence: 'number',
  maxConfidence: 'number',
  ...period,
  ...search,
} as const;

export const uncertainty: Shapes<
  wire.Uncertainty,
  wire.NewUncertainty,
  wire.UncertaintyPatch,
  wire.UncertaintyFilter,
  wire.UncertaintyOrder
> = {
  row: { id: 'number', ...doubt, ...resolution, ...unreadable },
  added: doubt,
  patch: { ...doubt, ...resolution },
  filter: doubtFilter,
  listing: { ...doubtFilter, ...paging },
};

const memoryFilter = {
  categories: 'texts',
  minImportance: 'number',
  maxImportance: 'number',
  ...period,
  ...search,
} as const;

export const semantic: Shapes<
  wire.SemanticMemory,
  wire.NewSemanticMemory,
  wire.SemanticMemoryPatch,
  wire.SemanticMemoryFilter,
  wire.SemanticMemoryOrder
> = {
  row: { id: 'number', ...memory, ...unreadable },
  added: memory,
  patch: memory,
  filter: memoryFilter,
  listing: { ...memoryFilter, ...paging },
};
