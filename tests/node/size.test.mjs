import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMIT, measure } from '../../scripts/size.mjs';

test('what a page downloads to open a memory is within its limit', () => {
  const { sizes, total } = measure();
  assert.ok(total <= LIMIT, `${total} bytes gzipped, the limit is ${LIMIT}: ${JSON.stringify(sizes)}`);
});
