// The browser that the tests of a file share. Each test has pages at its own origin, served under the strict policy.
import { after } from 'node:test';
import { freshProfile, openChromium } from '../../scripts/browsers.mjs';
import { at } from '../../scripts/process.mjs';
import { POLICY, serve } from '../../scripts/serve.mjs';

export const FOLDERS = { '/package/': [at('dist')], '/pages/': [at('tests', 'browser', 'pages')] };

/** Records the errors, warnings and policy violations of a page. */
export function noteComplaints(page, complaints) {
  page.on('pageerror', (error) => complaints.push(`${error}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
}

/** Ends the page's worker, as a defect would. */
export async function breakWorker(page) {
  const [worker] = page.workers();
  const gone = new Promise((resolve) => worker.once('close', resolve));
  await worker.evaluate(
    () =>
      void setTimeout(() => {
        throw new Error('broken on purpose');
      }),
  );
  await gone;
}

/**
 * A browser that the tests of a file share: it opens when first needed and closes after the last test. Stored data
 * belongs to the origin, so each test needs its own server.
 */
export function sharedBrowser(options = {}) {
  let opening;

  async function open() {
    const profile = freshProfile();
    const context = await openChromium(profile.folder, options);
    // The page that is open from the start keeps the browser alive between tests.
    const [keeper] = context.pages();
    return { profile, context, keeper, session: await context.newCDPSession(keeper) };
  }

  async function close() {
    if (!opening) return;
    const { context, profile } = await opening;
    opening = undefined;
    await context.close();
    profile.remove();
  }
  after(close);

  return {
    /** The browser's context. */
    context: async () => (await (opening ??= open())).context,
    /** Closes a test's pages, and removes its routes and all data of its origin. */
    async reset(origin) {
      try {
        const { context, keeper, session } = await opening;
        await Promise.all(context.pages().map((page) => page !== keeper && page.close()));
        await context.unrouteAll({ behavior: 'ignoreErrors' });
        await session.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
      } catch {
        // A browser that cannot be reset is not used again.
        await close();
      }
    },
  };
}

const browser = sharedBrowser();

/** The time limit of a test. It is far below the limit of its file, so that a test that hangs is named. */
const MOST_MS = 180_000;

/** Rejects if `what` exceeds the time limit of a test. */
async function inTime(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not ended after ${MOST_MS / 1000} s.`)), MOST_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Opens the blank page and passes it to `test`. Always cleans up. */
export async function withPage(test, { policy = POLICY, folders = FOLDERS } = {}) {
  const context = await inTime('Starting the browser', browser.context());
  const server = await serve({ folders, policy });
  const open = async () => {
    const page = await context.newPage();
    await load(page);
    return page;
  };
  const load = async (page) => {
    await page.goto(`${server.url}/pages/blank.html`);
    // Every test needs in its page the package, and a function that converts an error to plain data.
    await page.evaluate(async () => {
      window.library = await import('/package/index.js');
      window.told = (error) => ({
        code: error.code,
        message: error.message,
        hint: error.hint,
        cause: error.cause && { name: error.cause.name, message: error.cause.message },
        isMemoryError: error instanceof window.library.MemoryError,
      });
    });
  };
  try {
    const page = await inTime('Opening the page', open());
    await inTime('The test', test({ page, open, load, context, origin: server.url }));
  } finally {
    await inTime('Clearing up', browser.reset(server.url));
    await server.close();
  }
}
