import type { Clock, TimerHandle } from '../../lib/runtime/ports.js';

interface SimulatedTimer {
  readonly at: number;
  readonly fire: () => void;
}

/** A clock on which time passes, timers fire and turns begin when the schedule says so. */
export class SimulatedClock implements Clock {
  private time = 1_000;
  private timers: SimulatedTimer[] = [];
  private turns: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  wallTime(): number {
    return this.time;
  }

  setTimer(delayMs: number, fire: () => void): TimerHandle {
    const timer = { at: this.time + Math.max(1, Math.ceil(delayMs)), fire };
    this.timers.push(timer);
    const cancel = (): void => {
      const at = this.timers.indexOf(timer);
      if (at !== -1) this.timers.splice(at, 1);
    };
    return { cancel, ref: () => undefined, unref: () => undefined };
  }

  nextTurn(turn: () => void): void {
    this.turns.push(turn);
  }

  /** Each step of a schedule is a callback of the platform. */
  afterCallback(done: () => void): void {
    process.nextTick(done);
  }

  get pendingTimers(): number {
    return this.timers.length;
  }

  get pendingTurns(): number {
    return this.turns.length;
  }

  /** How many timers are due and have not fired, as after a blocked event loop. */
  get dueTimers(): number {
    let due = 0;
    for (const { at } of this.timers) if (at <= this.time) due++;
    return due;
  }

  /** The oldest turn that was asked for begins. */
  beginTurn(): void {
    this.turns.shift()!();
  }

  /** Lets time pass in which nothing runs. */
  pass(ms: number): void {
    this.time += ms;
  }

  /** Goes to the time of the earliest timer, unless that is over, and fires one of those that are due: the platform promises no order. */
  fire(pick: (count: number) => number): void {
    let earliest = Infinity;
    for (const { at } of this.timers) earliest = Math.min(earliest, at);
    this.time = Math.max(this.time, earliest);
    const due = this.timers.filter(({ at }) => at <= this.time);
    const timer = due[pick(due.length)]!;
    this.timers.splice(this.timers.indexOf(timer), 1);
    timer.fire();
  }
}
