// A page's side of the official module in a worker: one message there, one back.
export function openOfficial() {
  const worker = new Worker('/bench/official-worker.js', { type: 'module' });
  const waiting = new Map();
  let next = 0;
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) reject(new Error(data.error));
    else resolve(data.value);
  };
  return (call, ...given) =>
    new Promise((resolve, reject) => {
      const id = next++;
      waiting.set(id, { resolve, reject });
      worker.postMessage({ id, call, given });
    });
}
