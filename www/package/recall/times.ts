// Writes times into a prompt: by default in the time zone of the page, because it is the user's day that counts.
import { invalidArgument, MemoryError } from '../wire/errors.js';
import type { WriteTime } from './marks.js';

/** How times are written. */
export interface TimeOptions {
  /**
   * The time zone of the times, by its IANA name such as `Europe/Oslo`, or `UTC`; by default that of the page. Each
   * time has its offset from UTC, such as `2026-03-04T06:06:07+01:00`.
   */
  readonly timeZone?: string | undefined;
  /** Writes a time in another way, such as `(time) => time.toLocaleString('nb', { timeZone })`. */
  readonly formatTime?: ((time: Date) => string) | undefined;
}

const DAY = ['year', 'month', 'day'] as const;
const CLOCK = ['hour', 'minute', 'second'] as const;

/** Returns a function that writes times as these options say. */
export function timesBy({ timeZone, formatTime }: TimeOptions): WriteTime {
  if (formatTime !== undefined) {
    if (typeof formatTime !== 'function') throw invalidArgument('formatTime must be a function of a Date.');
    return (time) => {
      const text = formatTime(new Date(time));
      if (typeof text === 'string') return text;
      throw invalidArgument(`formatTime returned ${String(text)}; it must return a string.`);
    };
  }
  let format: Intl.DateTimeFormat;
  try {
    const numbers = { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' } as const;
    const zone = { timeZone, timeZoneName: 'longOffset', hourCycle: 'h23', second: '2-digit' } as const;
    format = new Intl.DateTimeFormat('en-US', { calendar: 'gregory', ...numbers, ...zone });
  } catch (cause) {
    throw new MemoryError(
      'invalid_argument',
      `There is no time zone ${JSON.stringify(timeZone)}.`,
      'Use an IANA name such as Europe/Oslo, or UTC.',
      cause,
    );
  }
  return (time) => {
    // A year before 1 or after 9998 is written in ISO's own form.
    const year = time.getUTCFullYear();
    if (year < 1 || year > 9998) return time.toISOString().replace(/\.\d+Z$/, 'Z');
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, value]));
    const [day, clock] = [DAY, CLOCK].map((names) => names.map((name) => parts.get(name) ?? ''));
    const offset = (parts.get('timeZoneName') ?? '').replace(/^GMT(?:\+00:00)?/, '') || 'Z';
    return `${day!.join('-').padStart(10, '0')}T${clock!.join(':')}${offset}`;
  };
}
