// Which point of the map is meant: by where the pointer is, or by where an arrow key leads.

/** Where something is in the frame, in pixels from its top left. */
export interface Place {
  x: number;
  y: number;
}

export type Direction = readonly [x: number, y: number];

/** How much more a pixel to the side counts than one straight on. */
const ASIDE = 2;

/** The place nearest to another one, within reach; of several at one spot the last, which is drawn on top. */
export function nearestTo<P extends Place>(places: readonly P[], { x, y }: Place, reach: number): P | undefined {
  let nearest: P | undefined;
  let least = reach;
  for (const place of places) {
    const distance = Math.hypot(place.x - x, place.y - y);
    if (distance > least) continue;
    nearest = place;
    least = distance;
  }
  return nearest;
}

/** The next place in a direction, rather straight on than to the side; undefined at the edge. */
export function towards<P extends Place>(places: readonly P[], from: P, [x, y]: Direction): P | undefined {
  let next: P | undefined;
  let least = Infinity;
  for (const place of places) {
    const [across, down] = [place.x - from.x, place.y - from.y];
    const ahead = across * x + down * y;
    // Those at the very same spot are left out here; Page Down comes by all.
    if (ahead <= 0) continue;
    const aside = Math.abs(across * y - down * x);
    const way = ahead + ASIDE * aside;
    if (way >= least) continue;
    next = place;
    least = way;
  }
  return next;
}
