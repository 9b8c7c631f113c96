// Calls a worker with one message in each direction: `call(name, ...given)` runs `calls[name]` there.

/** The page's side. */
export function connect(url) {
  const worker = new Worker(url, { type: 'module' });
  const waiting = new Map();
  let next = 0;
  const rejectAll = (error) => {
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  worker.onerror = ({ message }) => rejectAll(new Error(message || `${url} could not be loaded`));
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) reject(new Error(data.error));
    else resolve(data.value);
  };
  const call = (name, ...given) =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, call: name, given });
    });
  call.end = () => worker.terminate();
  return call;
}

/** The worker's side. */
export function answer(calls) {
  self.onmessage = async ({ data }) => {
    try {
      self.postMessage({ id: data.id, value: await calls[data.call](...data.given) });
    } catch (error) {
      // The engine throws plain objects with a message.
      self.postMessage({ id: data.id, error: String(error?.stack ?? error?.message ?? error) });
    }
  };
}
