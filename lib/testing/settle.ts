import { isImmediateArmed, nextLoopTurn } from './event-loop.js';
import { UnsettledError } from './errors.js';

/** A turn drains all microtasks. These few are for work that goes from one turn to the next in ways that cannot be seen. */
const LEAST_TURNS = 8;
/** Nothing that comes to rest by itself takes so many. */
const MOST_TURNS = 10_000;

let underWay = 0;

/**
 * Resolves when nothing can go on any more without time passing or something coming in from outside: all promises that could
 * settle have settled, and every process has handled what it could. This is what a test waits for, instead of some milliseconds.
 *
 * Works whether the runner's fake timers are on or not. What timers of the platform, files and sockets bring is outside: it is not
 * waited for. Rejects with {@link UnsettledError} when things go on for ever, as with a `setImmediate` that arms itself again.
 *
 * @publicApi
 */
export async function settle(): Promise<void> {
  underWay++;
  try {
    await quiet(LEAST_TURNS);
  } finally {
    underWay--;
  }
}

/** As {@link settle}, for a caller that knows how many turns it takes at least. */
export async function quiet(leastTurns: number): Promise<void> {
  for (let turns = 0; turns < leastTurns || isImmediateArmed(); turns++) {
    if (turns === MOST_TURNS) throw new UnsettledError(MOST_TURNS);
    await nextLoopTurn();
  }
}

/** Whether a caller waits in {@link settle}, and will go on by itself. */
export function isSettling(): boolean {
  return underWay > 0;
}
