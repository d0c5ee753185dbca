/** Of an object with more keys than these, the keys are data, and how many there are says no more than that there are many. */
export const MANY_KEYS = 5_000;

/**
 * The engine lists the keys of an object all at once or not at all: no loop over them can be left early to save anything, and of a
 * dictionary of a million keys that takes half a second. So it is done once for each, not once for each error that names it.
 */
const dictionaries = new WeakSet<object>();

/** The names of an object's own fields that show, none of an object that is known to have very many. Not for proxies. */
export function visibleKeysOf(value: object): readonly string[] | null {
  if (dictionaries.has(value)) return null;
  const keys = Object.keys(value);
  if (keys.length <= MANY_KEYS) return keys;
  dictionaries.add(value);
  return null;
}
