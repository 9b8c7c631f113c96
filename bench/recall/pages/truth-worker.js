// Finds the right answers: compares every stored vector with every question, in float32, in a plain loop.
import { DIMENSIONS, localDimension, vectorsFor } from '../data.js';
import { answer } from './hop.js';

const CHUNK = 2000;
/** The number of nearest neighbours from which the local dimension is estimated. */
const NEIGHBOURS = 100;

/** The best answers to one question so far, best first. */
function makeList() {
  const ids = new Int32Array(NEIGHBOURS);
  const scores = new Float32Array(NEIGHBOURS).fill(-Infinity);
  return {
    ids,
    scores,
    offer(id, score) {
      let at = NEIGHBOURS - 1;
      if (score <= scores[at]) return;
      for (; at > 0 && scores[at - 1] < score; at--) {
        scores[at] = scores[at - 1];
        ids[at] = ids[at - 1];
      }
      scores[at] = score;
      ids[at] = id;
    },
  };
}

function similarity(a, fromA, b, fromB) {
  let sum = 0;
  for (let i = 0; i < DIMENSIONS; i++) sum += a[fromA + i] * b[fromB + i];
  return sum;
}

answer({
  /** The ids and similarities of each question's nearest, and the mean and median of the local dimensions. */
  find(size, count) {
    const vectors = vectorsFor(size);
    const asked = vectors.asked(count);
    const lists = Array.from({ length: count }, makeList);
    for (let from = 0; from < size; from += CHUNK) {
      const rows = Math.min(CHUNK, size - from);
      const stored = vectors.stored(from, rows);
      for (let question = 0; question < count; question++) {
        const list = lists[question];
        for (let row = 0; row < rows; row++)
          list.offer(from + row + 1, similarity(asked, question * DIMENSIONS, stored, row * DIMENSIONS));
      }
    }
    const dimensions = lists.map(({ scores }) => localDimension(scores)).sort((a, b) => a - b);
    return {
      nearest: lists.map(({ ids, scores }) => ({ ids: [...ids], scores: [...scores] })),
      dimension: {
        mean: dimensions.reduce((sum, value) => sum + value, 0) / count,
        median: dimensions[count >> 1],
      },
    };
  },
});
