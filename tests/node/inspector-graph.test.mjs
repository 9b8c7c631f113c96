// Follows the lines of the inspector's graph from dot to dot: they must match the links between the revisions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { at } from '../../scripts/process.mjs';

const { layOut } = await import(pathToFileURL(at('target', 'site', 'inspector', 'graph.js')));

/** Pseudo-random numbers, the same in every run. */
function dice(seed) {
  return (sides) => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return Math.floor((seed / 2 ** 32) * sides);
  };
}

/** Revisions, newest first. Each builds and depends on some of the older ones. */
function randomHistory(roll) {
  const ids = Array.from({ length: 1 + roll(12) }, (_, index) => `r${index}`);
  const some = (of, most) => [
    ...new Set(Array.from({ length: of.length && roll(most + 1) }, () => of[roll(of.length)])),
  ];
  const applied = roll(ids.length + 1);
  return ids
    .map((id, index) => {
      const revises = some(ids.slice(0, index), 3);
      const others = ids.slice(0, index).filter((old) => !revises.includes(old));
      return { id, revises, dependsOn: some(others, 2), isApplied: index < applied };
    })
    .toReversed();
}

/** The links that a reader finds by following each line downwards, as `from kind to`. */
function follow(rows) {
  const seen = [];
  /** By lane: the kind of its line, and the revisions that the line comes from. */
  let open = new Map();
  for (const { revision, lane, above, below, past } of rows) {
    const kind = ({ isDependency }) => (isDependency ? 'depends on' : 'builds on');
    assert.deepEqual(
      [...above, ...past].map((thread) => thread.lane).toSorted(),
      [...open.keys()].toSorted(),
      'every line goes on or ends, and none comes from nowhere',
    );
    assert.ok(
      past.every((thread) => thread.lane !== lane),
      'no line runs through the dot of another',
    );
    for (const thread of above) {
      const line = open.get(thread.lane);
      assert.equal(kind(thread), line.kind);
      for (const from of line.from) seen.push(`${from} ${line.kind} ${revision.id}`);
    }
    open = new Map(past.map((thread) => [thread.lane, open.get(thread.lane)]));
    for (const thread of below) {
      const line = open.get(thread.lane) ?? { kind: kind(thread), from: [] };
      assert.equal(line.kind, kind(thread), 'no two kinds of line share a lane');
      open.set(thread.lane, { ...line, from: [...line.from, revision.id] });
    }
  }
  assert.equal(open.size, 0, 'no line hangs loose');
  return seen.toSorted();
}

test('each line leads from a revision to one that it builds or depends on, and there are no other lines', () => {
  const roll = dice(3);
  for (let round = 0; round < 500; round++) {
    const history = randomHistory(roll);
    const { rows, lanes } = layOut(history);
    const meant = history.flatMap(({ id, revises, dependsOn }) => [
      ...revises.map((old) => `${id} builds on ${old}`),
      ...dependsOn.map((old) => `${id} depends on ${old}`),
    ]);
    assert.deepEqual(follow(rows), meant.toSorted(), JSON.stringify(history));
    const used = rows.flatMap((row) => [row.lane, ...[...row.below, ...row.past].map(({ lane }) => lane)]);
    assert.equal(lanes, Math.max(...used) + 1);
  }
});

test('a line of revisions is one lane, whatever its length', () => {
  const history = ['c', 'b', 'a'].map((id, at, all) => ({ id, revises: all.slice(at + 1, at + 2), dependsOn: [] }));
  assert.equal(layOut(history).lanes, 1);
});
