import { Memory } from '../package/index.js';

const memory = await Memory.open();
document.body.textContent = JSON.stringify(memory.status);
