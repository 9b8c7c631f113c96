/** Makes the runs of a function follow each other. Calls that come while one is under way share the next. */
export function inTurn(run: () => Promise<void>): () => Promise<void> {
  let last = Promise.resolve();
  let next: Promise<void> | undefined;
  return () => {
    next ??= last
      .catch(() => undefined)
      .then(() => {
        last = next!;
        next = undefined;
        return run();
      });
    return next;
  };
}
