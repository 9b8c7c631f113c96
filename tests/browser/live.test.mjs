// Live queries: they are up to date whenever their data changed, read no more often than that, and follow the order of
// the changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { breakWorker, withPage } from './page.mjs';

/** Prepares a test's page: a memory, and `follow`, which records each snapshot of a live query and counts its reads. */
const open = (page) =>
  page.evaluate(async () => {
    window.memory = await window.library.Memory.open({ embedder: 'none' });
    window.follow = (read) => {
      const followed = { reads: 0, snapshots: [] };
      followed.live = window.memory.live((memory) => {
        followed.reads += 1;
        return read(memory);
      });
      followed.stop = followed.live.subscribe((snapshot) => {
        followed.snapshots.push(snapshot);
        followed.told?.();
      });
      followed.until = async (isSo) => {
        while (!isSo(followed.live.getSnapshot())) await new Promise((told) => (followed.told = told));
        return followed.live.getSnapshot();
      };
      return followed;
    };
  });

test('a live query is read again when what it read changed, and only then', () =>
  withPage(async ({ page }) => {
    await open(page);
    const result = await page.evaluate(async () => {
      const { memory, follow } = window;
      const turns = follow((memory) => memory.turns.list({ limit: 2, total: true }));
      const both = follow(async (memory) => [await memory.turns.count(), await memory.longTerm.get('name')]);
      const name = follow((memory) => memory.longTerm.get('name'));
      await Promise.all([turns, both, name].map((one) => one.until(({ status }) => status === 'ready')));
      const before = turns.live.getSnapshot();
      await memory.semantic.remember({ content: 'of another table' });
      const same = turns.live.getSnapshot() === before;
      await memory.turns.appendMany([{ userInput: 'one' }, { userInput: 'two' }, { userInput: 'three' }]);
      await turns.until(({ value }) => value.total === 3);
      await both.until(({ value }) => value[0] === 3);
      await memory.longTerm.set('name', 'Ada');
      await both.until(({ value }) => value[1] === 'Ada');
      await name.until(({ value }) => value === 'Ada');
      // It is read, and its value has not changed.
      await memory.longTerm.set('other', 'Ada');
      await memory.longTerm.get('name');
      const seen = ({ reads, snapshots }) => [reads, snapshots.map(({ status }) => status).join(' ')];
      const { value } = turns.live.getSnapshot();
      return { same, rows: value.rows.map(({ id }) => id), seen: [turns, both, name].map(seen) };
    });
    assert.deepEqual(result, {
      same: true,
      rows: [3, 2],
      seen: [
        [2, 'loading ready ready'],
        [4, 'loading ready ready ready'],
        [3, 'loading ready ready'],
      ],
    });
  }));

test('recall, context, search and SQL stay up to date', () =>
  withPage(async ({ page }) => {
    await open(page);
    const found = await page.evaluate(async () => {
      const { memory, follow } = window;
      const followed = [
        follow((memory) => memory.recall('cello').then((hits) => hits.length)),
        follow((memory) => memory.context('cello').then(({ used }) => used.length)),
        follow((memory) => memory.semantic.list({ search: 'cello' }).then(({ rows }) => rows.length)),
        follow((memory) => memory.query('SELECT count(*) AS n FROM semantic_memories').then(([{ n }]) => n)),
      ];
      for (const { until } of followed) await until(({ value }) => value === 0);
      await memory.semantic.remember({ content: 'Ada plays the cello' });
      for (const { until } of followed) await until(({ value }) => value === 1);
      window.other = await window.library.Memory.open({ url: 'memory:' });
      await memory.import(await window.other.export());
      for (const { until } of followed) await until(({ value }) => value === 0);
      return followed.map(({ snapshots }) => snapshots.map(({ value }) => value ?? null));
    });
    assert.deepEqual(found, Array(4).fill([null, 0, 1, 0]));
  }));

test('SQL is read again when a table behind it changed, and only then', () =>
  withPage(async ({ page }) => {
    await open(page);
    const reads = await page.evaluate(async () => {
      const { memory, follow } = window;
      const turns = follow((memory) => memory.query('SELECT count(*) AS n FROM turns'));
      const both = follow((memory) =>
        memory.query('SELECT (SELECT count(*) FROM turns) + count(*) AS n FROM long_term'),
      );
      const schema = follow((memory) =>
        memory.query("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'embeddings'"),
      );
      for (const { until } of [turns, both, schema]) await until(({ status }) => status === 'ready');
      await memory.longTerm.set('name', 'Ada');
      await both.until(({ value }) => value[0].n === 1);
      await memory.turns.append({ userInput: 'one' });
      await both.until(({ value }) => value[0].n === 2);
      await turns.until(({ value }) => value[0].n === 1);
      const reads = [turns.reads, both.reads, schema.reads];
      await memory.migrations.downgrade('001');
      await schema.until(({ value }) => value[0].n === 0);
      return reads;
    });
    assert.deepEqual(reads, [2, 3, 1]);
  }));

