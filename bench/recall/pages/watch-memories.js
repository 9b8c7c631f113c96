// Imported first by every worker that holds an engine: counts the memories of the WebAssembly modules started there.
// The browser's own count of a page's memory leaves these out.
const memories = new Set();
const { instantiate, instantiateStreaming, Instance, Memory } = WebAssembly;

const keep = (memory) => memories.add(new WeakRef(memory));
function keepExports({ exports }) {
  for (const exported of Object.values(exports)) if (exported instanceof Memory) keep(exported);
}
const watched = (start) =>
  async function (...given) {
    const result = await start.apply(WebAssembly, given);
    keepExports(result.instance ?? result);
    return result;
  };
const watchedClass = (made, found) =>
  new Proxy(made, {
    construct(target, given) {
      const object = Reflect.construct(target, given);
      found(object);
      return object;
    },
  });
WebAssembly.instantiate = watched(instantiate);
WebAssembly.instantiateStreaming = watched(instantiateStreaming);
WebAssembly.Instance = watchedClass(Instance, keepExports);
WebAssembly.Memory = watchedClass(Memory, keep);

const channel = new BroadcastChannel('wasm-bytes');
channel.onmessage = () => {
  globalThis.gc?.();
  // One memory may have been seen twice: imported by one module and exported by the next.
  const held = new Set([...memories].map((memory) => memory.deref()));
  held.delete(undefined);
  channel.postMessage([...held].reduce((sum, { buffer }) => sum + buffer.byteLength, 0));
};
