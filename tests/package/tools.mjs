// Tools that users' apps need and this repository does not: test runners and bundlers. `tools/` pins them, and the
// set-up installs them there. The project of these tests uses them as if it had installed them itself.
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { at } from '../../scripts/process.mjs';
import { inProject } from './project.mjs';

export const inTools = (...parts) => at('tests', 'package', 'tools', ...parts);

/** The path of one of these tools. */
export const tool = (name) => inTools('node_modules', '.bin', name);

/** Links the packages that `tools/package.json` names into the project. */
export function linkTools() {
  const { dependencies } = JSON.parse(readFileSync(inTools('package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    const link = inProject('node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    if (!existsSync(link)) symlinkSync(inTools('node_modules', name), link, 'junction');
  }
}
