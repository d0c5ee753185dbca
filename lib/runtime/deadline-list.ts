import { Alarm } from './alarm.js';
import type { Deadline, DeadlineQueue } from './deadline.js';
import type { Clock } from './ports.js';
import type { RootContext } from './root-context.js';

/**
 * Deadlines of one length, which therefore expire in the order they were added: adding and removing cost a few pointers,
 * and all of them share one platform timer.
 */
export class DeadlineList implements DeadlineQueue {
  private first: Deadline | null = null;
  private last: Deadline | null = null;
  private readonly alarm: Alarm;

  constructor(
    readonly lengthMs: number,
    private readonly clock: Clock,
    root: RootContext,
  ) {
    this.alarm = new Alarm(clock, root, (now) => this.expireUntil(now));
  }

  add(deadline: Deadline): void {
    const now = this.clock.now();
    deadline.expiresAt = now + this.lengthMs;
    deadline.queue = this;
    deadline.previous = this.last;
    if (this.last === null) {
      this.first = deadline;
      this.alarm.ringAt(deadline.expiresAt, now);
    } else {
      this.last.next = deadline;
    }
    this.last = deadline;
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

  /** Lets the Node process end when nothing waits here. */
  settle(): void {
    if (this.first === null) this.alarm.release();
  }

  /** Takes the timer down, and lets go of whoever waits. */
  close(): void {
    this.alarm.close();
    while (this.first !== null) this.remove(this.first);
  }

  private expireUntil(now: number): void {
    for (let due = this.first; due !== null && due.expiresAt <= now; due = this.first) {
      this.remove(due);
      due.expire();
    }
    if (this.first !== null) this.alarm.ringAt(this.first.expiresAt, now);
  }
}
