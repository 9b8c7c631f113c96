// The dedicated worker for everything else: its engine can migrate, import and restore too.
import { runWorker } from './run-worker.js';
import * as glue from '../wasm/synth_memory.js';

runWorker(glue);
