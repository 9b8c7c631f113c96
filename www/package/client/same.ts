/** Whether two answers say the same: the same values, dates and bytes in the same places. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const prototype: unknown = Object.getPrototypeOf(one);
  if (prototype !== Object.getPrototypeOf(other)) return false;
  if (one instanceof Date) return Object.is(one.getTime(), (other as Date).getTime());
  // Of anything else, such as a Map, it cannot be seen in its fields.
  if (!(ArrayBuffer.isView(one) || Array.isArray(one) || prototype === Object.prototype)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name as keyof object], other[name as keyof object]))
  );
}
