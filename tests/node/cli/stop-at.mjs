// Loaded before the program. The n-th call that changes a file kills it or fails: `STOP_AT=n`, `STOP_WITH=kill|ENOSPC`.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const at = Number(process.env.STOP_AT);
let calls = 0;
for (const name of ['openSync', 'writeSync', 'fsyncSync', 'fchmodSync', 'renameSync', 'rmSync']) {
  const call = fs[name];
  fs[name] = (...given) => {
    if (name === 'openSync' && given[1] === 'r') return call(...given);
    calls += 1;
    if (calls === at) {
      if (process.env.STOP_WITH === 'kill') {
        // Half of the bytes are written.
        if (name === 'writeSync') call(given[0], given[1].subarray(0, given[1].length / 2));
        process.kill(process.pid, 'SIGKILL');
      }
      throw Object.assign(new Error(name), { code: process.env.STOP_WITH });
    }
    return call(...given);
  };
}
syncBuiltinESMExports();
