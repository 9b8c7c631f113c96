// How a leader ends.

/** Runs a function in a page's worker, which ends by it. */
async function endWorker(page, how) {
  const [worker] = page.workers();
  const gone = new Promise((resolve) => worker.once('close', resolve));
  await worker.evaluate(how);
  await gone;
}

// Both are deferred, so that the worker can answer the test before it ends.
const fail = () =>
  void setTimeout(() => {
    throw new Error('broken on purpose');
  });
/** Without a word to its page, as a worker may end that the browser takes the memory from. */
const close = () => void setTimeout(() => self.close());

/** `survives`: whether its page lives on, and has to be answered like the others. */
export const ENDINGS = {
  'worker throws': {
    survives: true,
    end: (tabs, leader) => endWorker(leader.page, fail),
  },
  'tab closed': {
    survives: false,
    end: (tabs, leader) => leader.page.close(),
  },
  'renderer SIGKILL': {
    survives: false,
    end: async (tabs, leader) => {
      process.kill(leader.pid, 'SIGKILL');
    },
  },
  'worker closed': {
    survives: true,
    end: (tabs, leader) => endWorker(leader.page, close),
  },
  'browser SIGKILL': {
    survives: false,
    end: (tabs) => tabs.restart(),
  },
};
