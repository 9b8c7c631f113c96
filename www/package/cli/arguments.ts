// Parses the words of a command line into options and arguments.
import { parseArgs } from 'node:util';
import { misused } from './failures.js';
import { didYouMean } from './nearest.js';

/** One option as `parseArgs` declares it, with its text in the help. */
export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** The placeholder for its value in the help. */
  readonly value?: string;
  readonly help: string;
}
export type Options = Readonly<Record<string, Option>>;

/** The options of every command. */
export const GLOBAL: Options = {
  url: { type: 'string', value: 'url', help: 'database (default: $SYNTH_DATABASE_URL or sqlite:///state/memory.db)' },
  migrations: { type: 'string', value: 'folder', help: "app's revisions (default: $SYNTH_MIGRATIONS or migrations)" },
  json: { type: 'boolean', help: 'print answers and failures as JSON' },
  quiet: { type: 'boolean', short: 'q', help: 'print only the requested output' },
  'no-color': { type: 'boolean', help: 'print no colours (default if $NO_COLOR is set or stdout is not a terminal)' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
};

export interface Values {
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): string[];
}

export interface Words {
  readonly values: Values;
  readonly positionals: string[];
}

/** Parses the words. Throws a usage error for an unknown option. */
export function parse(words: readonly string[], options: Options): Words {
  try {
    const { values, positionals } = parseArgs({
      args: words.map(hideSteps),
      options: options as Record<string, { type: 'string' | 'boolean' }>,
      allowPositionals: true,
    });
    const found = values as Record<string, unknown>;
    return {
      positionals: positionals.map(showSteps),
      values: {
        flag: (name) => found[name] === true,
        text: (name) => (typeof found[name] === 'string' ? showSteps(found[name]) : undefined),
        texts: (name) => ((found[name] as string[] | undefined) ?? []).map(showSteps),
      },
    };
  } catch (error) {
    // Only the first sentence is kept. The second one explains `--`, which does not help here.
    const [what] = (error as Error).message.split(/\. |\n/);
    const [, unknown] = /^Unknown option '--([^']+)'/.exec(what!) ?? [];
    const hint = unknown === undefined ? '' : didYouMean(unknown, Object.keys(options), (name) => `--${name}`);
    throw misused(`${what!.replace(/\.$/, '')}.${hint}`);
  }
}

/** Hides `-1` and `-3:current` from `parseArgs`: they are revisions, not options. No option begins with a digit. */
const HIDDEN = '\0';
const hideSteps = (word: string) => (/^-\d/.test(word) ? HIDDEN + word : word);
const showSteps = (word: string) => (word.startsWith(HIDDEN) ? word.slice(1) : word);
