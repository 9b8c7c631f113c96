// Names that nobody else has.

/**
 * A random name. Where the page is not served safely there is no `randomUUID`, but there are random numbers; where something in
 * the page broke those too, these are random enough to be nobody else's.
 */
export function randomId(): string {
  try {
    const id: unknown = crypto.randomUUID();
    if (typeof id === 'string') return id;
  } catch {
    // Made below.
  }
  const bytes = new Uint8Array(16);
  try {
    crypto.getRandomValues(bytes);
  } catch {
    for (const at of bytes.keys()) bytes[at] = Math.random() * 256;
  }
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
