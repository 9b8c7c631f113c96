// Writes rows into a prompt, each between marks that no stored text can produce.
//
// A mark begins with `<` and ends with `>`. Neither is left in a stored text, nor is any character that looks like one
// of them or that Unicode's normal forms turn into one. So no stored text can close, split or forge a mark. The
// replacements are readable: `&lt;`, or `&#x203a;`.
import { excerpt } from './excerpt.js';
import { encodeJson, type JsonValue } from '../wire/json.js';
import type { MemoryReference } from '../wasm/synth_memory.js';
import type { RecallHit } from './questions.js';
import type { Entry, Episode, SemanticMemory, Turn } from '../wire/rows.js';

/** A row of a context. */
export interface Item {
  readonly reference: MemoryReference;
  /** The row between its marks, on one line; empty if it has no text. */
  readonly text: string;
  /** The number of characters of its texts. */
  readonly length: number;
  /** The same row with an excerpt of at most `most` characters of its texts. Its mark says that it is an excerpt. */
  shortened(question: string, most: number): Item;
}

/** Characters that look like `<` or `>`, or whose normal forms contain one: quotes, brackets and letters. */
const ANGLES =
  '\\u02c2\\u02c3\\u1433\\u1438\\u16b2\\u2039\\u203a\\u226e\\u226f\\u2329\\u232a\\u276c-\\u2771\\u27e8\\u27e9\\u29fc\\u29fd' +
  '\\u3008\\u3009\\ufe3f\\ufe40\\ufe64\\ufe65\\uff1c\\uff1e\\u{16f3f}\\u{1d236}\\u{1d237}';
/** Characters that are read as `&`. They are replaced so that a stored text cannot look like a replacement. */
const AMPERSANDS = '&\\ufe60\\uff06';
/** Characters that reorder a line, and the invisible copy of ASCII, which a model may read. */
const INVISIBLE = '\\u202a-\\u202e\\u2066-\\u2069\\u{e0000}-\\u{e007f}';

const IN_TEXTS = new RegExp(`[<>${ANGLES}${AMPERSANDS}${INVISIBLE}]|^\\p{M}`, 'gu');
/** In an attribute, every character that is not a letter, a number or one of a few harmless ones. */
const IN_QUOTES = new RegExp(`[^\\p{L}\\p{M}\\p{N} ._:/@+,()#-]|[${ANGLES}]|^\\p{M}`, 'gu');
/** Becomes one space. This includes line breaks, so a stored text never begins a line. */
const SPACES = /[\s\p{Cc}]{2,}|(?! )[\s\p{Cc}]/gu;
/** The most characters of an attribute, except a key, which identifies its row. */
const LONGEST_QUOTED = 200;

const onOneLine = (text: string) => text.replace(SPACES, ' ').trim();

const NAMED: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };
const replaced = (character: string) => NAMED[character] ?? `&#x${character.codePointAt(0)!.toString(16)};`;

/**
 * Escapes a stored text for the place between two marks: on one line, without anything that is or looks like a mark.
 */
export function escapeText(text: string): string {
  return onOneLine(text).replace(IN_TEXTS, replaced);
}

/** The same for an attribute, with every space unchanged. */
const escapeQuoted = (text: string) => text.replace(IN_QUOTES, replaced);

/**
 * The attributes of a mark in addition to the id or key, in this order. Those that are undefined or empty are left out.
 */
type Details = Readonly<Record<string, string | undefined>>;

function mark(reference: MemoryReference, details: Details, text: string): string {
  const { table } = reference;
  // A key is not truncated and keeps its spaces, because it identifies the row.
  const known = 'key' in reference ? ` key="${escapeQuoted(reference.key)}"` : ` id="${reference.id}"`;
  const quoted = Object.entries(details)
    .map(([name, value]) => [name, escapeQuoted(onOneLine(value ?? ''))])
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ` ${name}="${value}"`);
  return `<${table}${known}${quoted.join('')}>${text}</${table}>`;
}

/** The names under which apps store the conversation and the source of a row. */
const SESSIONS = ['thread', 'session', 'conversation'].flatMap((name) => [name, `${name}Id`, `${name}_id`]);
const SOURCES = ['source', 'origin', 'url'];

