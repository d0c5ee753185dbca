import type { Activation } from '../../runtime/tracking.js';
import { circleFrom } from '../../runtime/tracking.js';
import { withoutFrames } from '../../runtime/errors.js';
import { Deadline } from '../../runtime/time/deadline.js';
import { CallCycleError } from '../errors.js';
import type { TrackedCallRequest } from './call-request.js';
import type { GenServerProcess } from './gen-server-process.js';

/** For how long nothing has to move in a circle at most, in milliseconds. */
const LONGEST_STILLNESS_MS = 1_000;
/** How often a circle is looked at in that time, so that what moved in it early does not double the wait. */
const LOOKS = 4;

/**
 * Watches a circle of calls until it proves to be a deadlock or is gone. That a callback has made a call and has not returned does not
 * say that it waits for the answer: it may do something else, return, and then handle what it is asked itself. So the call that
 * closes a circle is sent like any other, and rejects with {@link CallCycleError} only when nobody in the circle has moved for half of
 * its timeout, one second at most.
 *
 * A process of the circle has moved when its callback has returned, so that it goes on with its messages; when what it was asked for
 * has been answered; and when a call that its callback made has been settled. The first two end the circle, and the watch with it.
 * After the third the time begins anew. What a callback awaits besides calls cannot be seen.
 */
class SuspectedCycle extends Deadline {
  private moves: number;
  private stillLooks = 0;

  constructor(
    private readonly request: TrackedCallRequest,
    private readonly caller: Activation,
    private readonly server: GenServerProcess,
    circle: readonly Activation[],
  ) {
    super();
    this.moves = movesOf(circle);
  }

  /** Lets the next look come. */
  wait(): void {
    const stillnessMs = Math.min(this.request.timeoutMs / 2, LONGEST_STILLNESS_MS);
    this.server.runtime.deadlines.add(this, stillnessMs / LOOKS);
  }

  expire(): void {
    const { request, server } = this;
    const circle = circleFrom(this.caller, server);
    if (circle === null) {
      request.suspicion = null;
      return;
    }
    const moves = movesOf(circle);
    this.stillLooks = moves === this.moves ? this.stillLooks + 1 : 0;
    this.moves = moves;
    if (this.stillLooks < LOOKS) {
      this.wait();
      return;
    }
    // It lies there still, since the callback that it waits for has not returned.
    server.mailbox?.withdraw(request);
    // No move, or other calls of the callback that wait in the same circle would have to wait once more.
    request.caller = null;
    request.refuse(withoutFrames(() => new CallCycleError(labelsOf(circle, server))));
  }
}

/** Watches the circle that a call has closed, until the call is settled. Called before the call is delivered. */
export function suspectCycle(
  request: TrackedCallRequest,
  caller: Activation,
  server: GenServerProcess,
  circle: readonly Activation[],
): void {
  const suspicion = new SuspectedCycle(request, caller, server, circle);
  request.suspicion = suspicion;
  suspicion.wait();
}

function movesOf(circle: readonly Activation[]): number {
  let moves = 0;
  for (const activation of circle) moves += activation.moves;
  return moves;
}

/** All of them live: a process that has ended is in no circle. */
function labelsOf(circle: readonly Activation[], server: GenServerProcess): string[] {
  return [...circle.map(({ process }) => process!.label), server.label];
}
