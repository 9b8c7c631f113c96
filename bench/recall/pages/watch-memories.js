// Every worker that holds an engine imports this first. It counts the memories of the WebAssembly modules started
// there, which the browser's own count of a page's memory omits.
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
  // A memory can appear twice: imported by one module and exported by another.
  const held = new Set([...memories].map((memory) => memory.deref()));
  held.delete(undefined);
  channel.postMessage([...held].reduce((sum, { buffer }) => sum + buffer.byteLength, 0));
};
