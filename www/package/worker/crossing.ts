// What a call has to wait for before it is carried out, and which parts of its answer can be moved instead of copied.
import { asFailure, causeOf, unreadable, type FailureMessage } from '../wire/errors.js';
import { kindOf } from '../link/calls.js';
import type { Answer, Request } from '../link/protocol.js';
import type { Engine } from '../wasm/synth_memory.js';

/**
 * Prepares what a call needs: room for a backup, or the bytes of a file. Returns the failure if that is not available.
 */
export async function prepare(engine: Engine, request: Request): Promise<FailureMessage | undefined> {
  try {
    if (kindOf(request) === 'backedUp') await engine.reserve();
    if (request.method === 'import' && request.arguments[0] instanceof Blob) {
      (request.arguments as [Uint8Array | Blob, ...unknown[]])[0] = await readBlob(request.arguments[0]);
    }
    return undefined;
  } catch (thrown) {
    const failure = asFailure(thrown);
    if (!failure) throw thrown;
    return failure;
  }
}

async function readBlob(file: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await (file.arrayBuffer ? file.arrayBuffer() : readByReader(file)));
  } catch (thrown) {
    throw unreadable(causeOf(thrown));
  }
}

/** For jsdom, whose blobs have no `arrayBuffer` yet. */
function readByReader(file: Blob): Promise<ArrayBuffer> {
  const reader = new FileReader();
  return new Promise((resolve, reject) => {
    reader.onload = () => resolve(reader.result as ArrayBuffer);
    reader.onerror = () => reject(reader.error!);
    reader.readAsArrayBuffer(file);
  });
}

/** The buffers of an answer's bytes: a file, or the blobs of a query. No one else references them, so they can be moved. */
export function buffersOf(answer: Answer): ArrayBuffer[] {
  if (!('value' in answer)) return [];
  const { value } = answer;
  if (value instanceof Uint8Array) return [value.buffer as ArrayBuffer];
  if (typeof value === 'object' && value !== null && 'columns' in value && 'rows' in value) {
    const cells = (value.rows as unknown[][]).flat();
    return cells.filter((cell) => cell instanceof Uint8Array).map((cell) => cell.buffer as ArrayBuffer);
  }
  return [];
}
