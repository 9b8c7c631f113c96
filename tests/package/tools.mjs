// Tools that people's apps use and this repository does not: test runners and bundlers. `tools/` pins them, the set-up installs
// them there, and the project of these tests has them as if it had installed them itself.
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { at } from '../../scripts/process.mjs';
import { inProject } from './project.mjs';

export const inTools = (...parts) => at('tests', 'package', 'tools', ...parts);

/** A program of theirs. */
export const tool = (name) => inTools('node_modules', '.bin', name);

/** Gives the project what `tools/package.json` names. */
export function linkTools() {
  const { dependencies } = JSON.parse(readFileSync(inTools('package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const link = inProject('node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(inTools('node_modules', name), link, 'junction');
  }
}
