import { Alarm } from './alarm.js';
import type { Deadline, DeadlineQueue } from './deadline.js';
import { FirstFailure } from '../first-failure.js';
import type { Clock } from '../ports.js';
import type { RootContext } from '../scheduling/root-context.js';

/** One entry of a deadline in the heap. The deadline may be cancelled, and added again, before the stale entry is removed. */
class HeapEntry implements DeadlineQueue {
  constructor(
    private readonly heap: DeadlineHeap,
    readonly deadline: Deadline,
    readonly at: number,
    /** A running number, so that deadlines with equal due times expire in the order they were added. */
    readonly ticket: number,
  ) {
    deadline.queue = this;
    deadline.expiresAt = at;
  }

  /** Whether the deadline was cancelled, or cancelled and added again. */
  get isStale(): boolean {
    return this.deadline.queue !== this;
  }

  remove(): void {
    this.deadline.queue = null;
    this.heap.removed();
  }
}

/**
 * Deadlines of any length, in the order they are due (K3): a binary heap with one platform timer. Removing a deadline only makes its entry
 * stale, and stale entries are swept when they are the majority, so repeated cancelling and re-arming stays cheap.
 */
export class DeadlineHeap {
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

  add(deadline: Deadline, lengthMs: number): void {
    const now = this.clock.now();
    this.live++;
    this.insert(new HeapEntry(this, deadline, now + lengthMs, ++this.added));
    this.alarm.ringAt(this.heap[0]!.at, now);
  }

  /** Called when an entry has become stale. */
  removed(): void {
    this.live--;
    if (this.heap.length > 64 && this.heap.length > this.live * 2) this.sweep();
  }

  get isEmpty(): boolean {
    return this.live === 0;
  }

  settle(): void {
    if (this.live === 0) this.alarm.release();
  }

  /** Cancels the timer and drops all deadlines. A message to a name has no owner that would cancel it. */
  close(): void {
    this.alarm.close();
    for (const entry of this.heap) if (!entry.isStale) entry.deadline.queue = null;
    this.heap = [];
    this.live = 0;
  }

  private expireUntil(now: number): void {
    const failure = new FirstFailure();
    for (let top = this.heap[0]; top !== undefined && (top.at <= now || top.isStale); top = this.heap[0]) {
      this.removeTop();
      if (top.isStale) continue;
      this.live--;
      top.deadline.queue = null;
      try {
        top.deadline.expire();
      } catch (thrown) {
        failure.note(thrown);
      }
    }
    if (this.heap.length > 0) this.alarm.ringAt(this.heap[0]!.at, now);
    failure.raise();
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
    const kept = this.heap.filter((entry) => !entry.isStale);
    this.heap = [];
    for (const entry of kept) this.insert(entry);
  }
}

function isBefore(a: HeapEntry, b: HeapEntry): boolean {
  return a.at < b.at || (a.at === b.at && a.ticket < b.ticket);
}
