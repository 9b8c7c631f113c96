// How rows are written into a prompt: each between marks that no stored text can write.
//
// A mark begins with `<` and ends with `>`. Neither is ever left in what was stored, nor is anything that looks like one of them
// or that Unicode's normal forms make one of them, so there is nothing that closes, splits or forges a mark. What replaces them
// can be read: `&lt;`, or `&#x203a;`.
import { excerpt } from './excerpt.js';
import { encodeJson, type JsonValue } from '../wire/json.js';
import type { MemoryReference } from '../wasm/synth_memory.js';
import type { RecallHit } from './questions.js';
import type { Entry, Episode, SemanticMemory, Turn } from '../wire/rows.js';

/** A row as a context has it. */
export interface Item {
  readonly reference: MemoryReference;
  /** The row between its marks, on one line; empty if it has no text. */
  readonly text: string;
  /** How many characters its texts have. */
  readonly length: number;
  /** The same row with an excerpt of at most so many characters of its texts, which says that it is one. */
  shortened(question: string, most: number): Item;
}

/** What begins with `<` or ends with `>` to a reader, although it is another character: quotes, brackets and letters. */
const ANGLES =
  '\\u02c2\\u02c3\\u1433\\u1438\\u16b2\\u2039\\u203a\\u226e\\u226f\\u2329\\u232a\\u276c-\\u2771\\u27e8\\u27e9\\u29fc\\u29fd' +
  '\\u3008\\u3009\\ufe3f\\ufe40\\ufe64\\ufe65\\uff1c\\uff1e\\u{16f3f}\\u{1d236}\\u{1d237}';
/** What is read as `&`, so that what replaced a character is not mistaken for one that was stored. */
const AMPERSANDS = '&\\ufe60\\uff06';
/** What reorders a line, or is not shown at all and may yet be read: directions, and the invisible copy of ASCII. */
const INVISIBLE = '\\u202a-\\u202e\\u2066-\\u2069\\u{e0000}-\\u{e007f}';

const IN_TEXTS = new RegExp(`[<>${ANGLES}${AMPERSANDS}${INVISIBLE}]|^\\p{M}`, 'gu');
/** Within quotes, whatever is neither a letter, a number nor harmless. */
const IN_QUOTES = new RegExp(`[^\\p{L}\\p{M}\\p{N} ._:/@+,()#-]|[${ANGLES}]|^\\p{M}`, 'gu');
/** What becomes one space, line breaks among it: what is stored never begins a line. */
const SPACES = /[\s\p{Cc}]{2,}|(?! )[\s\p{Cc}]/gu;
/** The most characters of what is within quotes, but for keys, by which a row is known. */
const LONGEST_QUOTED = 200;

const onOneLine = (text: string) => text.replace(SPACES, ' ').trim();

const NAMED: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;' };
const replaced = (character: string) => NAMED[character] ?? `&#x${character.codePointAt(0)!.toString(16)};`;

/** A stored text as it may stand between marks: on one line, without anything that is or looks like a mark. */
export function escapeText(text: string): string {
  return onOneLine(text).replace(IN_TEXTS, replaced);
}

/** The same within quotes, with every space as it is. */
const escapeQuoted = (text: string) => text.replace(IN_QUOTES, replaced);

/** What a mark says of its row beside which one it is, in this order. Only what there is. */
type Details = Readonly<Record<string, string | undefined>>;

function mark(reference: MemoryReference, details: Details, text: string): string {
  const { table } = reference;
  // A key is written exactly as it is, for it is by its key that the row is known.
  const known = 'key' in reference ? ` key="${escapeQuoted(reference.key)}"` : ` id="${reference.id}"`;
  const quoted = Object.entries(details)
    .map(([name, value]) => [name, escapeQuoted(onOneLine(value ?? ''))])
    .filter(([, value]) => value !== '')
    .map(([name, value]) => ` ${name}="${value}"`);
  return `<${table}${known}${quoted.join('')}>${text}</${table}>`;
}

/** Under which names apps keep which conversation a row is from, and where it is from. */
const SESSIONS = ['thread', 'session', 'conversation'].flatMap((name) => [name, `${name}Id`, `${name}_id`]);
const SOURCES = ['source', 'origin', 'url'];

/** What of these names is set first, if it is a text or a number. */
function firstOf(metadata: JsonValue | undefined, names: readonly string[]): string | undefined {
  if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) return undefined;
  const fields = metadata as { readonly [name: string]: JsonValue };
  const values = names.map((name) => (Object.hasOwn(fields, name) ? fields[name] : undefined));
  const found = values.find((value) => (typeof value === 'string' && value !== '') || typeof value === 'number');
  return found === undefined ? undefined : clipped(String(found));
}

function clipped(text: string | null | undefined): string | undefined {
  if (text === null || text === undefined || text.length <= LONGEST_QUOTED) return text ?? undefined;
  // Not in the middle of a character.
  return `${text
    .slice(0, LONGEST_QUOTED)
    .toWellFormed()
    .replace(/\ufffd$/, '')}...`;
}

const whence = (metadata: JsonValue | undefined) => ({
  session: firstOf(metadata, SESSIONS),
  source: firstOf(metadata, SOURCES),
});
/** How the time of a row is written. */
export type WriteTime = (time: Date) => string;

/** A time, where there is one. */
const at = (date: Date | null | undefined, write: WriteTime) =>
  date && !Number.isNaN(date.getTime()) ? write(date) : undefined;
const said = (value: JsonValue): string => (typeof value === 'string' ? value : encodeJson(value, 'value'));

/** A row with these texts, which `write` puts between its marks, escaped already. */
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
      // What a short one of several leaves is the others'.
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
