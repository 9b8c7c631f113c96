import type { RevisionInfo } from '../package/index.js';
import { svg } from './dom.js';

/** A line in one lane of the graph: to a revision that is revised, or, dashed, to one that is depended on. */
export interface Thread {
  readonly lane: number;
  readonly isDependency: boolean;
  /** Whether the revision that the line comes from is applied. */
  readonly isApplied: boolean;
}

/** One revision with the lines around it, as a row of the graph. */
export interface GraphRow {
  readonly revision: RevisionInfo;
  readonly lane: number;
  /** The lines that end here, from above. */
  readonly above: readonly Thread[];
  /** The lines that begin here, downwards. */
  readonly below: readonly Thread[];
  /** The lines of other revisions that pass this row. */
  readonly past: readonly Thread[];
}

interface Waiting {
  readonly id: string;
  readonly isDependency: boolean;
  readonly isApplied: boolean;
}

/** Lays out revisions, newest first, in as few lanes as their lines need. */
export function layOut(revisions: readonly RevisionInfo[]): { rows: GraphRow[]; lanes: number } {
  const known = new Set(revisions.map(({ id }) => id));
  // The revision that each lane leads to; undefined if the lane is free.
  const lanes: (Waiting | undefined)[] = [];
  const free = () => {
    const hole = lanes.indexOf(undefined);
    return hole < 0 ? lanes.push(undefined) - 1 : hole;
  };
  const threads = () => lanes.flatMap((waiting, lane) => (waiting ? [{ ...waiting, lane }] : []));

  const rows = revisions.map((revision) => {
    const above = threads().filter(({ id }) => id === revision.id);
    for (const { lane } of above) lanes[lane] = undefined;
    const lane = above[0]?.lane ?? free();
    const past = threads();
    const olds = [
      ...revision.revises.map((id) => ({ id, isDependency: false })),
      ...revision.dependsOn.map((id) => ({ id, isDependency: true })),
    ];
    const below = olds
      .filter(({ id }) => known.has(id))
      .map((old) => {
        const waiting = { ...old, isApplied: revision.isApplied };
        const shared = lanes.findIndex((other) => other && same(other, waiting));
        const to = shared >= 0 ? shared : lanes[lane] ? free() : lane;
        lanes[to] = waiting;
        return { ...waiting, lane: to };
      });
    return { revision, lane, above, below, past };
  });
  return { rows, lanes: Math.max(1, lanes.length) };
}

const same = (one: Waiting, other: Waiting): boolean =>
  one.id === other.id && one.isDependency === other.isDependency && one.isApplied === other.isApplied;

const LANE = 18;
/** The y of the dot, and the y from which the lines run straight in their lanes, however high the row is. */
const DOT = 22;
const STRAIGHT = 44;

const x = (lane: number): number => LANE / 2 + 2 + lane * LANE;

/** Draws a row. Everything it shows is also in the row's text. */
export function drawRow({ revision, lane, above, below, past }: GraphRow, lanes: number): SVGElement {
  const { isApplied, isCurrent } = revision;
  const at = x(lane);
  const curve = (from: number, top: number, to: number, bottom: number) =>
    `M ${from} ${top} C ${from} ${bottom} ${to} ${top} ${to} ${bottom}`;
  const drawing = svg('svg', { class: 'graph', width: x(lanes - 1) + LANE / 2 + 2, 'aria-hidden': 'true' });
  drawing.append(
    ...past.map((thread) => line(thread, x(thread.lane), 0, '100%')),
    ...above.map((thread) => svg('path', { class: threadClass(thread), d: curve(x(thread.lane), 0, at, DOT) })),
    ...below.flatMap((thread) => [
      svg('path', { class: threadClass(thread), d: curve(at, DOT, x(thread.lane), STRAIGHT) }),
      line(thread, x(thread.lane), STRAIGHT, '100%'),
    ]),
  );
  if (isCurrent) drawing.append(svg('circle', { class: 'ring', cx: at, cy: DOT, r: 8.5 }));
  drawing.append(svg('circle', { class: isApplied ? 'dot dot-applied' : 'dot', cx: at, cy: DOT, r: 5 }));
  return drawing;
}

const line = (thread: Thread, lane: number, top: number, bottom: string): SVGElement =>
  svg('line', { class: threadClass(thread), x1: lane, x2: lane, y1: top, y2: bottom });

const threadClass = ({ isDependency, isApplied }: Thread): string =>
  ['thread', isDependency && 'thread-dependency', isApplied && 'thread-applied'].filter(Boolean).join(' ');
