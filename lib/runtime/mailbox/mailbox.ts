import { keepShape } from '../keep-shape.js';
import type { Ref } from '../pid.js';
import { RefIndex } from './ref-index.js';

/** The content of the first of a message's two slots; its kind says how to read the second. */
export interface Envelope {
  readonly kind: number;
}

/** A backlog of this many messages is worth a report, and so is each tenfold of it. */
const FIRST_HIGH_WATER = 10_000;
/** Stands where a message was taken out of the middle of the queue. Never the first nor the last of a queue. */
const HOLE: Envelope = Object.freeze({ kind: -1 });
const FIRST_SLOTS = 8;
/** A ring with more slots than this is released as soon as it is empty. */
const KEPT_SLOTS = 4096;
/** So many positions of messages that have gone are kept, besides twice as many as there are messages. */
const MOST_STALE = 64;
/** Up to this many slots, a ring that will be given back grows by so much. */
const BURST_SLOTS = 2 ** 20;
const BURST_GROWTH = 8;

/**
 * Messages in order of arrival, in a ring with two slots per message: the envelope and its payload. Sending allocates nothing but the ring,
 * which grows when it is full.
 */
export class Mailbox {
  private slots: unknown[] = new Array<unknown>(FIRST_SLOTS);
  private mask = FIRST_SLOTS - 1;
  // Counted in slots and never wrapped: the difference is the number of slots in use.
  private head = 0;
  private tail = 0;
  /** The number of used slots at which a report is due. */
  private highWater = 2 * FIRST_HIGH_WATER;
  /** Made when a message is taken out of the middle of the queue, and dropped when the queue is empty. */
  private index: RefIndex | null = null;

  get length(): number {
    const used = (this.tail - this.head) >>> 1;
    return this.index === null ? used : used - this.index.holes;
  }

  get isEmpty(): boolean {
    return this.head === this.tail;
  }

  /** Whether there is no room for another message. */
  get isFull(): boolean {
    return false;
  }

  /** Whether the backlog has reached a length that is worth a report. */
  get isHigh(): boolean {
    return this.tail - this.head >= this.highWater && 2 * this.length >= this.highWater;
  }

  /** Makes the next report due at ten times this length, or again at the first one if the mailbox was empty in between. */
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
   * Returns the envelope of the oldest message. A message is taken in two steps, because an object for both slots would cost an allocation
   * per message: `peek` returns the envelope, then {@link take} removes the message and returns the payload. Call neither on an empty
   * mailbox.
   */
  peek(): Envelope {
    return this.slots[this.head & this.mask] as Envelope;
  }

  /** Removes the oldest message and returns its payload. Read its envelope with {@link peek} first. */
  take(): unknown {
    const at = this.head & this.mask;
    const payload = this.slots[at + 1];
    // The ring must not keep handled messages alive.
    this.slots[at] = undefined;
    this.slots[at + 1] = undefined;
    this.head += 2;
    if (this.index !== null) this.trim(this.index);
    if (this.head === this.tail && this.mask >= KEPT_SLOTS) this.shrink();
    return payload;
  }

  /** Visits the waiting messages, oldest first, without taking them. */
  forEach(visit: (envelope: Envelope, payload: unknown) => void): void {
    for (let at = this.head; at !== this.tail; at += 2) {
      const envelope = this.slots[at & this.mask] as Envelope;
      if (envelope !== HOLE) visit(envelope, this.slots[(at & this.mask) + 1]);
    }
  }

  /**
   * Takes out the oldest message with this envelope that belongs to `ref` and matches, and answers whether there was one. `refOf` tells
   * what a payload belongs to, if to anything, and must be the same function each time: every payload is looked at once, however many
   * messages are taken out.
   */
  removeByRef(
    envelope: Envelope,
    ref: Ref,
    refOf: (payload: unknown) => Ref | undefined,
    matches: (payload: unknown) => boolean,
  ): boolean {
    if (this.isEmpty) return false;
    const index = (this.index ??= new RefIndex());
    this.complete(index, envelope, refOf);
    for (const at of index.positionsOf(ref)) {
      // It may have been taken since, and its place may hold another message.
      if (at < this.head || at >= this.tail || this.slots[at & this.mask] !== envelope) continue;
      const payload = this.slots[(at & this.mask) + 1];
      if (refOf(payload) !== ref || !matches(payload)) continue;
      index.remove(ref, at);
      this.takeOut(at, index);
      return true;
    }
    return false;
  }

