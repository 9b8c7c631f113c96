// Suggests a word for a mistyped one.

/** The edit distance: how many letters to add, remove, change, or swap with their neighbour. */
function distance(one: string, other: string): number {
  const rows = [Array.from({ length: other.length + 1 }, (_, at) => at)];
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const changed = rows[i - 1]![j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      const swapped = isSwapped ? rows[i - 2]![j - 2]! + 1 : Infinity;
      row.push(Math.min(changed, swapped, rows[i - 1]![j]! + 1, row[j - 1]! + 1));
    }
    rows.push(row);
  }
  return rows[one.length]![other.length]!;
}

/** ` Did you mean "--keep"?`, or nothing if no name is near. */
export function didYouMean(word: string, names: readonly string[], shown = (name: string) => name): string {
  const found = names
    .map((name) => ({ name, far: name.startsWith(word) && word.length > 1 ? 0 : distance(word.toLowerCase(), name) }))
    .filter(({ name, far }) => far <= Math.max(1, Math.floor(name.length / 3)))
    .sort((one, other) => one.far - other.far)[0];
  return found ? ` Did you mean "${shown(found.name)}"?` : '';
}
