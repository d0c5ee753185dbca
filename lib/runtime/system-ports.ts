import * as timers from 'node:timers';
import type { Clock, Randomness, TimerHandle } from './ports.js';

// Read once. Compiled to CommonJS, an import is looked up at each use, and a test runner may have replaced the functions by then.
const { setImmediate: platformImmediate, setTimeout: platformTimeout } = timers;

class SystemTimer implements TimerHandle {
  private readonly timeout: NodeJS.Timeout;
  private readonly isFake = areTimersFake();

  constructor(delayMs: number, fire: () => void) {
    // The platform rounds fractions down, and a timer that fires early breaks a deadline. It also raises anything below 1 ms to 1 ms.
    this.timeout = setTimeout(fire, Math.max(1, Math.ceil(delayMs)));
  }

  cancel(): void {
    clearTimeout(this.timeout);
  }

  ref(): void {
    this.timeout.ref();
  }

  unref(): void {
    this.timeout.unref();
  }

  /** Timers that are pending when a test runner turns its fake timers off never fire. */
  get isLost(): boolean {
    return this.isFake && !areTimersFake();
  }
}

function areTimersFake(): boolean {
  return setTimeout !== platformTimeout;
}

/** The clock of the Node process. The only place in the library that uses the platform's timers. */
export const systemClock: Clock = {
  // The global `performance`, although it costs 7 ns more than that of node:perf_hooks: the fake timers of a test runner replace it
  // together with setTimeout, and a deadline must not be measured by one clock and woken by another.
  now: () => performance.now(),
  // Not costly under fake timers, so that tests see exact times.
  get isCostly() {
    return !areTimersFake();
  },
  wallTime: () => Date.now(),
  setTimer: (delayMs, fire) => new SystemTimer(delayMs, fire),
  // That of the platform, also under a test runner's fake timers: a turn of the event loop is no time that somebody lets pass, and an
  // application that waits for one to close would never be closed.
  nextTurn: (turn) => {
    platformImmediate(turn);
  },
  // Not while a test runner has replaced setImmediate: messages would wait for a turn that may never come.
  afterCallback: (done) => {
    if (setImmediate === platformImmediate) process.nextTick(done);
  },
};

/** The randomness of the Node process. */
export const systemRandomness: Randomness = { random: () => Math.random() };
