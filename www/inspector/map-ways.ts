// Which point of the map the pointer or an arrow key selects.

/** A place in the frame, in pixels from its top left. */
export interface Place {
  x: number;
  y: number;
}

export type Direction = readonly [x: number, y: number];

/** How much more a pixel to the side counts than a pixel straight ahead. */
const ASIDE = 2;

/** The nearest place within reach; of several at the same spot, the last, which is drawn on top. */
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

/** The next place in a direction, preferring those straight ahead; undefined at the edge. */
export function towards<P extends Place>(places: readonly P[], from: P, [x, y]: Direction): P | undefined {
  let next: P | undefined;
  let least = Infinity;
  for (const place of places) {
    const [across, down] = [place.x - from.x, place.y - from.y];
    const ahead = across * x + down * y;
    // Places at exactly the same spot are skipped; Page Down reaches all.
    if (ahead <= 0) continue;
    const aside = Math.abs(across * y - down * x);
    const way = ahead + ASIDE * aside;
    if (way >= least) continue;
    next = place;
    least = way;
  }
  return next;
}
