// Node has no OPFS: a block of the documentation that opens a memory has it in memory here.
import { Memory } from 'synth-memory';

const { open } = Memory;
Memory.open = (options) => open({ ...options, url: 'memory:' });