test("a recall is made again when a page's own embedder has made the vectors", () =>
  withPage(async ({ page }) => {
    await open(page);
    const values = await page.evaluate(async () => {
      await window.memory.close();
      let goOn;
      const embedder = {
        name: 'one direction',
        dimensions: 2,
        async embed(texts, { purpose }) {
          if (purpose === 'memory') await new Promise((go) => (goOn = go));
          return texts.map(() => [1, 0]);
        },
      };
      window.memory = await window.library.Memory.open({ embedder });
      const found = window.follow((memory) => memory.recall('music').then((hits) => hits.map(({ text }) => text)));
      await found.until(({ value }) => value?.length === 0);
      await window.memory.semantic.remember({ content: 'Ada plays the cello' });
      while (!goOn) await window.memory.turns.count();
      goOn();
      return (await found.until(({ value }) => value.length === 1)).value;
    });
    assert.deepEqual(values, ['Ada plays the cello']);
  }));

test('a burst of writes makes one read more than is under way, and the last value is the last write', () =>
  withPage(async ({ page }) => {
    await open(page);
    const { reads, values } = await page.evaluate(async () => {
      const { memory, follow } = window;
      let begun;
      let goOn;
      // Each read begins, and waits until it may continue.
      const counted = follow(async (memory) => {
        begun?.();
        await new Promise((open) => (goOn = open));
        return memory.turns.count();
      });
      const reading = () => new Promise((resolve) => (begun = resolve));
      goOn();
      await counted.until(({ status }) => status === 'ready');
      const first = reading();
      await memory.turns.append({ userInput: 'one' });
      await first;
      const second = reading();
      for (let n = 2; n <= 50; n++) await memory.turns.append({ userInput: `${n}` });
      goOn();
      await second;
      goOn();
      await counted.until(({ value }) => value === 50);
      await memory.episodes.record({ eventType: 'nothing that it read' });
      return { reads: counted.reads, values: counted.snapshots.map(({ value }) => value ?? null) };
    });
    assert.equal(reads, 3);
    assert.deepEqual(values, [null, 0, 50]);
  }));

test('a read that fails says so as a MemoryError, keeps the last value, and is made again at the next change', () =>
  withPage(async ({ page }) => {
    await open(page);
    const seen = await page.evaluate(async () => {
      const { memory, follow } = window;
      let fail = () => undefined;
      const turns = follow((memory) => {
        fail();
        return memory.turns.count();
      });
      await turns.until(({ status }) => status === 'ready');
      const steps = [
        () => {
          throw new Error('not of the memory');
        },
        () => {
          throw new Error('not of the memory');
        },
        () => undefined,
      ];
      for (const [at, step] of steps.entries()) {
        fail = step;
        await memory.turns.append({ userInput: `${at}` });
        await turns.until(({ status, value }) => (at < 2 ? status === 'error' : value === 3));
      }
      const writes = follow((memory) => memory.turns.append({ userInput: 'never' }));
      const error = (await writes.until(({ status }) => status === 'error')).error;
      return {
        turns: turns.snapshots.map(({ status, value, error }) => [status, value ?? null, error?.code ?? null]),
        cause: turns.snapshots.find(({ error }) => error).error.cause.message,
        message: turns.snapshots.find(({ error }) => error).error.message,
        writes: window.told(error),
        count: await memory.turns.count(),
      };
    });
    assert.deepEqual(seen.turns, [
      ['loading', null, null],
      ['ready', 0, null],
      ['error', 0, 'read_failed'],
      ['ready', 3, null],
    ]);
    assert.equal(seen.cause, 'not of the memory');
    assert.match(seen.message, /not of the memory/);
    assert.deepEqual([seen.writes.code, seen.writes.isMemoryError, seen.count], ['invalid_argument', true, 3]);
  }));

