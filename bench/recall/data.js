// What is searched: vectors, questions and texts, made from a seed, the same in a page, in a worker and in Node.
//
// Embeddings of sentences lie near a few dozen dimensions of their hundreds, in clouds that are flatter still and run into
// each other. So each vector here is the centre of a cluster, plus a step along the axes of that cluster, plus a little
// noise in every dimension; and centres and axes are mixed from a few that all clusters share, so that a vector's nearest
// are often of other clusters than its own. (Clusters that stand apart make an index look better than it is: it has
// only to find the cluster.) The numbers were chosen by measuring, so that the local intrinsic dimension is near 24, as
// it is of real embeddings.

export const DIMENSIONS = 384;
const IN_A_CLUSTER = 500;
/** How many axes there are to mix from, and how many are mixed for each cluster. */
const SHARED = 48;
const AXES = 24;
/** How long these are, beside each other, before the sum is made 1 long. */
const CENTRE = 0.5;
const STEP = 1;
const NOISE = 0.47;

const STORED = 1;
const ASKED = 2;
const CENTRES = 3;
const WORDS = 4;

/** Numbers from 0 to below 1, from a seed: mulberry32. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The generator of the row with this number, whatever rows were made before it. */
const randomFor = (kind, number) => random(Math.imul(number + 1, 0x9e3779b1) ^ Math.imul(kind, 0x85ebca6b));

/** Normally distributed numbers, by Box and Muller: each pair of numbers gives a pair. */
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

/** Vectors of length 1 for a store of this size. The more of them, the more clusters: more subjects, not denser ones. */
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
    /** Those to be stored, one after the other. */
    stored: (from, count) => make(STORED, from, count),
    /** Those to be asked for: of the same kind, none of them stored. */
    asked: (count) => make(ASKED, 0, count),
  };
}

/** The maximum-likelihood estimate of the local intrinsic dimension, from the similarities of the nearest, best first. */
export function localDimension(similarities) {
  const distances = Array.from(similarities, (similarity) => Math.sqrt(2 - 2 * similarity));
  const farthest = distances.pop();
  return -distances.length / distances.reduce((sum, distance) => sum + Math.log(distance / farthest), 0);
}

const VOCABULARY = 20_000;
/** So many of the commonest words nobody asks for. */
const STOP_WORDS = 100;

/** Words as «bamelin»: the commoner the shorter, and none the beginning of another, so that all engines find the same. */
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

/** Texts of 8 to 20 words, distributed by Zipf's law, and questions of two words that stand together in one of them. */
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
