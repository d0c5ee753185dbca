import type { Deadline } from './deadline.js';
import { DeadlineHeap } from './deadline-heap.js';
import { DeadlineList } from './deadline-list.js';
import type { Clock } from '../ports.js';
import type { RootContext } from '../scheduling/root-context.js';

/** Applications use a handful of distinct timeouts. Past that many, a list per length would only collect timers. */
const MOST_LISTS = 32;

/** All pending deadlines of a runtime. */
export class Deadlines {
  private readonly lists = new Map<number, DeadlineList>();
  private readonly heap: DeadlineHeap;
  private lastUsed: DeadlineList | null = null;
  private isClosed = false;

  constructor(
    private readonly clock: Clock,
    private readonly root: RootContext,
    /** Asks for {@link settle} to be called at the end of this turn of the loop. */
    private readonly expectTurnEnd: () => void,
  ) {
    this.heap = new DeadlineHeap(clock, root);
  }

  /**
   * Lets `deadline` expire `lengthMs` from now, or from the end of this turn where the clock is costly. For lengths that many
   * deadlines have in common. Infinity never expires.
   */
  add(deadline: Deadline, lengthMs: number): void {
    if (lengthMs === Infinity) return;
    const list =
      this.lastUsed !== null && this.lastUsed.lengthMs === lengthMs ? this.lastUsed : this.findList(lengthMs);
    if (list === null) this.addUnshared(deadline, lengthMs);
    else list.add(deadline);
  }

  /** The same for a length that is hardly shared: a message to be sent later. */
  addUnshared(deadline: Deadline, lengthMs: number): void {
    if (lengthMs === Infinity) return;
    this.heap.add(deadline, lengthMs);
  }

  /** Milliseconds until a pending deadline that was added unshared expires, rounded up, never negative. */
  remainingMs(deadline: Deadline): number {
    return Math.max(0, Math.ceil(deadline.expiresAt! - this.clock.now()));
  }

  get isEmpty(): boolean {
    if (!this.heap.isEmpty) return false;
    for (const list of this.lists.values()) if (!list.isEmpty) return false;
    return true;
  }

  /** Called at the end of each turn of the loop: lists where nobody waits let the Node process end. */
  settle(): void {
    this.heap.settle();
    for (const list of this.lists.values()) list.settle();
  }

  /** Takes every platform timer down. Nothing expires any more, nor what is added later. */
  close(): void {
    this.isClosed = true;
    this.heap.close();
    for (const list of this.lists.values()) list.close();
  }

  private findList(lengthMs: number): DeadlineList | null {
    let list = this.lists.get(lengthMs);
    if (list === undefined) {
      if (this.lists.size >= MOST_LISTS) return null;
      list = new DeadlineList(lengthMs, this.clock, this.root, this.expectTurnEnd);
      if (this.isClosed) list.close();
      this.lists.set(lengthMs, list);
    }
    this.lastUsed = list;
    return list;
  }
}
