/** Whether two results are equal: the same values, dates and bytes in the same places. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  const prototype: unknown = Object.getPrototypeOf(one);
  if (prototype !== Object.getPrototypeOf(other)) return false;
  if (one instanceof Date) return Object.is(one.getTime(), (other as Date).getTime());
  // Other objects, such as a Map, cannot be compared by their fields.
  if (!(ArrayBuffer.isView(one) || Array.isArray(one) || prototype === Object.prototype)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name as keyof object], other[name as keyof object]))
  );
}
