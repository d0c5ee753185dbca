/** What a mailbox with a limit does with one message too many. */
export type OverflowModel = 'reject' | 'drop_newest' | 'drop_oldest';

/** A mailbox in words of its own: an array, oldest first. Items that are not countable always fit. */
export class MailboxModel<T> {
  items: T[] = [];

  constructor(
    private readonly isCountable: (item: T) => boolean = () => true,
    private readonly limit = Infinity,
    private readonly overflow: OverflowModel = 'reject',
  ) {}

  get length(): number {
    return this.items.length;
  }

  /** Takes an item in. Answers which one had to go for it, itself perhaps. */
  push(item: T): T | undefined {
    const countable = this.items.filter((other) => this.isCountable(other));
    if (!this.isCountable(item) || countable.length < this.limit) {
      this.items.push(item);
      return undefined;
    }
    if (this.overflow === 'reject') return item;
    const evicted = this.overflow === 'drop_oldest' ? countable[0]! : countable.at(-1)!;
    this.items = this.items.filter((other) => other !== evicted);
    this.items.push(item);
    return evicted;
  }

  shift(): T | undefined {
    return this.items.shift();
  }

  /** Takes out the oldest item that matches. */
  remove(matches: (item: T) => boolean): boolean {
    const at = this.items.findIndex(matches);
    if (at === -1) return false;
    this.items.splice(at, 1);
    return true;
  }

  clear(): T[] {
    return this.items.splice(0);
  }
}
