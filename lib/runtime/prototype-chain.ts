/**
 * Calls `visit` with each prototype, from `first` upwards, until it returns something other than undefined, and returns that. Metadata of
 * a class is stored on its prototype, so the walk finds inherited metadata as well.
 */
export function walkPrototypes<T>(first: object | null, visit: (prototype: object) => T | undefined): T | undefined {
  for (let prototype = first; prototype !== null; prototype = Object.getPrototypeOf(prototype) as object | null) {
    const found = visit(prototype);
    if (found !== undefined) return found;
  }
  return undefined;
}
