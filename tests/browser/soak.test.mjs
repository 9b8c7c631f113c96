// A few rounds of the soak test of many tabs (`npm run test:tabs` runs all of them).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { faultsOf, runRounds } from '../tabs/rounds.mjs';

const ROUNDS = 12;

test(`${ROUNDS} rounds of four tabs that write while the leader is ended`, async () => {
  assert.deepEqual(faultsOf(await runRounds({ rounds: ROUNDS })), []);
});
