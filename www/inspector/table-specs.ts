import type {
  Entry,
  EntryFilter,
  EntryOrder,
  EntryPatch,
  Episode,
  EpisodeFilter,
  EpisodeOrder,
  EpisodePatch,
  SemanticMemory,
  SemanticMemoryFilter,
  SemanticMemoryOrder,
  SemanticMemoryPatch,
  Turn,
  TurnFilter,
  TurnOrder,
  TurnPatch,
  Uncertainty,
  UncertaintyFilter,
  UncertaintyOrder,
  UncertaintyPatch,
} from '../package/index.js';
import { jsonInWords, stringsIn } from './format.js';
import { given, listing, type Listing } from './listing.js';
import { dated, json, jsonOf, measure, number, numberOf, period, search, searched, text } from './table-parts.js';

const turns = listing<number, Turn, TurnPatch, TurnFilter, TurnOrder>({
  id: 'turns',
  title: 'Turns',
  about: 'The conversation: what was said and answered.',
  row: 'turn',
  finder: 'search',
  filters: [...search, ...period],
  orders: [
    ['id', 'when added'],
    ['timestamp', 'time'],
  ],
  direction: 'desc',
  source: (memory) => memory.turns,
  get: (memory, id) => memory.turns.get(id),
  find: ({ userInput, assistantResponse }) => `${userInput ?? ''} ${assistantResponse ?? ''}`,
  narrow: (asked) => given({ ...searched(asked), ...dated(asked) }),
  view: ({ id, timestamp, userInput, assistantResponse, metadata }) => ({
    key: id,
    title: `turn ${id}`,
    time: timestamp,
    texts: [
      { who: 'User', text: userInput },
      { who: 'Agent', text: assistantResponse },
    ],
    json: [{ name: 'metadata', value: metadata }],
    fields: [
      text('userInput', 'What the user said', userInput),
      text('assistantResponse', 'What the agent answered', assistantResponse),
    ],
  }),
  patch: (values) => given({ userInput: values.get('userInput'), assistantResponse: values.get('assistantResponse') }),
});

const episodes = listing<number, Episode, EpisodePatch, EpisodeFilter, EpisodeOrder>({
  id: 'episodes',
  title: 'Episodes',
  about: 'What happened, and how it felt.',
  row: 'episode',
  finder: 'search',
  filters: [
    ...search,
    {
      kind: 'column',
      name: 'eventType',
      label: 'Event type',
      sql: 'SELECT DISTINCT event_type AS value FROM episodes ORDER BY 1 LIMIT 200',
    },
    { kind: 'number', name: 'minValence', label: 'Valence from', min: -1, max: 1 },
    { kind: 'number', name: 'maxValence', label: 'Valence to', min: -1, max: 1 },
    ...period,
  ],
  orders: [
    ['id', 'when added'],
    ['timestamp', 'time'],
    ['valence', 'valence'],
  ],
  direction: 'desc',
  source: (memory) => memory.episodes,
  get: (memory, id) => memory.episodes.get(id),
  find: ({ eventType, content }) => [eventType ?? '', ...stringsIn(content)].join(' '),
  narrow: (asked) =>
    given({
      ...searched(asked),
      ...dated(asked),
      eventTypes: asked.texts('eventType'),
      minValence: asked.number('minValence'),
      maxValence: asked.number('maxValence'),
    }),
  view: ({ id, timestamp, eventType, content, valence, metadata }) => ({
    key: id,
    title: `episode ${id}`,
    time: timestamp,
    texts: [{ text: jsonInWords(content) }],
    tags: eventType === null ? [] : [eventType],
    measure: measure('valence', valence, -1),
    json: [
      { name: 'content', value: content },
      { name: 'metadata', value: metadata },
    ],
    fields: [
      text('eventType', 'Event type', eventType),
      json('content', 'Content (JSON)', content),
      number('valence', 'Valence, from -1 to 1', valence, -1),
    ],
  }),
  patch: (values) =>
    given({
      eventType: values.get('eventType'),
      content: jsonOf(values, 'content'),
      valence: numberOf(values, 'valence'),
    }),
});

const longTerm = listing<string, Entry, EntryPatch, EntryFilter, EntryOrder>({
  id: 'longTerm',
  title: 'Long-term',
  about: 'Known values, each under its key.',
  row: 'key',
  finder: 'prefix',
  filters: [{ kind: 'text', name: 'prefix', label: 'Key begins with' }, ...period],
  orders: [
    ['key', 'key'],
    ['updatedAt', 'last change'],
  ],
  direction: 'asc',
  source: (memory) => memory.longTerm,
  get: async (memory, key) => {
    // The smallest key with this prefix is the key itself, if it exists.
    const { rows } = await memory.longTerm.list({ prefix: key, limit: 1 });
    return rows[0]?.key === key ? rows[0] : undefined;
  },
  find: ({ key }) => key,
  narrow: (asked) => given({ prefix: asked.text('prefix'), ...dated(asked) }),
  view: ({ key, value, updatedAt }) => ({
    key,
    title: key === '' ? 'the empty key' : `key ${key}`,
    time: updatedAt,
    texts: [{ who: key === '' ? '(empty key)' : key, text: jsonInWords(value) }],
    json: [{ name: 'value', value }],
    fields: [json('value', 'Value (JSON)', value)],
  }),
  patch: (values) => given({ value: jsonOf(values, 'value') }),
});

