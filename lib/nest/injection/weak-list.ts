/** How many may be gone before they are looked for, at least. */
const FEWEST = 64;

/**
 * Objects in the order they were added, as long as somebody else keeps them. Decorators run before any application exists, so what they
 * say is kept by the module; a class that is loaded anew for each change of a file must be able to go all the same.
 */
export class WeakList<T extends object> {
  private refs: WeakRef<T>[] = [];
  private mostUnswept = FEWEST;

  add(object: T): void {
    this.refs.push(new WeakRef(object));
    if (this.refs.length > this.mostUnswept) this.all();
  }

  /** Those that are still there. */
  all(): T[] {
    const present: T[] = [];
    this.refs = this.refs.filter((ref) => {
      const object = ref.deref();
      if (object !== undefined) present.push(object);
      return object !== undefined;
    });
    this.mostUnswept = Math.max(FEWEST, 2 * this.refs.length);
    return present;
  }
}

const kept = new WeakMap<object, object[]>();

/** Keeps an object for as long as its owner lives. It may lead back to its owner. */
export function keepFor(owner: object, object: object): void {
  const all = kept.get(owner);
  if (all === undefined) kept.set(owner, [object]);
  else if (!all.includes(object)) all.push(object);
}
