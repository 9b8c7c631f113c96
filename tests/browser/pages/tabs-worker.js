// A worker of a page's own that opens the memory which its page has open.
import { look } from './tabs.js';

postMessage(await look());
