// Compiled, never run: what is taken and returned where JSON is. What is marked must not compile, and for the one reason that the
// comment gives.
import type { JsonInput, JsonValue, Memory, NewTurn } from 'synth-memory';

type Same<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

/** Compiles only where a type is exactly the one that is expected. */
function exactly<Expected>() {
  return <Given>(_given: Given, _same: Same<Given, Expected>): void => undefined;
}

interface Tree {
  readonly name: string;
  readonly children: readonly Tree[];
}

interface Prefs {
  theme: 'dark' | 'light';
  big?: bigint;
  point: [x: number, y: number];
  trees: Tree[];
  nested: { deep?: Tree | null };
}

interface Settings {
  first: Prefs;
  second?: Tree;
}

class Data {
  x = 1;
}

enum Mood {
  Good = 'good',
}

export async function takes(memory: Memory, prefs: Prefs, tree: Tree, given: Prefs | Tree | string): Promise<void> {
  const { longTerm, turns, episodes, semantic, uncertainty } = memory;
  await longTerm.set('key', prefs);
  await longTerm.set('key', given);
  await longTerm.set('key', [prefs, { tree, none: null }]);
  await longTerm.set('key', [1, 'two', { three: [true] }] as const);
  await longTerm.set('key', { mood: Mood.Good, big: 2n ** 64n, empty: {}, none: [] });
  await longTerm.set('key', new Data());
  await longTerm.set('key', JSON.parse('{}'));
  await longTerm.setMany({ prefs, tree, number: 1 });
  await longTerm.setMany({ first: prefs } satisfies Settings as Settings);
  await longTerm.setMany(new Map([['tree', tree]]));
  await longTerm.setMany([['one', prefs]]);
  await longTerm.update('key', { value: prefs });

  await turns.append({ userInput: 'Hello', metadata: prefs, timestamp: new Date() });
  await turns.appendMany([
    { userInput: 'Hello', metadata: prefs },
    { userInput: 'Hello', metadata: tree },
    { userInput: 'Hello', metadata: { other: 1 } },
    { userInput: 'Hello' },
  ]);
  await turns.appendMany([1, 2].map((n) => ({ userInput: `${n}`, metadata: { prefs } })));
  await turns.update(1, { metadata: prefs });
  await episodes.record({ eventType: 'set', content: prefs, metadata: tree });
  await episodes.recordMany([{ eventType: 'set', content: prefs, metadata: tree }]);
  await semantic.remember({ content: 'A fact', metadata: prefs });
  await semantic.rememberMany([{ content: 'A fact', metadata: prefs }]);
  await uncertainty.log({ userMessage: 'Hm', confidenceScore: 0.2, signals: prefs });
  await uncertainty.logMany([{ userMessage: 'Hm', confidenceScore: 0.2, signals: prefs }]);

  const names: readonly string[] = [];
  const turn: NewTurn = { userInput: 'Hello', metadata: { names } };
  await turns.append(turn);
  const found = await turns.get(1);
  await turns.append({ userInput: 'Hello', metadata: found!.metadata ?? {} });
}

/** As an app wraps it. */
export class Store<Value extends JsonValue> {
  constructor(readonly memory: Memory) {}
  async swap(value: Value): Promise<Value | undefined> {
    const before = await this.memory.longTerm.get<Value>('key');
    await this.memory.longTerm.set('key', value);
    return before;
  }
}

export async function returns({ longTerm, turns }: Memory): Promise<void> {
  exactly<Prefs | undefined>()(await longTerm.get<Prefs>('key'), true);
  exactly<readonly Tree[] | undefined>()(await longTerm.get<readonly Tree[]>('key'), true);
  exactly<string | null | undefined>()(await longTerm.get<string | null>('key'), true);
  const value = await longTerm.get('key');
  exactly<JsonValue | undefined>()(value, true);
  if (value === undefined || value === null) return;
  if (Array.isArray(value)) {
    exactly<JsonValue[]>()(value, true);
    value.push(...value.map((item) => item));
  } else if (typeof value === 'object') {
    exactly<{ [key: string]: JsonValue }>()(value, true);
    exactly<JsonValue[]>()(Object.values(value), true);
  } else {
    exactly<string | number | bigint | boolean>()(value, true);
  }
  const input: JsonInput = value;
  await longTerm.set('key', input);
  await turns.append({ userInput: 'Hello', metadata: value });
}

export async function doesNotCompile(memory: Memory, prefs: Prefs): Promise<void> {
  const { longTerm, turns, episodes } = memory;
  // @ts-expect-error a Date
  await longTerm.set('key', new Date());
  // @ts-expect-error a Date within
  await longTerm.set('key', { prefs, when: new Date() });
  // @ts-expect-error a Map
  await longTerm.set('key', new Map([['one', 1]]));
  // @ts-expect-error a Set within an array
  await longTerm.set('key', [new Set([1])]);
  // @ts-expect-error a function
  await longTerm.set('key', () => 1);
  // @ts-expect-error a method
  await longTerm.set('key', { prefs, save: () => 1 });
  // @ts-expect-error a class
  await longTerm.set('key', Data);
  // @ts-expect-error a promise
  await longTerm.set('key', longTerm.get('other'));
  // @ts-expect-error bytes
  await longTerm.set('key', new Uint8Array(1));
  // @ts-expect-error a symbol
  await longTerm.set('key', Symbol('one'));
  // @ts-expect-error a symbol within
  await longTerm.set('key', { prefs, one: Symbol('one') });
  // @ts-expect-error undefined
  await longTerm.set('key', undefined);
  // @ts-expect-error perhaps undefined
  await longTerm.set('key', prefs as Prefs | undefined);
  // @ts-expect-error undefined within
  await longTerm.set('key', { prefs, none: undefined });
  // @ts-expect-error undefined within an array
  await longTerm.set('key', [undefined]);
  // @ts-expect-error what it is, is not known
  await longTerm.set('key', {} as unknown);
  // @ts-expect-error a Date among several
  await longTerm.setMany({ prefs, when: new Date() });
  // @ts-expect-error a Date among pairs
  await longTerm.setMany([['when', new Date()]]);
  // @ts-expect-error no pairs
  await longTerm.setMany(['one']);
  // @ts-expect-error no entries
  await longTerm.setMany('one');
  // @ts-expect-error a Date is read as text
  await longTerm.get<Date>('key');
  // @ts-expect-error a Date within is read as text
  await longTerm.get<{ prefs: Prefs; when: Date }>('key');
  // @ts-expect-error a function is never read
  await longTerm.get<() => void>('key');
  // @ts-expect-error a symbol is never read
  await longTerm.get<symbol>('key');
  // @ts-expect-error a Date
  await longTerm.update('key', { value: new Date() });
  // @ts-expect-error a Date within
  await turns.append({ userInput: 'Hello', metadata: { prefs, when: new Date() } });
  // @ts-expect-error a Map
  await turns.appendMany([{ userInput: 'Hello', metadata: new Map() }]);
  // @ts-expect-error a function
  await turns.update(1, { metadata: () => prefs });
  // @ts-expect-error no such field, next to an interface
  await turns.append({ userInput: 'Hello', metadata: prefs, mood: 'good' });
  // @ts-expect-error a field is missing, next to an interface
  await turns.append({ metadata: prefs });
  // @ts-expect-error seconds in place of a Date, next to an interface
  await episodes.record({ eventType: 'set', content: prefs, timestamp: 1_700_000_000 });
  // @ts-expect-error a symbol
  await episodes.record({ eventType: 'set', content: prefs, metadata: { one: Symbol('one') } });
}