/** The first of these fields that is a text or a number. */
function firstOf(metadata: JsonValue | undefined, names: readonly string[]): string | undefined {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined;
  const fields = metadata as { readonly [name: string]: JsonValue };
  const values = names.map((name) => (Object.hasOwn(fields, name) ? fields[name] : undefined));
  const found = values.find((value) => (typeof value === 'string' && value !== '') || typeof value === 'number');
  return found === undefined ? undefined : clipped(String(found));
}

function clipped(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text.length <= LONGEST_QUOTED) return text ?? undefined;
  // Never splits a surrogate pair.
  return `${text
    .slice(0, LONGEST_QUOTED)
    .toWellFormed()
    .replace(/\ufffd$/, '')}...`;
}

const whence = (metadata: JsonValue | undefined) => ({
  session: firstOf(metadata, SESSIONS),
  source: firstOf(metadata, SOURCES),
});
/** Writes the time of a row. */
export type WriteTime = (time: Date) => string;

/** A time, if there is one. */
const at = (date: Date | null | undefined, write: WriteTime) =>
  date && !Number.isNaN(date.getTime()) ? write(date) : undefined;
const said = (value: JsonValue): string => (typeof value === 'string' ? value : encodeJson(value, 'value'));

/** A row with these texts, which `write` receives escaped and puts between its marks. */
function item(
  reference: MemoryReference,
  details: Details,
  texts: readonly string[],
  write = ([text = '']: readonly string[]) => text,
  isTold?: boolean,
): Item {
  const written = write(texts.map(escapeText));
  return {
    reference,
    text: (isTold ?? written !== '') ? mark(reference, details, written) : '',
    length: texts.reduce((sum, text) => sum + text.length, 0),
    shortened(question, most) {
      // The room that a short text does not need goes to the others.
      const room = texts.map(() => 0);
      let left = most;
      const byLength = texts.map((text, at) => [text.length, at] as const).sort(([one], [other]) => one - other);
      byLength.forEach(([length, at], place) => {
        room[at] = Math.min(length, Math.floor(left / (texts.length - place)));
        left -= room[at];
      });
      const parts = texts.map((text, at) => (room[at]! < text.length ? excerpt(text, question, room[at]!) : text));
      return item(reference, { ...details, excerpt: 'yes' }, parts, write, isTold);
    },
  };
}

/** A turn, with both sides. */
export function turnItem({ id, timestamp, metadata, userInput, assistantResponse }: Turn, write: WriteTime): Item {
  const side = (name: string, text = '') => text && `<${name}>${text}</${name}>`;
  const sides = ([user, assistant]: readonly string[]) => side('user', user) + side('assistant', assistant);
  const details = { time: at(timestamp, write), ...whence(metadata) };
  return item({ table: 'turns', id }, details, [userInput ?? '', assistantResponse ?? ''], sides);
}

/** An entry of long-term knowledge. */
export function entryItem({ key, value, updatedAt }: Entry, write: WriteTime): Item {
  return item({ table: 'longTerm', key }, { time: at(updatedAt, write) }, [said(value)], undefined, true);
}

function episodeItem({ id, timestamp, eventType, content, metadata }: Episode, write: WriteTime): Item {
  const details = { time: at(timestamp, write), type: clipped(eventType), ...whence(metadata) };
  const text = content === null ? '' : said(content);
  return item({ table: 'episodes', id }, details, [text], undefined, Boolean(escapeText(text) || eventType));
}

function factItem({ id, timestamp, category, content, metadata }: SemanticMemory, write: WriteTime): Item {
  const details = { time: at(timestamp, write), category: clipped(category), ...whence(metadata) };
  return item({ table: 'semantic', id }, details, [content ?? '']);
}

/** A row that was recalled. */
export function hitItem(hit: RecallHit, write: WriteTime): Item {
  switch (hit.table) {
    case 'turns':
      return turnItem(hit.row, write);
    case 'longTerm':
      return entryItem(hit.row, write);
    case 'episodes':
      return episodeItem(hit.row, write);
    case 'semantic':
      return factItem(hit.row, write);
    case 'uncertainty':
      return item({ table: hit.table, id: hit.id }, { time: at(hit.row.timestamp, write) }, [hit.text]);
  }
}
