// The dedicated worker for a memory that is at head, or new.
import { runWorker } from './run-worker.js';
import * as glue from '../wasm/synth_memory_at_head.js';

runWorker(glue);
