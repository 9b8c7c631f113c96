// A page's side of a worker that answers calls by name: one message there, one back.
export function startWorker(file) {
  const worker = new Worker(new URL(file, import.meta.url), { type: 'module' });
  const waiting = new Map();
  let next = 0;
  worker.onmessage = ({ data: { id, value, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (error === undefined) resolve(value);
    else reject(new Error(error));
  };
  worker.onerror = ({ message }) => {
    for (const { reject } of waiting.values()) reject(new Error(message));
  };
  /** Large arrays are moved, not copied, where they are named in `transfer`. */
  return (call, given = [], transfer = []) =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, call, given }, transfer);
    });
}

/** The worker's side: what it can be asked for. */
export function answer(calls) {
  self.onmessage = async ({ data: { id, call, given } }) => {
    try {
      self.postMessage({ id, value: await calls[call](...given) });
    } catch (error) {
      self.postMessage({ id, error: String(error?.message ?? error) });
    }
  };
}

/** What of an engine can be sent in a message. */
export async function describe({ name, storage, exact, endings, settings, notes, missing }) {
  return { name, storage, exact, endings, settings, notes, missing: await missing?.() };
}
