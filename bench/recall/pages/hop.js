// Calls a worker from a page by name: one message in each direction.
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
  /** The arrays in `transfer` are moved, not copied. */
  return (call, given = [], transfer = []) =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, call, given }, transfer);
    });
}

/** The worker's side: answers these calls. */
export function answer(calls) {
  self.onmessage = async ({ data: { id, call, given } }) => {
    try {
      self.postMessage({ id, value: await calls[call](...given) });
    } catch (error) {
      self.postMessage({ id, error: String(error?.message ?? error) });
    }
  };
}

/** The properties of an engine that can be sent in a message. */
export async function describe({ name, storage, exact, endings, settings, notes, missing }) {
  return { name, storage, exact, endings, settings, notes, missing: await missing?.() };
}
