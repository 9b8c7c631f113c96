// `npm run fuzz -- [target] [seconds]`: runs one or all fuzz targets of `cargo test` longer, 60 seconds each by
// default.
import { readdirSync } from 'node:fs';
import { at, run } from './process.mjs';

const targets = readdirSync(at('tests', 'fuzz', 'corpus'));
const [seconds = '60', ...more] = process.argv.slice(2).filter((argument) => !targets.includes(argument));
const target = process.argv.slice(2).find((argument) => targets.includes(argument));
if (!(Number(seconds) > 0) || more.length > 0) {
  console.error(`Usage: npm run fuzz -- [target] [seconds]. The targets are ${targets.join(', ')}.`);
  process.exit(2);
}

try {
  // A test's name consists of its module and its target.
  const filter = target ? [`::${target}`] : [];
  await run('cargo', ['test', '--test', 'fuzz', '--', '--nocapture', ...filter], { env: { FUZZ_SECONDS: seconds } });
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}
