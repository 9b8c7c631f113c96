// The data: vectors, questions and texts, generated from a seed, the same in a page, in a worker and in Node.
//
// Embeddings of sentences have hundreds of dimensions, but lie near a few dozen of them, in overlapping clouds that are
// flatter still. So each vector here is the centre of a cluster, plus a step along the axes of that cluster, plus a
// little noise in every dimension. Centres and axes are mixed from a few that all clusters share, so that the nearest
// neighbours of a vector are often in other clusters. (Separate clusters make an index look better than it is, because
// it only has to find the cluster.) The numbers were chosen by measurement, so that the local intrinsic dimension is
// near 24, as in real embeddings.

export const DIMENSIONS = 384;
const IN_A_CLUSTER = 500;
/** The number of shared axes, and the number of axes mixed from them for each cluster. */
const SHARED = 48;
const AXES = 24;
/** The relative lengths of the three parts, before their sum is normalised to length 1. */
const CENTRE = 0.5;
const STEP = 1;
const NOISE = 0.47;

const STORED = 1;
const ASKED = 2;
const CENTRES = 3;
const WORDS = 4;

/** Pseudo-random numbers from 0 to below 1, from a seed: mulberry32. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The generator of the row with this number. It does not depend on the rows before. */
const randomFor = (kind, number) => random(Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(kind, 0x85ebca6b));

/** Normally distributed numbers, by the Box-Muller transform: each pair of uniform numbers makes a pair. */
function normal(uniform) {
  let spare;
  return () => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    const length = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = length * Math.sin(angle);
    return length * Math.cos(angle);
  };
}

/** Vectors of length 1 for a store of this size. More vectors have more clusters (subjects), not denser ones. */
export function vectorsFor(size) {
  const clusters = Math.max(1, Math.round(size / IN_A_CLUSTER));
  const next = normal(randomFor(CENTRES, 0));
  const shared = Float32Array.from({ length: SHARED * DIMENSIONS }, () => next() / Math.sqrt(DIMENSIONS));
  function mixed(count, length) {
    const rows = new Float32Array(count * DIMENSIONS);
    for (let begin = 0; begin < rows.length; begin += DIMENSIONS) {
      for (let from = 0; from < shared.length; from += DIMENSIONS) {
        const part = (next() * length) / Math.sqrt(SHARED);
        for (let i = 0; i < DIMENSIONS; i++) rows[begin + i] += part * shared[from + i];
      }
    }
    return rows;
  }
  const centres = mixed(clusters, CENTRE);
  const axes = mixed(clusters * AXES, STEP / Math.sqrt(AXES));
  const row = new Float64Array(DIMENSIONS);

  function fill(kind, number, into) {
    const uniform = randomFor(kind, number);
    const step = normal(uniform);
    const cluster = Math.floor(uniform() * clusters);
    for (let i = 0; i < DIMENSIONS; i++)
      row[i] = centres[cluster * DIMENSIONS + i] + (step() * NOISE) / Math.sqrt(DIMENSIONS);
    for (let axis = 0; axis < AXES; axis++) {
      const along = step();
      const begin = (cluster * AXES + axis) * DIMENSIONS;
      for (let i = 0; i < DIMENSIONS; i++) row[i] += along * axes[begin + i];
    }
    let squares = 0;
    for (let i = 0; i < DIMENSIONS; i++) squares += row[i] * row[i];
    const length = Math.sqrt(squares);
    for (let i = 0; i < DIMENSIONS; i++) into[i] = row[i] / length;
  }

  const make = (kind, from, count) => {
    const made = new Float32Array(count * DIMENSIONS);
    for (let at = 0; at < count; at++) fill(kind, from + at, made.subarray(at * DIMENSIONS, (at + 1) * DIMENSIONS));
    return made;
  };
  return {
    /** The vectors to store, in order. */
    stored: (from, count) => make(STORED, from, count),
    /** The vectors to search with: of the same kind, but none of them is stored. */
    asked: (count) => make(ASKED, 0, count),
  };
}

/** The maximum-likelihood estimate of the local intrinsic dimension, from the nearest similarities, best first. */
export function localDimension(similarities) {
  const distances = Array.from(similarities, (similarity) => Math.sqrt(2 - 2 * similarity));
  const farthest = distances.pop();
  return -distances.length / distances.reduce((sum, distance) => sum + Math.log(distance / farthest), 0);
}

const VOCABULARY = 20_000;
/** The number of commonest words that no question contains. */
const STOP_WORDS = 100;

/** Words such as "bamelin". Common ones are shorter. None is a prefix of another, so that all engines find the same. */
function makeWords() {
  const uniform = randomFor(WORDS, 0);
  const one = (letters) => letters[Math.floor(uniform() * letters.length)];
  const words = new Set();
  while (words.size < VOCABULARY) {
    let word = '';
    for (let syllables = words.size < 200 ? 1 : words.size < 4000 ? 2 : 3; syllables > 0; syllables--)
      word += one('bcdfgklmpvz') + one('aeiou');
    words.add(word + one('nrst'));
  }
  return [...words];
}

/** Texts of 8 to 20 words, distributed by Zipf's law, and questions of two words that occur in the same text. */
export function makeTexts() {
  const words = makeWords();
  const shares = words.map((_, rank) => 1 / (rank + 1));
  let sum = 0;
  const upTo = Float64Array.from(shares, (share) => (sum += share));

  function rank(uniform) {
    const wanted = uniform() * sum;
    let [from, to] = [0, VOCABULARY - 1];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (upTo[middle] < wanted) from = middle + 1;
      else to = middle;
    }
    return from;
  }
  function ranks(number) {
    const uniform = randomFor(WORDS, number + 1);
    return Array.from({ length: 8 + Math.floor(uniform() * 13) }, () => rank(uniform));
  }
  return {
    stored: (from, count) =>
      Array.from({ length: count }, (_, at) =>
        ranks(from + at)
          .map((rank) => words[rank])
          .join(' '),
      ),
    asked(size, count) {
      const uniform = randomFor(ASKED, 0);
      const questions = [];
      while (questions.length < count) {
        const rare = [...new Set(ranks(Math.floor(uniform() * size)))].filter((rank) => rank >= STOP_WORDS);
        if (rare.length < 2) continue;
        const [first] = rare.splice(Math.floor(uniform() * rare.length), 1);
        questions.push([words[first], words[rare[Math.floor(uniform() * rare.length)]]]);
      }
      return questions;
    },
  };
}
