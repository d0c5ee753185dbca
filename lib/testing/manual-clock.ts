import { assertDurationMs } from '../runtime/errors.js';
import type { Clock, TimerHandle } from '../runtime/ports.js';
import { onNextLoopTurn } from './event-loop.js';
import { ManualClockError } from './errors.js';
import { settle } from './settle.js';

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
}

/** @publicApi */
export interface ManualClockOptions {
  /** The wall-clock time that it begins with, as a date or in milliseconds since 1970. Default: 1970-01-01T00:00:01Z. */
  readonly startAt?: Date | number;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;
const AN_HOUR_MS = 3_600_000;

/**
 * A clock that stands still until a test turns it: give it to `testWorld`, or to `GenServerModule.forRoot({ clock })`. Everything
 * that waits in the library waits on it: timeouts, `sendAfter`, restarts with a backoff, the time that a shutdown may take.
 *
 * Only time stands still. Messages, promises and later turns of the event loop go on as ever, and so do the timers of the platform
 * that are none of the library's; the runner's fake timers may be on or off.
 *
 * @publicApi
 */
export class ManualClock implements Clock {
  private time: number;
  private armed = 0;
  private turning = false;
  private readonly timers = new Set<Timer>();
  private onArmed: (() => void) | undefined;

  constructor({ startAt = 1_000 }: ManualClockOptions = {}) {
    this.time = Number(startAt);
  }

  now(): number {
    return this.time;
  }

  wallTime(): number {
    return this.time;
  }

  setTimer(delayMs: number, fire: () => void): TimerHandle {
    if (!Number.isFinite(delayMs) || delayMs > LONGEST_TIMER_MS) {
      throw new RangeError(`the platform would fire at once: ${delayMs}`);
    }
    const timer = { at: this.time + delayMs, order: this.armed++, fire };
    this.timers.add(timer);
    this.onArmed?.();
    return { cancel: () => this.timers.delete(timer), ref: () => undefined, unref: () => undefined };
  }

  nextTurn(turn: () => void): void {
    onNextLoopTurn(turn);
  }

  /** How many timers are armed. The library needs one for a whole list of deadlines, so this is not how many wait. */
  get pendingTimers(): number {
    return this.timers.size;
  }

  /** Whether it is being turned. @internal */
  get isTurning(): boolean {
    return this.turning;
  }

  /**
   * Lets `ms` milliseconds pass: what is due fires in the order it is due, and the world comes to rest after each. Resolves when
   * the world has come to rest after the last. 0 fires what is due now.
   *
   * Rejects with {@link ManualClockError} when the clock is being turned already: await one before the next.
   */
  async advance(ms: number): Promise<void> {
    assertDurationMs(ms, 'ms of ManualClock.advance', false);
    await this.turn(async () => {
      const until = this.time + ms;
      while (await this.fireNext(until));
      this.time = until;
    });
  }

  /**
   * Lets time pass to the next timer, and fires that one alone. Answers `false` when none is due within `limitMs` milliseconds,
   * which have passed then (with `Infinity`, the default: when there is none at all, and no time has passed).
   */
  async advanceToNextTimer(limitMs = Infinity): Promise<boolean> {
    assertDurationMs(limitMs, 'limitMs of ManualClock.advanceToNextTimer', true);
    return this.turn(async () => {
      const until = this.time + limitMs;
      const hasFired = await this.fireNext(until);
      if (!hasFired && until !== Infinity) this.time = until;
      return hasFired;
    });
  }

  /**
   * Lets as much time pass as it takes for `work` to settle, and gives what it gives: `await clock.advanceUntil(app.close())`.
   * Where no timer is left to fire, it waits for the outside. Time is let pass ahead of the outside, so a call that waits for a
   * real socket times out first.
   *
   * Rejects as `work` does, and with {@link ManualClockError} when `withinMs` milliseconds of the clock were not enough. Default:
   * an hour.
   */
  async advanceUntil<T>(work: T | PromiseLike<T>, withinMs = AN_HOUR_MS): Promise<Awaited<T>> {
    assertDurationMs(withinMs, 'withinMs of ManualClock.advanceUntil', true);
    const promise = Promise.resolve(work);
    let isDone = false;
    const done = promise.then(
      () => void (isDone = true),
      () => void (isDone = true),
    );
    await this.turn(async () => {
      const until = this.time + withinMs;
      while (!isDone) {
        if (await this.fireNext(until)) continue;
        if (this.timers.size > 0) throw outOfTime(withinMs);
        await Promise.race([done, new Promise<void>((resolve) => (this.onArmed = resolve))]);
        this.onArmed = undefined;
        await settle();
      }
    });
    return promise;
  }

  /**
   * Lets `ms` milliseconds pass at once and in which nothing runs, as when the event loop is blocked or the machine slept; then
   * fires what is due, in order and in one go. It waits for nothing: settle afterwards.
   */
  jump(ms: number): void {
    assertDurationMs(ms, 'ms of ManualClock.jump', false);
    this.time += ms;
    for (let next = this.next(this.time); next !== undefined; next = this.next(this.time)) {
      this.timers.delete(next);
      next.fire();
    }
  }

  private async turn<T>(work: () => Promise<T>): Promise<T> {
    if (this.turning) throw alreadyTurning();
    this.turning = true;
    try {
      await settle();
      const result = await work();
      await settle();
      return result;
    } finally {
      this.turning = false;
      this.onArmed = undefined;
    }
  }

  /** Fires the next timer that is due by then. Answers whether there was one. */
  private async fireNext(until: number): Promise<boolean> {
    const next = this.next(until);
    if (next === undefined) return false;
    this.timers.delete(next);
    this.time = Math.max(this.time, next.at);
    next.fire();
    await settle();
    return true;
  }

  private next(until: number): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.timers) {
      if (timer.at > until) continue;
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer;
    }
    return first;
  }
}

function alreadyTurning(): ManualClockError {
  return new ManualClockError(
    'This ManualClock is being turned already. Await its advance() before the next one; ' +
      'what must go on meanwhile can be started first and awaited afterwards.',
  );
}

function outOfTime(withinMs: number): ManualClockError {
  return new ManualClockError(
    `What the clock was turned for did not settle within ${withinMs} ms of it, although there was always a timer to fire. ` +
      'Does it wait for something that the test was to do?',
  );
}
