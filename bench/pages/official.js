// Calls the official module in a worker from a page.
import { connect } from './rpc.js';

export const openOfficial = () => connect('/bench/official-worker.js');
