// Excerpts: the part of a long text that says most of the question, in whole sentences.

/** A text with more characters than this is long, and an excerpt of it is used. */
export const LONG = 2000;
/** The most characters of an excerpt. */
export const EXCERPT = 1000;

/**
 * Data within a text, such as an image in base64: long runs without a space. The engine leaves it out in the same way.
 */
const DATA = /(?:data:[\w+./-]+;base64,)?[A-Za-z0-9+/=_-]{60,}(?:\r?\n[A-Za-z0-9+/=_-]{1,})*/g;
const LEAST_DATA = 256;
const CUT = '…';
/** Of a text longer than two stretches of this many characters, only the best stretch is divided into sentences. */
const STRETCH = 20_000;

interface Sentence {
  readonly text: string;
  /** The indexes of the question's words that are in it. */
  readonly words: readonly number[];
}

/**
 * At most `most` characters of a text: the adjacent sentences that together have most of the question's words, with
 * rare words counting more; the first sentences if none has any. Data is left out. `…` marks where text is missing.
 */
export function excerpt(text: string, question: string, most: number): string {
  const whole = text.replace(DATA, (data) => (data.length < LEAST_DATA ? data : CUT)).trim();
  if (whole.length <= most) return whole;
  // Leaves room for `…` on both sides.
  const room = Math.max(1, most - 4);
  const stems = stemsOf(question);
  const plain = mainPart(whole, stems);
  const sentences = sentencesOf(plain, Math.max(20, Math.floor(room / 3))).map((text): Sentence => {
    const folded = fold(text);
    return { text, words: stems.flatMap((stem, at) => (folded.includes(stem) ? [at] : [])) };
  });
  const weights = stems.map((_, at) => {
    const having = sentences.filter(({ words }) => words.includes(at)).length;
    return having === 0 ? 0 : Math.log(1 + sentences.length / having);
  });
  const { from, to } = bestOf(sentences, weights, room);
  const chosen = sentences.slice(from, to).map(({ text }) => text);
  const part = chosen
    .join('')
    .trim()
    .slice(0, room)
    .toWellFormed()
    .replace(/\ufffd$/, '');
  const [isBegun, isEnded] = [whole.startsWith(plain) && from === 0, whole.endsWith(plain) && to === sentences.length];
  return `${isBegun ? '' : `${CUT} `}${part}${isEnded ? '' : ` ${CUT}`}`;
}

/** Of a very long text, the stretch that has most of the question's words: finding sentences takes time. */
function mainPart(text: string, stems: readonly string[]): string {
  if (text.length <= 2 * STRETCH) return text;
  let best = { part: text.slice(0, STRETCH), score: 0 };
  for (let from = 0; from < text.length; from += STRETCH) {
    // Extends into the next stretch, because what was asked may be at the border.
    const part = text.slice(from, from + STRETCH + EXCERPT);
    const folded = fold(part);
    const score = stems.filter((stem) => folded.includes(stem)).length;
    if (score > best.score) best = { part, score };
  }
  return best.part.toWellFormed();
}

/** The range of adjacent sentences that fit and have the highest score; if several do, the shortest and first. */
function bestOf(
  sentences: readonly Sentence[],
  weights: readonly number[],
  room: number,
): { from: number; to: number } {
  const counts = weights.map(() => 0);
  let [from, length, score] = [0, 0, 0];
  /**
   * Adds a sentence, or removes it, and updates the score by its words that were not counted before, or no longer are.
   */
  const add = ({ words, text }: Sentence, sign: 1 | -1) => {
    length += sign * text.length;
    for (const word of words) {
      const before = counts[word]!;
      counts[word] = before + sign;
      if (Math.min(before, before + sign) === 0) score += sign * weights[word]!;
    }
  };
  let best = { from: 0, to: 0, score: 0 };
  sentences.forEach((sentence, at) => {
    add(sentence, 1);
    while (length > room && from < at) add(sentences[from++]!, -1);
    if (score > best.score + 1e-9) best = { from, to: at + 1, score };
  });
  let { from: first, to: end } = best;
  const hasAll = (from: number) => {
    const words = new Set(sentences.slice(from, end).flatMap(({ words }) => words));
    return sentences[first]!.words.every((word) => words.has(word));
  };
  while (first + 1 < end && hasAll(first + 1)) first++;
  // Extends the range as far as there is room, alternating between what follows and what precedes.
  let left = room - sentences.slice(first, end).reduce((sum, { text }) => sum + text.length, 0);
  const fits = (at: number) => at >= 0 && at < sentences.length && sentences[at]!.text.length <= left;
  while (fits(end) || fits(first - 1)) {
    if (fits(end)) left -= sentences[end++]!.text.length;
    if (fits(first - 1)) left -= sentences[--first]!.text.length;
  }
  return { from: first, to: Math.max(end, first + 1) };
}

/**
 * The sentences of a text, in order and with the spaces after them. Longer sentences are cut into pieces between words.
 */
function sentencesOf(text: string, most: number): string[] {
  const sentences =
    typeof Intl.Segmenter === 'function'
      ? Array.from(new Intl.Segmenter(undefined, { granularity: 'sentence' }).segment(text), ({ segment }) => segment)
      : (text.match(/[^.!?。！？\n]*[.!?。！？\n]*\s*/g) ?? []).filter(Boolean);
  return sentences.flatMap((sentence) => {
    const pieces: string[] = [];
    let rest = sentence;
    while (rest.length > most) {
      const space = rest.lastIndexOf(' ', most);
      let end = space > most / 2 ? space + 1 : most;
      // Never splits a surrogate pair.
      if (/[\udc00-\udfff]/.test(rest.charAt(end))) end--;
      pieces.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    return [...pieces, rest];
  });
}

/** The words of a question without their endings; for a script without spaces, each pair of adjacent characters. */
function stemsOf(question: string): string[] {
  const words = fold(question).match(/[\p{L}\p{N}]+|\p{Extended_Pictographic}/gu) ?? [];
  const stems = words.flatMap((word) => {
    if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u.test(word)) {
      const letters = [...word];
      return letters.length < 2 ? letters : letters.slice(1).map((letter, at) => letters[at]! + letter);
    }
    return word.length < 6 ? [word] : [word.slice(0, Math.max(4, word.length - 3))];
  });
  return [...new Set(stems)];
}

/** A text in lower case, without accents and vowel signs. */
const fold = (text: string) => text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
