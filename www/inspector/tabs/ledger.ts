import type { Count, Written } from './messages.js';

/** What a count says of the writes. */
export interface Verdict {
  /** Numbers that were answered, or that others follow, and that no row has. */
  readonly missing: number;
  /** Rows that have the number of another. */
  readonly double: number;
}

/** The writes that the tabs were answered, kept apart from the memory, to check it by. */
export class Ledger {
  /** Those that no count had yet. */
  #unseen: Written[] = [];
  #answered = 0;

  /** How many were answered. */
  get answered(): number {
    return this.#answered;
  }

  add(written: Written): void {
    this.#answered++;
    this.#unseen.push(written);
  }

  check({ readAt, writers }: Count): Verdict {
    const found = new Map(writers.map((one) => [one.writer, one]));
    this.#unseen = this.#unseen.filter(({ writer, number }) => {
      const rows = found.get(writer);
      return !rows || number < rows.first || number > rows.last;
    });
    const lost = this.#unseen.filter(({ ended }) => ended < readAt).length;
    // Each tab waits for its calls in order, so a number that is there has all before it.
    const gaps = writers.reduce((sum, { first, last, numbers }) => sum + last - first + 1 - numbers, 0);
    const double = writers.reduce((sum, { rows, numbers }) => sum + rows - numbers, 0);
    return { missing: lost + gaps, double };
  }
}
