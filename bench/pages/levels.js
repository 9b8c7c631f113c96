// Measures the engine of one folder in its own worker.
import { connect } from './rpc.js';

window.run = (options) => connect('/bench/levels-worker.js')('measure', options);