test('a live query that reads past the memory it receives says so, as it would never be read again', () =>
  withPage(async ({ page }) => {
    await open(page);
    const seen = await page.evaluate(async () => {
      const { memory, follow } = window;
      const reads = [
        () => memory.turns.count(),
        async () => [await memory.longTerm.get('name')],
        () => memory.recall('a question'),
        () => memory.query('SELECT 1'),
        () => memory.semantic.search('a question'),
        async (reader) => (await reader.turns.count()) + (await memory.turns.count()),
      ];
      const seen = [];
      for (const read of reads) {
        const { status, error } = await follow(read).until(({ status }) => status !== 'loading');
        seen.push([status, error && window.told(error)]);
      }
      return { seen, after: await memory.turns.count() };
    });
    for (const [status, error] of seen.seen.slice(0, 5)) {
      assert.deepEqual([status, error.code], ['error', 'invalid_argument']);
      assert.match(error.hint, /through the memory that its function receives/);
    }
    // What is called later, when other code of the page runs too, cannot be told from that code's calls.
    assert.deepEqual([seen.seen[5], seen.after], [['ready', undefined], 0]);
  }));

test('nothing is read without subscribers; a later subscriber gets the current value', () =>
  withPage(async ({ page }) => {
    await open(page);
    const result = await page.evaluate(async () => {
      const { memory, follow } = window;
      const counted = follow((memory) => memory.turns.count());
      await counted.until(({ value }) => value === 0);
      // As in React's StrictMode: this causes no additional read.
      counted.stop();
      counted.stop = counted.live.subscribe(() => counted.told?.());
      await memory.turns.append({ userInput: 'one' });
      await counted.until(({ value }) => value === 1);
      const { reads } = counted;
      counted.stop();
      await memory.turns.append({ userInput: 'two' });
      const unread = [counted.reads, counted.live.getSnapshot().value];
      counted.live.subscribe(() => counted.told?.());
      await counted.until(({ value }) => value === 2);
      return { reads, unread, after: counted.reads };
    });
    assert.deepEqual(result, { reads: 2, unread: [2, 1], after: 3 });
  }));

test('as an async iterator it gives the newest value, throws what a read throws, and is done when closed', () =>
  withPage(async ({ page }) => {
    await open(page);
    const result = await page.evaluate(async () => {
      const { memory } = window;
      const count = memory.live((memory) => memory.turns.count());
      const values = [];
      for await (const value of count) {
        values.push(value);
        if (value === 3) break;
        await memory.turns.append({ userInput: 'x' });
        await memory.turns.count();
      }
      const failing = memory.live((memory) => memory.query('SELECT * FROM nothing'));
      const error = await failing[Symbol.asyncIterator]()
        .next()
        .catch((error) => window.told(error));
      const [closed, ended] = [count, memory.live((memory) => memory.turns.count())].map((live) =>
        live[Symbol.asyncIterator](),
      );
      await Promise.all([closed.next(), ended.next()]);
      const waiting = [closed.next(), ended.next()];
      count.close();
      await memory.close();
      const done = (await Promise.all(waiting)).map(({ done }) => done);
      const late = await memory
        .live((memory) => memory.turns.count())
        [Symbol.asyncIterator]()
        .next()
        .catch(({ code }) => code);
      return { values, error, done, late };
    });
    assert.deepEqual(result.values, [0, 1, 2, 3]);
    assert.deepEqual([result.error.isMemoryError, result.done, result.late], [true, [true, true], 'closed']);
  }));

test('after the worker broke, a live query reads from the new engine', () =>
  withPage(async ({ page }) => {
    await open(page);
    await page.evaluate(async () => {
      window.counted = window.follow((memory) => memory.turns.count());
      await window.counted.until(({ value }) => value === 0);
    });
    await breakWorker(page);
    const value = await page.evaluate(async () => {
      await window.memory.turns.append({ userInput: 'one' });
      return (await window.counted.until(({ value }) => value === 1)).value;
    });
    assert.equal(value, 1);
  }));

test("live queries stay up to date in every tab, also when the leader's tab is closed", () =>
  withPage(async ({ page, open: openTab }) => {
    const others = [await openTab(), await openTab()];
    for (const tab of [page, ...others]) {
      await open(tab);
      await tab.evaluate(async () => {
        window.counted = window.follow((memory) => memory.turns.count());
        await window.counted.until(({ value }) => value === 0);
      });
    }
    const reach = (tab, count) =>
      tab.evaluate(async (count) => {
        await window.counted.until(({ value }) => value === count);
      }, count);
    await others[0].evaluate(() => window.memory.turns.append({ userInput: 'of a follower' }));
    for (const tab of [page, ...others]) await reach(tab, 1);
    await page.evaluate(() => window.memory.turns.append({ userInput: 'of the leader' }));
    await page.close();
    for (const tab of others) await reach(tab, 2);
    await others[1].evaluate(() => window.memory.turns.append({ userInput: 'of who is left' }));
    for (const tab of others) await reach(tab, 3);
  }));
