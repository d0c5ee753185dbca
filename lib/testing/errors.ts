import { GenServerError } from '../runtime/errors.js';

/**
 * `settle()` was in vain: something goes on for ever without time passing, as an immediate that arms itself again does.
 *
 * @publicApi
 */
export class UnsettledError extends GenServerError {
  readonly code = 'UNSETTLED';

  constructor(
    /** Turns of the event loop. */
    readonly turns: number,
  ) {
    super(
      `This does not come to rest: after ${turns} turns of the event loop somebody still asks for the next one. ` +
        `Look for a setImmediate that arms itself again, or stop what polls before you settle.`,
    );
  }
}

/**
 * A manual clock cannot be turned as asked: it is being turned already, or what it was to be turned for did not come.
 *
 * @publicApi
 */
export class ManualClockError extends GenServerError {
  readonly code = 'MANUAL_CLOCK';
}

/**
 * A probe did not get what the test expected, or got what it did not. Nothing was taken out of the probe.
 *
 * @publicApi
 */
export class ProbeError extends GenServerError {
  readonly code = 'PROBE';

  constructor(
    message: string,
    /** What the probe holds, the oldest first. */
    readonly received: readonly unknown[],
  ) {
    super(message);
  }
}
