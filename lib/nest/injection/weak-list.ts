/** The minimum number of collected entries before the list is cleaned up. */
const FEWEST = 64;

/**
 * Objects in the order they were added, for as long as other code keeps them. Decorators run before any application exists, so their
 * requests are kept by the module; a class that is reloaded on each file change must still be collectable.
 */
export class WeakList<T extends object> {
  private refs: WeakRef<T>[] = [];
  private mostUnswept = FEWEST;

  add(object: T): void {
    this.refs.push(new WeakRef(object));
    if (this.refs.length > this.mostUnswept) this.all();
  }

  /** The entries that are still alive. */
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

/** Keeps an object for as long as its owner lives. The object may refer back to its owner. */
export function keepFor(owner: object, object: object): void {
  const all = kept.get(owner);
  if (all === undefined) kept.set(owner, [object]);
  else if (!all.includes(object)) all.push(object);
}
