import type { JsonValue } from '../package/index.js';

const UNITS: readonly [Intl.RelativeTimeFormatUnit, seconds: number][] = [
  ['year', 31_557_600],
  ['month', 2_629_800],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

/** `3 minutes ago`. */
export function relativeTime(time: Date, now = Date.now()): string {
  const seconds = (time.getTime() - now) / 1000;
  const unit = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  return unit ? relative.format(Math.round(seconds / unit[1]), unit[0]) : 'just now';
}

/** `42 minutes`, `3.5 hours`, `12.0 days`. */
export function age(hours: number): string {
  if (hours < 1) return plural(Math.round(hours * 60), 'minute');
  return hours < 48 ? `${hours.toFixed(1)} hours` : `${(hours / 24).toFixed(1)} days`;
}

/** `1 Jan 2026, 13:22`, in the reader's own time zone. */
export const absoluteTime = (time: Date): string => absolute.format(time);

const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** `13:22:07`, in the reader's own time zone. */
export const clockTime = (time: Date): string => clock.format(time);

/** `6.3 MB`. */
export function bytes(size: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const power = size < 1 ? 0 : Math.min(Math.floor(Math.log10(size) / 3), units.length - 1);
  const value = size / 1000 ** power;
  return `${value.toFixed(power === 0 || value >= 100 ? 0 : 1)} ${units[power]}`;
}

/** `340 ms`, `2.5 s`. */
export function duration(seconds: number): string {
  if (seconds < 0.001) return 'under 1 ms';
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(1)} s`;
}

/** `1 row`, `2 rows`; a word with an irregular plural is passed as `entry|entries`. */
export function plural(count: number, word: string): string {
  const [one, many = `${one}s`] = word.split('|') as [string, string?];
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`;
}

const list = new Intl.ListFormat('en', { type: 'conjunction' });

/** `one, two, and three`. */
export const listed = (words: readonly string[]): string => list.format(words);

const asJson = (value: JsonValue): string =>
  JSON.stringify(value, (_, part: JsonValue) => (typeof part === 'bigint' ? String(part) : part));

/** A JSON value in one line that a person can read: the members of an object side by side, strings without quotes. */
export function jsonInWords(value: JsonValue): string {
  if (typeof value === 'string') return value.replace(/\s+/g, ' ');
  if (Array.isArray(value)) return value.map((item) => jsonInWords(item)).join(', ');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([key, member]) => `${key}: ${nested(member) ? asJson(member) : jsonInWords(member)}`)
      .join(' · ');
  }
  return String(value);
}

/** The strings within a JSON value, which are the part of it that is searched. */
export const stringsIn = (value: JsonValue): string[] => {
  if (typeof value === 'string') return [value];
  return nested(value) ? Object.values(value as object).flatMap(stringsIn) : [];
};

const nested = (value: JsonValue): boolean => typeof value === 'object' && value !== null;

export const isEmptyJson = (value: JsonValue): boolean =>
  value === null || (nested(value) && Object.keys(value).length === 0);

/** The members of a JSON object; none if the value is something else, as it may be in another program's file. */
export function fieldsOf(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, JsonValue>>)
    : {};
}
