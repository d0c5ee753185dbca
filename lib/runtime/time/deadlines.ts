import type { Deadline } from './deadline.js';
import { DeadlineHeap } from './deadline-heap.js';
import { DeadlineList } from './deadline-list.js';
import type { Clock } from '../ports.js';
import type { RootContext } from '../scheduling/root-context.js';

/** Applications use a handful of distinct timeouts. With more lengths than this, one list per length would only pile up timers. */
const MAX_LISTS = 32;

/** All pending deadlines of a runtime. */
export class Deadlines {
  private readonly lists = new Map<number, DeadlineList>();
  private readonly heap: DeadlineHeap;
  private lastUsed: DeadlineList | null = null;
  private isClosed = false;

  constructor(
    private readonly clock: Clock,
    private readonly root: RootContext,
    /** Requests a call of {@link settle} at the end of this turn of the event loop. */
    private readonly expectTurnEnd: () => void,
  ) {
    this.heap = new DeadlineHeap(clock, root);
  }

  /**
   * Makes `deadline` expire in `lengthMs` milliseconds, counted from now, or from the end of this turn if the clock is costly. For lengths
   * that many deadlines share. `Infinity` never expires.
   */
  add(deadline: Deadline, lengthMs: number): void {
    if (lengthMs === Infinity) return;
    const list =
      this.lastUsed !== null && this.lastUsed.lengthMs === lengthMs ? this.lastUsed : this.findList(lengthMs);
    if (list === null) this.addUnshared(deadline, lengthMs);
    else list.add(deadline);
  }

  /** Like {@link add}, for a length that few deadlines share, such as the delay of a message. */
  addUnshared(deadline: Deadline, lengthMs: number): void {
    if (lengthMs === Infinity) return;
    this.heap.add(deadline, lengthMs);
  }

  /** The milliseconds until a pending deadline of {@link addUnshared} expires, rounded up, never negative. */
  remainingMs(deadline: Deadline): number {
    return Math.max(0, Math.ceil(deadline.expiresAt! - this.clock.now()));
  }

  get isEmpty(): boolean {
    if (!this.heap.isEmpty) return false;
    for (const list of this.lists.values()) if (!list.isEmpty) return false;
    return true;
  }

  /** Called at the end of each turn of the event loop: lists without pending deadlines let the Node process end. */
  settle(): void {
    this.heap.settle();
    for (const list of this.lists.values()) list.settle();
  }

  /** Cancels every platform timer. No deadline expires from now on, including those that are added later. */
  close(): void {
    this.isClosed = true;
    this.heap.close();
    for (const list of this.lists.values()) list.close();
  }

  private findList(lengthMs: number): DeadlineList | null {
    let list = this.lists.get(lengthMs);
    if (list === undefined) {
      if (this.lists.size >= MAX_LISTS) return null;
      list = new DeadlineList(lengthMs, this.clock, this.root, this.expectTurnEnd);
      if (this.isClosed) list.close();
      this.lists.set(lengthMs, list);
    }
    this.lastUsed = list;
    return list;
  }
}
