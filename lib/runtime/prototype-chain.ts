/**
 * Shows `visit` one prototype after the other, from `first` up, until it answers something other than undefined, and answers that. What is
 * said of a class is kept on its prototype, so what a class inherits is found on the way up.
 */
export function walkPrototypes<T>(first: object | null, visit: (prototype: object) => T | undefined): T | undefined {
  for (let prototype = first; prototype !== null; prototype = Object.getPrototypeOf(prototype) as object | null) {
    const found = visit(prototype);
    if (found !== undefined) return found;
  }
  return undefined;
}
