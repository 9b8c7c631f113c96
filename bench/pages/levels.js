// Measures the engine of one folder, in a worker of its own.
import { connect } from './rpc.js';

window.run = (options) => connect('/bench/levels-worker.js')('measure', options);
