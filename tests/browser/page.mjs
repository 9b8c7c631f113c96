// A page of its own for each test: fresh profile, the package served under the strict policy.
import { freshProfile, openChromium } from '../../scripts/browsers.mjs';
import { at } from '../../scripts/process.mjs';
import { POLICY, serve } from '../../scripts/serve.mjs';

export const FOLDERS = { '/package/': [at('dist')], '/pages/': [at('tests', 'browser', 'pages')] };

/** Writes down what a page without faults does not say: errors, warnings, violations of the policy it is served with. */
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

/** Opens a browser on the blank page and gives it to `test`; clears up whatever happens. */
export async function withPage(test, { policy = POLICY, folders = FOLDERS } = {}) {
  const server = await serve({ folders, policy });
  const profile = freshProfile();
  const context = await openChromium(profile.folder);
  const open = async () => {
    const page = await context.newPage();
    await load(page);
    return page;
  };
  const load = async (page) => {
    await page.goto(`${server.url}/pages/blank.html`);
    // What every test needs in its page: the package, and an error as plain data.
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
    await test({ page: await open(), open, load, context, origin: server.url });
  } finally {
    await context.close();
    profile.remove();
    await server.close();
  }
}
