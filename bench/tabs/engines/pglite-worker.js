// As in PGlite's documentation (pglite.dev/docs/multi-tab-worker).
import { PGlite } from '/peers/@electric-sql/pglite/dist/index.js';
import { worker } from '/peers/@electric-sql/pglite/dist/worker/index.js';

worker({ init: async ({ dataDir }) => new PGlite({ dataDir }) });
