import type { Clock, TimerHandle } from '../../lib/runtime/ports.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** A clock that stands still until it is turned by hand. Later turns of the event loop are real ones. */
export class ManualClock implements Clock {
  private time = 1_000;
  private armed = 0;
  private readonly timers = new Set<Timer>();

  now(): number {
    return this.time;
  }

  wallTime(): number {
    return this.time;
  }

  setTimer(delayMs: number, fire: () => void): TimerHandle {
    if (!Number.isFinite(delayMs) || delayMs > 2 ** 31 - 1)
      throw new RangeError(`the platform would fire at once: ${delayMs}`);
    const timer = { at: this.time + delayMs, order: this.armed++, fire };
    this.timers.add(timer);
    return { cancel: () => this.timers.delete(timer), ref: () => undefined, unref: () => undefined };
  }

  nextTurn(turn: () => void): void {
    setImmediate(turn);
  }

  /** How many platform timers are armed. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** Lets `ms` milliseconds pass for a world at rest: what is due fires in order, and the world comes to rest after each. */
  async advance(ms: number): Promise<void> {
    await settle();
    const until = this.time + ms;
    for (let next = this.next(until); next !== undefined; next = this.next(until)) {
      this.timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.fire();
      await settle();
    }
    this.time = until;
    await settle();
  }

  /** Lets `ms` milliseconds pass in which nothing runs, as when the event loop is blocked; then fires what is due in one go. */
  block(ms: number): void {
    this.time += ms;
    for (let next = this.next(this.time); next !== undefined; next = this.next(this.time)) {
      this.timers.delete(next);
      next.fire();
    }
  }

  private next(until: number): Timer | undefined {
    const due = [...this.timers].filter(({ at }) => at <= until);
    return due.sort((a, b) => a.at - b.at || a.order - b.order)[0];
  }
}

/** Lets everything run that can run without time passing. A turn of the event loop drains all microtasks; a few are plenty. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 8; turn++) await new Promise((resolve) => setImmediate(resolve));
}
