import type { Count, Written } from './messages.js';

/** The result of checking a count against the writes. */
export interface Verdict {
  /** Numbers that were answered, or are followed by others, but that no row has. */
  readonly missing: number;
  /** Rows that have the same number as another row. */
  readonly double: number;
}

/** The answered writes of the tabs, recorded outside the memory to check it against them. */
export class Ledger {
  /** The answered writes that no count has included yet. */
  #unseen: Written[] = [];
  #answered = 0;

  /** How many writes were answered. */
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
    // Each tab makes its writes in order, so if a number exists, all numbers before it must exist.
    const gaps = writers.reduce((sum, { first, last, numbers }) => sum + last - first + 1 - numbers, 0);
    const double = writers.reduce((sum, { rows, numbers }) => sum + rows - numbers, 0);
    return { missing: lost + gaps, double };
  }
}