  /** Takes out the message with this very envelope, wherever it stands. Returns whether it was there. */
  withdraw(envelope: Envelope): boolean {
    return this.evictNewest((candidate) => candidate === envelope) !== undefined;
  }

  /** Takes out the oldest message whose envelope matches, wherever it stands, from `position` on. */
  protected evictOldest(matches: (envelope: Envelope) => boolean): [Envelope, unknown] | undefined {
    const index = (this.index ??= new RefIndex());
    for (let at = index.evictFrom(this.head); at !== this.tail; at += 2) {
      if (!matches(this.slots[at & this.mask] as Envelope)) continue;
      index.evictedAt(at);
      return this.takeOut(at, index);
    }
    return undefined;
  }

  /** Removes and returns the newest message whose envelope matches. */
  protected evictNewest(matches: (envelope: Envelope) => boolean): [Envelope, unknown] | undefined {
    for (let at = this.tail - 2; at >= this.head; at -= 2) {
      if (matches(this.slots[at & this.mask] as Envelope)) return this.takeOut(at, (this.index ??= new RefIndex()));
    }
    return undefined;
  }

  /** Looks at the messages that the index does not know yet. */
  private complete(index: RefIndex, envelope: Envelope, refOf: (payload: unknown) => Ref | undefined): void {
    // Most of what it knows has gone: what is still there is found again.
    if (index.size > 2 * this.length + MOST_STALE) index.clear();
    const { slots, mask, tail } = this;
    for (let at = index.startFrom(this.head); at < tail; at += 2) {
      const ref = slots[at & mask] === envelope ? refOf(slots[(at & mask) + 1]) : undefined;
      if (ref !== undefined) index.add(ref, at);
    }
    index.readUpTo(tail);
  }

  /** Leaves a hole where a message stood: to move the others would cost as much as the queue is long. */
  private takeOut(at: number, index: RefIndex): [Envelope, unknown] {
    const { slots, mask } = this;
    const taken: [Envelope, unknown] = [slots[at & mask] as Envelope, slots[(at & mask) + 1]];
    slots[at & mask] = HOLE;
    slots[(at & mask) + 1] = undefined;
    index.holes++;
    this.trim(index);
    if (this.isEmpty && mask >= KEPT_SLOTS) this.shrink();
    return taken;
  }

  /** Sees to it that neither the first nor the last of the queue is a hole. */
  private trim(index: RefIndex): void {
    const { slots, mask } = this;
    for (; index.holes > 0 && slots[this.head & mask] === HOLE; this.head += 2) {
      slots[this.head & mask] = undefined;
      index.holes--;
    }
    for (; index.holes > 0 && slots[(this.tail - 2) & mask] === HOLE; this.tail -= 2) {
      slots[(this.tail - 2) & mask] = undefined;
      index.holes--;
    }
    if (this.isEmpty) this.index = null;
    else index.endAt(this.tail);
  }

  private grow(): void {
    const { slots, mask, head, tail, length } = this;
    // A ring that is mostly holes is large enough. Else in one piece: every copy of a queue of a million is a full collection that
    // somebody waits for. And a large one in few steps: to touch fresh memory took longer than all the rest of a burst.
    const size = 4 * length <= slots.length ? slots.length : slots.length * growthOf(slots.length);
    const grown = new Array<unknown>(size);
    let used = 0;
    for (let at = head; at !== tail; at += 2) {
      if (slots[at & mask] === HOLE) continue;
      grown[used++] = slots[at & mask];
      grown[used++] = slots[(at & mask) + 1];
    }
    this.head = 0;
    this.tail = used;
    this.mask = grown.length - 1;
    this.slots = grown;
    // All positions are others now.
    this.index = null;
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
