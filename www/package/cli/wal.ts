// Reads SQLite's write-ahead log: the commits that are not in the database file yet.
//
// The format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log. All numbers are big-endian. The checksums
// are over words in the byte order that the magic number indicates.

const HEADER = 32;
const FRAME_HEADER = 24;
const MAGIC = 0x377f0682;
const VERSION = 3007000;

type Sums = readonly [number, number];

/** SQLite's checksum of these bytes, continued from the previous one. */
function checksum(view: DataView, start: number, end: number, littleEndian: boolean, [one, two]: Sums): Sums {
  for (let at = start; at < end; at += 8) {
    one = (one + view.getUint32(at, littleEndian) + two) >>> 0;
    two = (two + view.getUint32(at + 4, littleEndian) + one) >>> 0;
  }
  return [one, two];
}

/** The pages of a log up to its last commit. */
interface Committed {
  readonly pageSize: number;
  /** How many pages the database has after that commit. */
  readonly pages: number;
  /** The position in the log of each page's newest version, by page number. Page numbers begin with 1. */
  readonly places: ReadonlyMap<number, number>;
}

/** The commits of a log; undefined if none in it is complete. As in SQLite, a log ends at its first invalid frame. */
export function committed(log: Uint8Array): Committed | undefined {
  if (log.length < HEADER) return undefined;
  const view = new DataView(log.buffer, log.byteOffset, log.byteLength);
  const word = (at: number) => view.getUint32(at);
  const magic = word(0);
  const pageSize = word(8);
  if ((magic & ~1) !== MAGIC || word(4) !== VERSION) return undefined;
  if (pageSize < 512 || pageSize > 65536 || (pageSize & (pageSize - 1)) !== 0) return undefined;
  const littleEndian = magic === MAGIC;
  const matches = ([one, two]: Sums, at: number) => word(at) === one && word(at + 4) === two;
  let sums = checksum(view, 0, 24, littleEndian, [0, 0]);
  if (!matches(sums, 24)) return undefined;

  const salts = [word(16), word(20)];
  const places = new Map<number, number>();
  const waiting = new Map<number, number>();
  let pages = 0;
  for (let at = HEADER; at + FRAME_HEADER + pageSize <= log.length; at += FRAME_HEADER + pageSize) {
    const page = word(at);
    // Other salts are those of an earlier log in the same file.
    if (page === 0 || word(at + 8) !== salts[0] || word(at + 12) !== salts[1]) break;
    sums = checksum(view, at, at + 8, littleEndian, sums);
    sums = checksum(view, at + FRAME_HEADER, at + FRAME_HEADER + pageSize, littleEndian, sums);
    if (!matches(sums, at + 16)) break;
    waiting.set(page, at + FRAME_HEADER);
    const after = word(at + 4);
    if (after === 0) continue;
    for (const [number, place] of waiting) places.set(number, place);
    waiting.clear();
    pages = after;
  }
  return pages === 0 ? undefined : { pageSize, pages, places };
}

/** The database with the commits of its log; `file` itself if the log holds none. */
export function withLog(file: Uint8Array, log: Uint8Array): Uint8Array {
  const found = committed(log);
  if (!found) return file;
  const { pageSize, pages, places } = found;
  const whole = new Uint8Array(pages * pageSize);
  whole.set(file.subarray(0, whole.length));
  for (const [page, place] of places)
    if (page <= pages) whole.set(log.subarray(place, place + pageSize), (page - 1) * pageSize);
  return whole;
}
