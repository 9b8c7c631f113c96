// Names that nobody else has.

/** A random name; where the page is not served safely, there is no `randomUUID`, but there are random numbers. */
export function randomId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
