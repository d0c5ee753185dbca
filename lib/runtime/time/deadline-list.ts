import { Alarm } from './alarm.js';
import type { Deadline, DeadlineQueue } from './deadline.js';
import { FirstFailure } from '../first-failure.js';
import type { Clock } from '../ports.js';
import type { RootContext } from '../scheduling/root-context.js';

/**
 * Deadlines of one length, which expire in the order they were added. Adding and removing one costs a few pointer writes, and all of them
 * share one platform timer.
 */
export class DeadlineList implements DeadlineQueue {
  private first: Deadline | null = null;
  private last: Deadline | null = null;
  private readonly alarm: Alarm;

  constructor(
    readonly lengthMs: number,
    private readonly clock: Clock,
    root: RootContext,
    /** Requests a call of {@link settle} at the end of this turn. */
    private readonly expectTurnEnd: () => void,
  ) {
    this.alarm = new Alarm(clock, root, (now) => this.expireUntil(now));
  }

  add(deadline: Deadline): void {
    deadline.queue = this;
    deadline.previous = this.last;
    if (this.last === null) this.first = deadline;
    else this.last.next = deadline;
    this.last = deadline;
    // The armed timer fires for a deadline that was added earlier, so in time for this one: reading the clock can wait.
    if (this.clock.isCostly === true && this.alarm.isArmed) {
      deadline.expiresAt = null;
      this.alarm.hold();
      this.expectTurnEnd();
      return;
    }
    const now = this.clock.now();
    deadline.expiresAt = now + this.lengthMs;
    if (this.first === deadline) this.alarm.ringAt(deadline.expiresAt, now);
  }

  remove(deadline: Deadline): void {
    const { previous, next } = deadline;
    if (previous === null) this.first = next;
    else previous.next = next;
    if (next === null) this.last = previous;
    else next.previous = previous;
    deadline.previous = null;
    deadline.next = null;
    deadline.queue = null;
  }

  get isEmpty(): boolean {
    return this.first === null;
  }

  /** Called at the end of a turn. Sets the due times left open in it, or lets the Node process end if no deadline is pending here. */
  settle(): void {
    if (this.last === null) this.alarm.release();
    else if (this.last.expiresAt === null) {
      const now = this.clock.now();
      this.setOpenDueTimes(now);
      this.alarm.ringAt(this.first!.expiresAt!, now);
    }
  }

  /** Cancels the timer and drops all deadlines. */
  close(): void {
    this.alarm.close();
    while (this.first !== null) this.remove(this.first);
  }

  /** Counts the pending deadlines that were added in this turn from now on. */
  private setOpenDueTimes(now: number): void {
    const expiresAt = now + this.lengthMs;
    for (let open = this.last; open?.expiresAt === null; open = open.previous) open.expiresAt = expiresAt;
  }

  private expireUntil(now: number): void {
    const failure = new FirstFailure();
    this.setOpenDueTimes(now);
    for (let due = this.first; due !== null && due.expiresAt !== null && due.expiresAt <= now; due = this.first) {
      this.remove(due);
      try {
        due.expire();
      } catch (thrown) {
        failure.note(thrown);
      }
    }
    if (this.first !== null) this.alarm.ringAt(this.first.expiresAt ?? now + this.lengthMs, now);
    failure.raise();
  }
}
