// From words to a command, its options and its arguments.
import { parseArgs } from 'node:util';
import { misused } from './failures.js';
import { didYouMean } from './nearest.js';

/** One option, as `parseArgs` takes it, and what help says of it. */
export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  readonly multiple?: boolean;
  /** What stands for its value in the help. */
  readonly value?: string;
  readonly help: string;
}
export type Options = Readonly<Record<string, Option>>;

/** What may be said to every command. */
export const GLOBAL: Options = {
  url: { type: 'string', value: 'url', help: 'the database; $SYNTH_DATABASE_URL, or sqlite:///state/memory.db' },
  migrations: { type: 'string', value: 'folder', help: "the app's own revisions; $SYNTH_MIGRATIONS, or migrations" },
  json: { type: 'boolean', help: 'answers, and failures, as JSON' },
  quiet: { type: 'boolean', short: 'q', help: 'say nothing but what was asked for' },
  'no-color': { type: 'boolean', help: 'no colours; as with $NO_COLOR and where there is no terminal' },
  help: { type: 'boolean', short: 'h', help: 'this help' },
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

/** Parses what was said; what no option is called is an error. */
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
    // Its second sentence is about `--`, which is of no use here.
    const [what] = (error as Error).message.split(/\. |\n/);
    const [, unknown] = /^Unknown option '--([^']+)'/.exec(what!) ?? [];
    const hint = unknown === undefined ? '' : didYouMean(unknown, Object.keys(options), (name) => `--${name}`);
    throw misused(`${what!.replace(/\.$/, '')}.${hint}`);
  }
}

/** `-1` and `-3:current` are revisions, not options; no option begins with a digit. */
const HIDDEN = '\0';
const hideSteps = (word: string) => (/^-\d/.test(word) ? HIDDEN + word : word);
const showSteps = (word: string) => (word.startsWith(HIDDEN) ? word.slice(1) : word);
