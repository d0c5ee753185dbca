import { Alarm } from './alarm.js';
import type { Deadline, DeadlineQueue } from './deadline.js';
import type { Clock } from './ports.js';
import type { RootContext } from './root-context.js';

interface HeapEntry {
  readonly deadline: Deadline;
  readonly at: number;
  /** Counted up, so that equal due times expire in the order they were added. */
  readonly ticket: number;
}

/**
 * Deadlines of any length, in the order they are due (K3): a binary heap with one platform timer. Removing only marks the
 * entry, and the heap is swept when most of it is marked, so cancelling and re-arming over and over stays cheap.
 */
export class DeadlineHeap implements DeadlineQueue {
  private heap: HeapEntry[] = [];
  private live = 0;
  private added = 0;
  private readonly alarm: Alarm;

  constructor(
    private readonly clock: Clock,
    root: RootContext,
  ) {
    this.alarm = new Alarm(clock, root, (now) => this.expireUntil(now));
  }

  add(deadline: Deadline): void {
    deadline.queue = this;
    deadline.ticket = ++this.added;
    this.live++;
    this.insert({ deadline, at: deadline.expiresAt, ticket: deadline.ticket });
    this.alarm.ringAt(this.heap[0]!.at, this.clock.now());
  }

  remove(deadline: Deadline): void {
    deadline.queue = null;
    this.live--;
    if (this.heap.length > 64 && this.heap.length > this.live * 2) this.sweep();
  }

  get isEmpty(): boolean {
    return this.live === 0;
  }

  settle(): void {
    if (this.live === 0) this.alarm.release();
  }

  /** Takes the timer down, and lets go of whoever waits: a message for a name is nobody's who could take it back. */
  close(): void {
    this.alarm.close();
    for (const entry of this.heap) if (!isStale(entry, this)) entry.deadline.queue = null;
    this.heap = [];
    this.live = 0;
  }

  private expireUntil(now: number): void {
    for (let top = this.heap[0]; top !== undefined && (top.at <= now || isStale(top, this)); top = this.heap[0]) {
      this.removeTop();
      if (isStale(top, this)) continue;
      this.live--;
      top.deadline.queue = null;
      top.deadline.expire();
    }
    if (this.heap.length > 0) this.alarm.ringAt(this.heap[0]!.at, now);
  }

  private insert(entry: HeapEntry): void {
    const { heap } = this;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(heap[parent]!, entry)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = entry;
  }

  private removeTop(): void {
    const { heap } = this;
    const entry = heap.pop()!;
    const size = heap.length;
    if (size === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (isBefore(entry, heap[child]!)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = entry;
  }

  private sweep(): void {
    const kept = this.heap.filter((entry) => !isStale(entry, this));
    this.heap = [];
    for (const entry of kept) this.insert(entry);
  }
}

/** The deadline was cancelled, or cancelled and armed anew since this entry was made. */
function isStale(entry: HeapEntry, heap: DeadlineHeap): boolean {
  return entry.deadline.queue !== heap || entry.deadline.ticket !== entry.ticket;
}

function isBefore(a: HeapEntry, b: HeapEntry): boolean {
  return a.at < b.at || (a.at === b.at && a.ticket < b.ticket);
}
