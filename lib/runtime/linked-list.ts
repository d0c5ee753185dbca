import { keepShape } from './keep-shape.js';

/** The place of an item in a {@link LinkedList}, by which it is taken out. */
export class Place<T> {
  /** @internal */
  previous: Place<T> | null = null;
  /** @internal */
  next: Place<T> | null = null;

  constructor(readonly item: T) {}
}

keepShape(new Place(undefined));

/**
 * Items in the order they were added. Adding one, taking one out wherever it stands, and finding the first cost the same however many
 * there are. A `Set` does not promise the last: what was deleted from its front is skipped each time, until it is made anew.
 */
export class LinkedList<T> {
  private head: Place<T> | null = null;
  private tail: Place<T> | null = null;
  private count = 0;

  get size(): number {
    return this.count;
  }

  get first(): T | undefined {
    return this.head?.item;
  }

  add(item: T): Place<T> {
    const place = new Place(item);
    place.previous = this.tail;
    if (this.tail === null) this.head = place;
    else this.tail.next = place;
    this.tail = place;
    this.count++;
    return place;
  }

  /** The place must be one of this list, and still hold its item. */
  remove(place: Place<T>): void {
    const { previous, next } = place;
    if (previous === null) this.head = next;
    else previous.next = next;
    if (next === null) this.tail = previous;
    else next.previous = previous;
    place.previous = place.next = null;
    this.count--;
  }

  /** Items may be taken out meanwhile, except the one that comes next. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (let place = this.head; place !== null; place = place.next) yield place.item;
  }

  find(matches: (item: T) => boolean): T | undefined {
    for (let place = this.head; place !== null; place = place.next) if (matches(place.item)) return place.item;
    return undefined;
  }

  /** A copy of those that match, or of all. */
  toArray(matches?: (item: T) => boolean): T[] {
    const items: T[] = [];
    for (let place = this.head; place !== null; place = place.next) {
      if (matches === undefined || matches(place.item)) items.push(place.item);
    }
    return items;
  }
}

keepShape(new LinkedList());
