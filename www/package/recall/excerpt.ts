// The part of a long text that says most of what was asked, in whole sentences.

/** From how many characters on a text is long: of a longer one, an excerpt is used. */
export const LONG = 2000;
/** How many characters an excerpt has at most. */
export const EXCERPT = 1000;

/** Data that stands in a text, as an image in base64 does: long lines without a gap. The engine leaves it out likewise. */
const DATA = /(?:data:[\w+./-]+;base64,)?[A-Za-z0-9+/=_-]{60,}(?:\r?\n[A-Za-z0-9+/=_-]{1,})*/g;
const LEAST_DATA = 256;
const CUT = '…';
/** Of a text that is longer than two of these, in characters, only the best one is looked at closely. */
const STRETCH = 20_000;

interface Sentence {
  readonly text: string;
  /** Which of the question's words are in it, by number. */
  readonly words: readonly number[];
}

/**
 * At most `most` characters of a text: neighboring sentences that have most of the question's words between them, rare ones counting
 * for more; the first where none has any. Data is left out. `…` stands where something is missing.
 */
export function excerpt(text: string, question: string, most: number): string {
  const whole = text.replace(DATA, (data) => (data.length < LEAST_DATA ? data : CUT)).trim();
  if (whole.length <= most) return whole;
  // Room for a mark on either side.
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

/** Of a very long text, the stretch that has the most of the words: to find sentences takes its time. */
function mainPart(text: string, stems: readonly string[]): string {
  if (text.length <= 2 * STRETCH) return text;
  let best = { part: text.slice(0, STRETCH), score: 0 };
  for (let from = 0; from < text.length; from += STRETCH) {
    // Somewhat into the next one, for what is asked may stand at a border.
    const part = text.slice(from, from + STRETCH + EXCERPT);
    const folded = fold(part);
    const score = stems.filter((stem) => folded.includes(stem)).length;
    if (score > best.score) best = { part, score };
  }
  return best.part.toWellFormed();
}

/** The sentences that follow each other and have most, as many as fit; of those that have as much, the shortest and first. */
function bestOf(
  sentences: readonly Sentence[],
  weights: readonly number[],
  room: number,
): { from: number; to: number } {
  const counts = weights.map(() => 0);
  let [from, length, score] = [0, 0, 0];
  /** Counts a sentence in or out, and what those of its words weigh that came first, or went last. */
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
  // What is around it, as far as there is room: by turns what follows and what comes before.
  let left = room - sentences.slice(first, end).reduce((sum, { text }) => sum + text.length, 0);
  const fits = (at: number) => at >= 0 && at < sentences.length && sentences[at]!.text.length <= left;
  while (fits(end) || fits(first - 1)) {
    if (fits(end)) left -= sentences[end++]!.text.length;
    if (fits(first - 1)) left -= sentences[--first]!.text.length;
  }
  return { from: first, to: Math.max(end, first + 1) };
}

/** The sentences of a text, in their order and with the spaces behind them; longer ones in pieces, cut between words. */
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
      // Not in the middle of a character.
      if (/[\udc00-\udfff]/.test(rest.charAt(end))) end--;
      pieces.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    return [...pieces, rest];
  });
}

/** The words of a question, each without its ending; of a script without spaces, each pair of characters. */
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
