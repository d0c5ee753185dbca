/** In an object with more keys than this, the keys are data, and their exact number does not matter. */
export const MANY_KEYS = 5_000;

/**
 * The engine lists the keys of an object all at once or not at all: leaving a loop over them early saves nothing, and listing a
 * dictionary of a million keys takes half a second. So it is done once per object, not once for each error that names it.
 */
const dictionaries = new WeakSet<object>();

/** The names of an object's own enumerable fields; none for an object that is known to have very many. Not for proxies. */
export function visibleKeysOf(value: object): readonly string[] | null {
  if (dictionaries.has(value)) return null;
  const keys = Object.keys(value);
  if (keys.length <= MANY_KEYS) return keys;
  dictionaries.add(value);
  return null;
}
