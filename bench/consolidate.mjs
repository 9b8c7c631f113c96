// `node bench/consolidate.mjs [facts…]`: consolidation from a page, and how long its other calls wait meanwhile.
import { runPage, serveBench } from './site.mjs';

const sizes = process.argv.slice(2).map(Number);
const site = await serveBench();
console.log(
  '| facts | seconds | merged | faded | calls meanwhile | median, ms | p99, ms | longest but one, ms | longest, ms |',
);
console.log('|---|---|---|---|---|---|---|---|---|');
for (const facts of sizes.length > 0 ? sizes : [10_000, 30_000, 100_000]) {
  const found = await runPage(`${site.url}/bench/consolidate.html`, 'run', { facts });
  const { seconds, merged, faded, calls, median, p99, secondLongest, longest } = found;
  const times = [median, p99, secondLongest, longest].map((ms) => ms.toFixed(1)).join(' | ');
  console.log(`| ${facts} | ${seconds.toFixed(2)} | ${merged} | ${faded} | ${calls} | ${times} |`);
}
await site.close();
