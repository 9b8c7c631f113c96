import { GLOBAL, type Options } from './arguments.js';
import type { Command, Commands } from './commands/command.js';
import { table } from './shown.js';

function list(options: Options): string {
  const rows = Object.entries(options).map(([name, { short, value, help }]) => [
    `  ${short ? `-${short}, ` : '    '}--${name}${value ? ` <${value}>` : ''}`,
    help,
  ]);
  return table(rows);
}

export function helpOf(name: string, { takes, does, more, options = {} }: Command): string {
  const sections = [
    `synth-memory ${name}${takes ? ` ${takes}` : ''}: ${does}`,
    more,
    Object.keys(options).length > 0 && `Options:\n${list(options)}`,
    `Options of every command:\n${list(GLOBAL)}`,
  ];
  return sections.filter(Boolean).join('\n\n');
}

export function help(commands: Commands): string {
  const rows = Object.entries(commands).map(([name, { takes, does }]) => [
    `  ${name}${takes ? ` ${takes}` : ''}`,
    does,
  ]);
  return `synth-memory <command>: the migrations of a memory in an SQLite file, in Alembic's words

Commands:
${table([...rows, ['  help [<command>]', 'tell of a command']])}

Options of every command:
${list({ ...GLOBAL, version: { type: 'boolean', help: 'the version of the package' } })}

Ends with 0 where all is well, with 1 where something failed or a check found something, with 2 where it was called wrongly.`;
}
