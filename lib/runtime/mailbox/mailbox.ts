import { keepShape } from '../keep-shape.js';

/** What lies in the first of a message's two slots and says how to read the second. */
export interface Envelope {
  readonly kind: number;
}

/** A queue of this length is worth a report, and so is one of ten times as many. */
const FIRST_HIGH_WATER = 10_000;
const FIRST_SLOTS = 8;
/** A ring above this many slots is given back as soon as it is empty. */
const KEPT_SLOTS = 4096;
/** Up to this many slots, a ring that will be given back grows by so much. */
const BURST_SLOTS = 2 ** 20;
const BURST_GROWTH = 8;

/**
 * Messages in the order they came, in a ring of two slots each: the envelope and its payload. Sending allocates nothing
 * but the ring, which is made by the first message and grows when full.
 */
export class Mailbox {
  private slots: unknown[] = new Array<unknown>(FIRST_SLOTS);
  private mask = FIRST_SLOTS - 1;
  // Counted in slots and never wrapped: the difference is the number of slots in use.
  private head = 0;
  private tail = 0;
  /** How many slots are in use when somebody should be told. */
  private highWater = 2 * FIRST_HIGH_WATER;

  get length(): number {
    return (this.tail - this.head) >>> 1;
  }

  get isEmpty(): boolean {
    return this.head === this.tail;
  }

  /** Whether there is no room for another message. */
  get isFull(): boolean {
    return false;
  }

  /** Whether the queue has grown to a length that is worth a report. */
  get isHigh(): boolean {
    return this.tail - this.head >= this.highWater;
  }

  /** The next report is due at ten times the length, or from the beginning when the mailbox has been empty in between. */
  raiseHighWater(): void {
    this.highWater *= 10;
  }

  push(envelope: Envelope, payload: unknown): void {
    if (this.tail - this.head > this.mask) this.grow();
    const at = this.tail & this.mask;
    this.slots[at] = envelope;
    this.slots[at + 1] = payload;
    this.tail += 2;
  }

  /**
   * The envelope of the oldest message. A message is taken in two steps, since an object for both slots would be an allocation per
   * message: `peek` gives the envelope, then {@link take} removes the message and gives the payload. Call neither on an empty mailbox.
   */
  peek(): Envelope {
    return this.slots[this.head & this.mask] as Envelope;
  }

  /** Removes the oldest message and gives its payload. Read its envelope by {@link peek} before. */
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
      this.takeAt(at);
      return true;
    }
    return false;
  }

  /** Takes out the oldest message whose envelope matches, wherever it stands. */
  protected evictOldest(matches: (envelope: Envelope) => boolean): [Envelope, unknown] | undefined {
    for (let at = this.head; at !== this.tail; at += 2) {
      if (matches(this.slots[at & this.mask] as Envelope)) return this.takeAt(at);
    }
    return undefined;
  }

  /** The same for the youngest. */
  protected evictNewest(matches: (envelope: Envelope) => boolean): [Envelope, unknown] | undefined {
    const { slots, mask } = this;
    for (let at = this.tail - 2; at >= this.head; at -= 2) {
      const envelope = slots[at & mask] as Envelope;
      if (!matches(envelope)) continue;
      const taken: [Envelope, unknown] = [envelope, slots[(at & mask) + 1]];
      // What is younger moves down by one: going through the older ones would cost as much as the queue is long.
      for (; at !== this.tail - 2; at += 2) {
        slots[at & mask] = slots[(at + 2) & mask];
        slots[(at & mask) + 1] = slots[((at + 2) & mask) + 1];
      }
      slots[at & mask] = undefined;
      slots[(at & mask) + 1] = undefined;
      this.tail = at;
      return taken;
    }
    return undefined;
  }

  private takeAt(position: number): [Envelope, unknown] {
    const { slots, mask } = this;
    const taken: [Envelope, unknown] = [slots[position & mask] as Envelope, slots[(position & mask) + 1]];
    // What is older moves up by one, so the gap is at the head.
    for (let at = position; at !== this.head; at -= 2) {
      slots[at & mask] = slots[(at - 2) & mask];
      slots[(at & mask) + 1] = slots[((at - 2) & mask) + 1];
    }
    slots[this.head & mask] = taken[0];
    this.take();
    return taken;
  }

  private grow(): void {
    const { slots, mask, head } = this;
    // In one piece: every copy of a queue of a million is a full collection that somebody waits for. And a large one in few steps: to
    // touch fresh memory took longer than all the rest of a burst.
    const grown = new Array<unknown>(slots.length * growthOf(slots.length));
    for (let i = 0; i < slots.length; i++) grown[i] = slots[(head + i) & mask];
    this.head = 0;
    this.tail = slots.length;
    this.mask = grown.length - 1;
    this.slots = grown;
  }

  private shrink(): void {
    this.slots = new Array<unknown>(FIRST_SLOTS);
    this.mask = FIRST_SLOTS - 1;
    this.head = this.tail = 0;
    this.highWater = 2 * FIRST_HIGH_WATER;
  }
}

keepShape(new Mailbox());

function growthOf(slots: number): number {
  return slots < KEPT_SLOTS || slots >= BURST_SLOTS ? 2 : BURST_GROWTH;
}
