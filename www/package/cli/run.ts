import { readFileSync } from 'node:fs';
import { GLOBAL, type Options, parse, type Words } from './arguments.js';
import type { Command, Commands } from './commands/command.js';
import { LOOK } from './commands/look.js';
import { MOVE } from './commands/move.js';
import { WRITE } from './commands/write.js';
import { misused, OK, toTold } from './failures.js';
import { help, helpOf } from './help.js';
import { didYouMean } from './nearest.js';
import { Session } from './session.js';
import { type Answer, type Manner, Terminal } from './terminal.js';

const COMMANDS: Commands = { ...LOOK, ...MOVE, ...WRITE };

const VERSION: Options = { version: { type: 'boolean', help: '' } };

/** Runs the program with these arguments and returns its exit status. */
export async function run(words: readonly string[]): Promise<number> {
  const terminal = new Terminal(mannerOf(words));
  try {
    const answer = await carryOut(words, terminal);
    terminal.answer(answer);
    return answer.status ?? OK;
  } catch (thrown) {
    const told = toTold(thrown);
    terminal.fail(told);
    return told.status;
  }
}

async function carryOut(words: readonly string[], terminal: Terminal): Promise<Answer> {
  // First with the options of all commands: that is enough to distinguish the command from the values of options.
  const options = Object.assign({}, ...Object.values(COMMANDS).map((command) => command.options), GLOBAL, VERSION);
  const said = parse(words, options as Options);
  const [name, ...rest] = said.positionals;
  if (name === undefined) return withoutCommand(said);
  if (name === 'help') return tellOf(rest[0]);
  const [known, command] = find(name);
  if (said.values.flag('help')) return tellOf(known);
  // Then with the command's own options only.
  const { values } = parse(words, { ...command.options, ...GLOBAL });
  const [least, most] = command.count ?? [0, 0];
  if (rest.length < least || rest.length > most)
    throw misused(
      rest.length < least ? `${known} requires ${command.takes}.` : `Unexpected argument "${rest[most]}" for ${known}.`,
      `See synth-memory help ${known}.`,
    );
  return command.run(new Session(values, rest, terminal));
}

function withoutCommand({ values }: Words): Answer {
  if (values.flag('version')) {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    return { value: { version }, text: version };
  }
  if (values.flag('help')) return tellOf(undefined);
  throw misused('A command is missing.');
}

function tellOf(name: string | undefined): Answer {
  const text = name === undefined ? help(COMMANDS) : helpOf(...find(name));
  return { value: { help: text }, text };
}

function find(name: string): [name: string, command: Command] {
  // Alembic spells it `ensure_version`.
  const known = name.replaceAll('_', '-');
  const command = Object.hasOwn(COMMANDS, known) ? COMMANDS[known] : undefined;
  if (!command) throw misused(`There is no command "${name}".${didYouMean(known, Object.keys(COMMANDS))}`);
  return [known, command];
}

/** How to print. It is known before the arguments are parsed, because a parse error is printed that way too. */
function mannerOf(words: readonly string[]): Manner {
  return {
    json: words.includes('--json'),
    quiet: words.includes('--quiet') || words.includes('-q'),
    colors: process.stdout.isTTY === true && !process.env['NO_COLOR'] && !words.includes('--no-color'),
  };
}
