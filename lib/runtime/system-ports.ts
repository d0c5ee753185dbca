import * as timers from 'node:timers';
import type { Clock, Randomness, TimerHandle } from './ports.js';

// Taken once: where this is CommonJS, an import is read anew each time, and a test runner may replace what it finds there as well.
const { setImmediate: platformImmediate, setTimeout: platformTimeout } = timers;

class SystemTimer implements TimerHandle {
  private readonly timeout: NodeJS.Timeout;
  private readonly isFake = areTimersFake();

  constructor(delayMs: number, fire: () => void) {
    // Below one millisecond the platform would round up silently, and fractions down: firing early breaks a deadline.
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

  /** The fake timers of a test runner take along what is pending when they are turned off. */
  get isLost(): boolean {
    return this.isFake && !areTimersFake();
  }
}

function areTimersFake(): boolean {
  return setTimeout !== platformTimeout;
}

/** The clock of the Node process. The one place in the library where the platform's timers are touched. */
export const systemClock: Clock = {
  // The global one, for 7 ns more than that of node:perf_hooks: a test runner's fake timers replace it together with setTimeout,
  // and a deadline must not be measured by one clock and woken by another.
  now: () => performance.now(),
  // Not while a test runner's fake timers are on: then every test sees exact times.
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
  // Not while the end of a turn is in the hands of a test runner: nothing must wait for it.
  afterCallback: (done) => {
    if (setImmediate === platformImmediate) process.nextTick(done);
  },
};

/** The randomness of the Node process. */
export const systemRandomness: Randomness = { random: () => Math.random() };
