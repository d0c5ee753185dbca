import { GenServerError } from '../runtime/errors.js';
import { print } from '../runtime/secrets/print.js';
import { describeError, isError, messageOf } from '../runtime/secrets/inspect-safely.js';

/**
 * `settle()` was in vain: something goes on for ever without time passing, as an immediate that arms itself again does.
 *
 * @publicApi
 */
export class UnsettledError extends GenServerError {
  override name = 'UnsettledError';
  readonly code = 'UNSETTLED';

  constructor(
    /** Turns of the event loop. */
    readonly turns: number,
  ) {
    super(
      `This does not come to rest: after ${turns} turns of the event loop a caller still asks for the next one. ` +
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
  override name = 'ManualClockError';
  readonly code = 'MANUAL_CLOCK';
}

/**
 * A probe did not get what the test expected, or got what it did not. Nothing was taken out of the probe.
 *
 * @publicApi
 */
export class ProbeError extends GenServerError {
  override name = 'ProbeError';
  readonly code = 'PROBE';

  constructor(
    message: string,
    /** What the probe holds, the oldest first. */
    readonly received: readonly unknown[],
  ) {
    super(message);
  }
}

/** What is known of a run of `explore` that failed. */
export interface FailedRun {
  readonly seed: number;
  /** Which run it was, and of how many. */
  readonly run: number;
  readonly runs: number;
  /** The decisions of the shortest order that was found to fail; undefined when the run did not fail a second time. */
  readonly order: readonly number[] | undefined;
  /** What went on, in order. */
  readonly trace: readonly string[];
  readonly cause: unknown;
}

/**
 * A scenario failed under one of the orders that `explore` tried. The message says how to run that order again; `cause` is what the
 * scenario threw.
 *
 * @publicApi
 */
export class ExploreError extends GenServerError {
  override name = 'ExploreError';
  readonly code = 'EXPLORE';
  readonly seed: number;
  /** For `explore(1, scenario, { seed, order })`: the shortest order found. Undefined when it did not fail a second time. */
  readonly order: readonly number[] | undefined;
  /** What went on, in order. */
  readonly trace: readonly string[];

  constructor({ seed, run, runs, order, trace, cause }: FailedRun) {
    const what = isError(cause) ? (messageOf(cause) ?? describeError(cause)) : print(cause);
    const again =
      order === undefined
        ? 'It did not fail when it was run again in the same order, so it depends on something else than the order: ' +
          'real time, real input, Math.random. Use ctx.random, and the clock of ctx.world.'
        : `The shortest order that fails: explore(1, scenario, { seed: ${seed}, order: [${order.join(', ')}] })`;
    const steps = trace.map((step, at) => `\n  ${at + 1}. ${step}`).join('');
    super(
      `Run ${run} of ${runs} failed, with seed ${seed}: ${what}\n` +
        `Run it again: explore(1, scenario, { seed: ${seed} })\n${again}${steps}`,
      { cause },
    );
    this.seed = seed;
    this.order = order;
    this.trace = trace;
  }
}
