// Checks the answers, and summarises the times.
import { makeTexts } from './data.js';

/** Sums of float32 numbers in another order differ by up to this. Rows with scores that close are equally right. */
const SAME = 1e-6;

/** The share of the right answers that was found. `truth` holds the 100 nearest of each question. */
export function recall(answers, truth, k = 10) {
  const found = answers.map((answer, question) => {
    const { ids, scores } = truth[question];
    const enough = scores[k - 1] - SAME;
    const right = new Set(ids.filter((_, at) => scores[at] >= enough));
    return new Set(answer.filter((id) => right.has(id))).size;
  });
  return found.reduce((sum, count) => sum + Math.min(count, k), 0) / (k * answers.length);
}

/**
 * Reports wrong answers to questions of words: rows without the words, or too few rows. An engine that also finds words
 * with other `endings` may return rows that have neither word.
 */
export function checkTexts(asked, size, count, k, endings) {
  const made = makeTexts();
  const questions = made.asked(size, count);
  const rows = new Map(questions.flat().map((word) => [word, new Set()]));
  for (const [at, text] of made.stored(0, size).entries())
    for (const word of text.split(' ')) rows.get(word)?.add(at + 1);
  return asked.flatMap(({ label, answers }) => {
    const wrong = answers.filter((answer, question) => {
      const [one, other] = questions[question].map((word) => rows.get(word));
      const right = label === 'all' ? new Set([...one].filter((id) => other.has(id))) : new Set([...one, ...other]);
      const enough = new Set(answer).size >= Math.min(k, right.size);
      return !enough || !((label === 'any' && endings) || answer.every((id) => right.has(id)));
    });
    return wrong.length === 0 ? [] : [`${wrong.length} answers of ${count} to questions for ${label} of the words.`];
  });
}

export function summary(times) {
  const sorted = times.toSorted((a, b) => a - b);
  return {
    p50: sorted[Math.floor(sorted.length * 0.5)],
    p95: sorted[Math.floor(sorted.length * 0.95)],
    mean: times.reduce((sum, time) => sum + time, 0) / times.length,
  };
}
