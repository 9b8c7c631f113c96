// Medians, ratios within one run, and Markdown tables.

const sorted = (values) => values.toSorted((a, b) => a - b);
export const quantile = (values, share) =>
  sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))];

export const median = (values) => quantile(values, 0.5);

/** The ratios of two sides that were measured alternately, pair by pair. */
export const ratios = (over, under) => over.map((value, at) => value / under[at]);

export const medianOfPairs = (over, under) => median(ratios(over, under));

/** The quartiles, such as `0.98–1.03`. */
export const spread = (values) => `${quantile(values, 0.25).toFixed(2)}–${quantile(values, 0.75).toFixed(2)}`;

/** A number with its significant digits; an empty text for null. */
export function number(value) {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  const digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
}

/** A Markdown table. The first row is its head. */
export function table([head, ...rows]) {
  const line = (cells) => `| ${cells.map(number).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
