// The list of revisions that a tab has without the engine matches the revisions.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { rolldown } from 'rolldown';
import { at } from '../../scripts/process.mjs';

test('the revisions of the package are those of its migrations', async () => {
  const bundle = await rolldown({ input: at('www', 'package', 'link', 'revisions.ts'), platform: 'neutral' });
  const { output } = await bundle.generate();
  const { revisionsOf } = await import(`data:text/javascript,${encodeURIComponent(output[0].code)}`);
  const files = readdirSync(at('migrations', 'versions')).sort();
  const bundled = files.map((name) => name.split('_')[2]);
  assert.deepEqual(revisionsOf({}), bundled);
  const text = '-- The first\n--\n-- Revision ID: app1\n-- Revises:\n-- migrate:up\n';
  assert.deepEqual(revisionsOf({ migrations: [['app1.sql', text]] }), [...bundled, 'app1']);
});
