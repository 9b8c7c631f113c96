// Unique names.

/**
 * A random, unique name. A page that is not served securely has no `randomUUID`, but has `getRandomValues`. If
 * something in the page broke that too, `Math.random` is random enough.
 */
export function randomId(): string {
  try {
    const id: unknown = crypto.randomUUID();
    if (typeof id === 'string') return id;
  } catch {
    // Falls back to the code below.
  }
  const bytes = new Uint8Array(16);
  try {
    crypto.getRandomValues(bytes);
  } catch {
    for (const at of bytes.keys()) bytes[at] = Math.random() * 256;
  }
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
