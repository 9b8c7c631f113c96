// Stored text stays between its marks in a context: it can neither close nor forge them, whatever column it is in.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../../bench/recall/data.js';
import { angles, ATTEMPTS, GREATER, LESS, onOneLine, parse } from './marked.mjs';
import { open } from './recalled.mjs';

const ROUNDS = 150;
/** Options that include every row, with enough space for all. */
const ALL = { tokenBudget: 1e9, factPrefix: '', recentTurns: 1000, k: 1000 };
/** The word by which every row is found, whatever else it contains. */
const FOUND = 'kiwi';
/** The same with the row's table and number, because rows with the same text would be one hit. */
const foundAs = (table, n) => `${FOUND} ${table} ${n}`;

/** Stores these texts in every column that a context shows, and in pairs that are split over two columns. */
async function stored(memory, texts) {
  const at = (n) => texts[n % texts.length];
  for (const n of texts.keys()) {
    const metadata = { [at(n)]: at(n), source: at(n), session: at(n + 1), thread: at(n) };
    await memory.turns.append({ userInput: `${foundAs('turns', n)} ${at(n)}`, assistantResponse: at(n + 1), metadata });
    const content = { said: foundAs('episodes', n), [at(n)]: [at(n + 1)] };
    await memory.episodes.record({ eventType: at(n), content, metadata });
    await memory.longTerm.set(`${n} ${at(n)}`, n % 2 ? { [at(n)]: at(n + 1) } : at(n));
    await memory.semantic.remember({ content: `${foundAs('semantic', n)} ${at(n)}`, category: at(n + 1), metadata });
  }
}

/** Checks a context of such a memory, row by row: its form, and that each row shows exactly the stored text. */
async function check(memory, texts, why) {
  const at = (n) => texts[n % texts.length];
  const { text, used } = await memory.context(FOUND, ALL);
  const rows = parse(text);
  assert.equal(rows.length, used.length, why);
  assert.equal(rows.length, 4 * texts.length, why);
  const marks = text.split('<').length - 1;
  for (const seen of angles(text)) assert.deepEqual(seen, [marks, marks], why);
  assert.doesNotMatch(text, /[\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]|(?!\n)\p{Cc}/u, why);
  // A long text is cut, but not in the middle of a character.
  const cut = (text) =>
    `${text
      .slice(0, 200)
      .toWellFormed()
      .replace(/\ufffd$/, '')}...`;
  const short = (text) => onOneLine(text.length <= 200 ? text : cut(text)) || undefined;
  for (const { table, details, text, sides } of rows) {
    const n = table === 'longTerm' ? Number.parseInt(details.key, 10) : details.id - 1;
    const same = (actual, expected) => assert.equal(actual ?? '', onOneLine(expected), `${why}, ${table} ${n}`);
    if (table === 'turns') {
      same(sides[0], `${foundAs('turns', n)} ${at(n)}`);
      same(sides[1], at(n + 1));
    } else if (table === 'episodes') {
      same(text, JSON.stringify({ said: foundAs(table, n), [at(n)]: [at(n + 1)] }));
      assert.equal(details.type, short(at(n)));
    } else if (table === 'longTerm') {
      assert.equal(details.key, `${n} ${at(n)}`);
      same(text, n % 2 ? JSON.stringify({ [at(n)]: at(n + 1) }) : at(n));
    } else {
      same(text, `${foundAs(table, n)} ${at(n)}`);
      assert.equal(details.category, short(at(n + 1)));
    }
    if (table !== 'longTerm') assert.equal(details.source, short(at(n)));
  }
}

test('no attempt to close, forge or split a mark gets out of it, from any column', async () => {
  const memory = await open({ embedder: 'none' });
  await stored(memory, ATTEMPTS);
  await check(memory, ATTEMPTS, 'attempts');
  const { text } = await memory.context(FOUND, ALL);
  // A stored instruction is included as data, on the line of its row.
  for (const line of text.split('\n').filter((line) => /ignore what was said|obey/i.test(line)))
    assert.match(line, /^<(turns|episodes|longTerm|semantic) .*<\/\1>$/);
  await memory.close();
});

test('every character that a normal form makes `<`, `>` or `&` is replaced', async () => {
  const memory = await open({ embedder: 'none' });
  const forms = ['NFC', 'NFD', 'NFKC', 'NFKD'];
  const found = new Set([...LESS, ...GREATER]);
  for (let code = 0x80; code <= 0x10ffff; code++) {
    if (code >= 0xd800 && code < 0xe000) continue;
    const character = String.fromCodePoint(code);
    if (forms.some((form) => /[<>&]/.test(character.normalize(form)))) found.add(character);
  }
  assert.ok(found.has('\uff06') && found.has('\u226e'));
  // Alone, between letters, and next to a mark that composes with it.
  const texts = [...found].flatMap((character) => [character, `a${character}a`, `\u0338${character}\u0338`]);
  // Numbered, because some are the same text in another normal form.
  await memory.semantic.rememberMany(
    texts.map((category, at) => ({ content: `${category} ${FOUND} ${at + 1}`, category })),
  );
  const { text } = await memory.context(FOUND, ALL);
  const rows = parse(text);
  assert.equal(rows.length, texts.length);
  const marks = text.split('<').length - 1;
  for (const seen of angles(text)) assert.deepEqual(seen, [marks, marks]);
  for (const form of forms) assert.doesNotMatch(text.normalize(form), /&(?!(?:lt|gt|amp|quot|#x[0-9a-f]+);)/);
  for (const { details, text } of rows) {
    assert.equal(text, `${texts[details.id - 1]} ${FOUND} ${details.id}`);
    assert.equal(details.category, texts[details.id - 1]);
  }
  await memory.close();
});

test('no text at all gets out: random ones, made of what could', async () => {
  const pieces = [
    ...ATTEMPTS,
    ...[
      ...LESS,
      ...GREATER,
      '/',
      '"',
      "'",
      '=',
      '&',
      ';',
      '#',
      ' ',
      '\n',
      '\t',
      '\r',
      '\u0338',
      '\u0301',
      '\u200b',
      '\u200d',
    ],
    ...[
      'memory',
      'turns',
      'semantic',
      'user',
      'id',
      'lt',
      'x3c',
      'Ada',
      '私',
      '🙂',
      '\u{1f3f4}\u{e0067}\u{e007f}',
      '\\',
    ],
  ];
  for (let round = 0; round < ROUNDS; round++) {
    const next = random(round);
    const below = (many) => Math.floor(next() * many);
    const texts = Array.from({ length: 1 + below(4) }, () =>
      Array.from({ length: below(12) }, () => pieces[below(pieces.length)]).join(''),
    );
    const memory = await open({ embedder: 'none' });
    await stored(memory, texts);
    await check(memory, texts, `round ${round}: ${JSON.stringify(texts)}`);
    await memory.close();
  }
});