const uncertainty = listing<number, Uncertainty, UncertaintyPatch, UncertaintyFilter, UncertaintyOrder>({
  id: 'uncertainty',
  title: 'Uncertainty',
  about: 'What the agent was unsure of, and how it was settled.',
  row: 'doubt',
  finder: 'search',
  filters: [
    ...search,
    {
      kind: 'choice',
      name: 'resolved',
      label: 'Resolved',
      choices: [
        ['', 'either'],
        ['true', 'yes'],
        ['false', 'no'],
      ],
    },
    { kind: 'number', name: 'minConfidence', label: 'Confidence from', min: 0, max: 1 },
    { kind: 'number', name: 'maxConfidence', label: 'Confidence to', min: 0, max: 1 },
    ...period,
  ],
  orders: [
    ['id', 'when added'],
    ['timestamp', 'time'],
    ['confidenceScore', 'confidence'],
  ],
  direction: 'desc',
  source: (memory) => memory.uncertainty,
  get: (memory, id) => memory.uncertainty.get(id),
  find: ({ userMessage, parsedIntent }) => `${userMessage ?? ''} ${parsedIntent ?? ''}`,
  narrow: (asked) =>
    given({
      ...searched(asked),
      ...dated(asked),
      resolved: asked.flag('resolved'),
      minConfidence: asked.number('minConfidence'),
      maxConfidence: asked.number('maxConfidence'),
    }),
  view: (row) => ({
    key: row.id,
    title: `doubt ${row.id}`,
    time: row.timestamp,
    texts: [
      { text: row.userMessage },
      { who: 'Taken as', text: row.parsedIntent },
      ...(row.resolved ? [{ who: 'Settled', text: row.resolutionPattern }] : []),
    ],
    tags: [row.resolved ? 'resolved' : 'open'],
    measure: measure('confidence', row.confidenceScore, 0),
    json: [
      { name: 'signals', value: row.signals },
      { name: 'context', value: row.context },
    ],
    fields: [
      text('userMessage', 'What the user said', row.userMessage),
      text('parsedIntent', 'What it was taken to mean', row.parsedIntent),
      number('confidenceScore', 'Confidence, from 0 to 1', row.confidenceScore, 0),
      { name: 'resolved', label: 'Resolved', kind: 'flag', value: String(row.resolved) },
      text('resolutionPattern', 'How it was settled', row.resolutionPattern),
    ],
  }),
  patch: (values) =>
    given({
      userMessage: values.get('userMessage'),
      parsedIntent: values.get('parsedIntent'),
      confidenceScore: numberOf(values, 'confidenceScore'),
      resolved: values.has('resolved') ? values.get('resolved') === 'true' : undefined,
      resolutionPattern: values.get('resolutionPattern'),
    }),
});

const semantic = listing<number, SemanticMemory, SemanticMemoryPatch, SemanticMemoryFilter, SemanticMemoryOrder>({
  id: 'semantic',
  title: 'Semantic',
  about: 'Facts, and how important each of them is.',
  row: 'fact',
  finder: 'search',
  filters: [
    ...search,
    {
      kind: 'column',
      name: 'category',
      label: 'Category',
      sql: 'SELECT DISTINCT category AS value FROM semantic_memories ORDER BY 1 LIMIT 200',
    },
    { kind: 'number', name: 'minImportance', label: 'Importance from', min: 0, max: 1 },
    { kind: 'number', name: 'maxImportance', label: 'Importance to', min: 0, max: 1 },
    ...period,
  ],
  orders: [
    ['id', 'when added'],
    ['timestamp', 'time'],
    ['importance', 'importance'],
  ],
  direction: 'desc',
  source: (memory) => memory.semantic,
  get: (memory, id) => memory.semantic.get(id),
  find: ({ content }) => content ?? '',
  narrow: (asked) =>
    given({
      ...searched(asked),
      ...dated(asked),
      categories: asked.texts('category'),
      minImportance: asked.number('minImportance'),
      maxImportance: asked.number('maxImportance'),
    }),
  view: ({ id, timestamp, content, category, importance, metadata }) => ({
    key: id,
    title: `fact ${id}`,
    time: timestamp,
    texts: [{ text: content }],
    tags: category === null ? [] : [category],
    measure: measure('importance', importance, 0),
    json: [{ name: 'metadata', value: metadata }],
    fields: [
      text('content', 'The fact', content),
      { name: 'category', label: 'Category', kind: 'line', value: category ?? '' },
      number('importance', 'Importance, from 0 to 1', importance, 0),
    ],
  }),
  patch: (values) =>
    given({
      content: values.get('content'),
      category: values.get('category'),
      importance: numberOf(values, 'importance'),
    }),
});

/** The five tables, in the order of their tabs. */
export const LISTINGS: readonly Listing[] = [turns, episodes, longTerm, uncertainty, semantic];
