// SQLite's local time is the machine's local time, as in JavaScript.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Memory } from '../../dist/index.js';

const DIARY = `-- Diary
--
-- Revision ID: diary1
-- Revises:
-- Create Date: 2026-11-30
-- Branch Labels: diary
-- Depends On: 001
-- migrate:up
CREATE TABLE diary (
    turn INTEGER,
    day TEXT NOT NULL DEFAULT (date('now', 'localtime')),
    began TEXT NOT NULL
);
CREATE TRIGGER write_diary AFTER INSERT ON turns BEGIN
    INSERT INTO diary (turn, began) VALUES (new.id, datetime(new.timestamp, 'unixepoch', 'localtime'));
END;

-- migrate:down
DROP TRIGGER write_diary;
DROP TABLE diary;
`;

const two = (number) => String(number).padStart(2, '0');
const dayOf = (date) => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
const timeOf = (date) => `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;

/** Runs `use` in a time zone. */
async function inZone(zone, use) {
  const before = process.env.TZ;
  process.env.TZ = zone;
  try {
    await use();
  } finally {
    if (before === undefined) delete process.env.TZ;
    else process.env.TZ = before;
  }
}

for (const zone of ['UTC', 'Asia/Kolkata', 'America/New_York', 'Australia/Lord_Howe', 'Pacific/Kiritimati'])
  test(`in ${zone}, also in what an app stores by default and by a trigger`, () =>
    inZone(zone, async () => {
      const memory = await Memory.open({ url: 'memory:', embedder: 'none', migrations: { 'diary.sql': DIARY } });
      const dates = ['1971-02-20T20:17:40Z', '2026-01-15T12:00:00Z', '2026-07-15T23:59:59Z', '2037-12-31T23:59:59Z'];
      for (const date of dates.map((text) => new Date(text))) {
        const seconds = date.getTime() / 1000;
        const [found] = await memory.query(
          `SELECT local, datetime(local, 'utc') AS utc, strftime('%H:%M', ?1, 'unixepoch', 'localtime') AS clock
           FROM (SELECT datetime(?1, 'unixepoch', 'localtime') AS local)`,
          [seconds],
        );
        assert.deepEqual(found, {
          local: `${dayOf(date)} ${timeOf(date)}`,
          utc: date.toISOString().slice(0, 19).replace('T', ' '),
          clock: timeOf(date).slice(0, 5),
        });
      }
      const timestamp = new Date('2026-03-01T01:30:00Z');
      const today = [dayOf(new Date())];
      await memory.turns.append({ userInput: 'hello', timestamp });
      today.push(dayOf(new Date()));
      const [{ day, began }] = await memory.query('SELECT day, began FROM diary');
      assert.ok(today.includes(day), day);
      assert.equal(began, `${dayOf(timestamp)} ${timeOf(timestamp)}`);
      await memory.close();
    }));
