/** Runs a function one run at a time. Calls that come during a run share the next run. */
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
