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
  return `synth-memory <command>: migrate a memory in an SQLite file, with Alembic's commands

Commands:
${table([...rows, ['  help [<command>]', 'describe a command']])}

Options of every command:
${list({ ...GLOBAL, version: { type: 'boolean', help: 'show the version of the package' } })}

Exit status: 0 success, 1 failure or differences found, 2 usage error.`;
}
