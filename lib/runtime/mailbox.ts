/** What lies in the first of a message's two slots and says how to read the second. */
export interface Envelope {
  readonly kind: number;
}

const FIRST_SLOTS = 16;
/** A ring above this many slots is given back as soon as it is empty. */
const KEPT_SLOTS = 4096;

/**
 * Messages in the order they came, in a ring of two slots each: the envelope and its payload. Sending allocates nothing
 * but the ring, which is made by the first message and doubles when full.
 */
export class Mailbox {
  private slots: unknown[] = new Array<unknown>(FIRST_SLOTS).fill(undefined);
  private mask = FIRST_SLOTS - 1;
  // Counted in slots and never wrapped: the difference is the number of slots in use.
  private head = 0;
  private tail = 0;

  get length(): number {
    return (this.tail - this.head) >>> 1;
  }

  get isEmpty(): boolean {
    return this.head === this.tail;
  }

  push(envelope: Envelope, payload: unknown): void {
    if (this.tail - this.head > this.mask) this.grow();
    const at = this.tail & this.mask;
    this.slots[at] = envelope;
    this.slots[at + 1] = payload;
    this.tail += 2;
  }

  /** The envelope of the oldest message. Only when there is one. */
  peek(): Envelope {
    return this.slots[this.head & this.mask] as Envelope;
  }

  /** Takes the oldest message out and gives its payload; {@link peek} gave its envelope. */
  take(): unknown {
    const at = this.head & this.mask;
    const payload = this.slots[at + 1];
    // The ring must not keep alive what was handled.
    this.slots[at] = undefined;
    this.slots[at + 1] = undefined;
    this.head += 2;
    if (this.head === this.tail && this.mask >= KEPT_SLOTS) this.shrink();
    return payload;
  }

  /** Goes through what is waiting, oldest first, without taking it. */
  forEach(visit: (envelope: Envelope, payload: unknown) => void): void {
    for (let at = this.head; at !== this.tail; at += 2) {
      visit(this.slots[at & this.mask] as Envelope, this.slots[(at & this.mask) + 1]);
    }
  }

  /** Takes out the first message with this envelope whose payload matches, and answers whether there was one. */
  remove(envelope: Envelope, matches: (payload: unknown) => boolean): boolean {
    const { slots, mask } = this;
    for (let at = this.head; at !== this.tail; at += 2) {
      if (slots[at & mask] !== envelope || !matches(slots[(at & mask) + 1])) continue;
      // What is older moves up by one, so the gap is at the head.
      for (; at !== this.head; at -= 2) {
        slots[at & mask] = slots[(at - 2) & mask];
        slots[(at & mask) + 1] = slots[((at - 2) & mask) + 1];
      }
      this.take();
      return true;
    }
    return false;
  }

  private grow(): void {
    const { slots, mask } = this;
    const from = this.head & mask;
    const grown = slots.slice(from).concat(slots.slice(0, from));
    for (let i = slots.length; i > 0; i--) grown.push(undefined);
    this.head = 0;
    this.tail = slots.length;
    this.mask = grown.length - 1;
    this.slots = grown;
  }

  private shrink(): void {
    this.slots = new Array<unknown>(FIRST_SLOTS).fill(undefined);
    this.mask = FIRST_SLOTS - 1;
    this.head = this.tail = 0;
  }
}
