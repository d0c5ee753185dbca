import { print } from './secrets/print.js';

/**
 * What every error of this library has in common: a stable `code` to switch on, since messages may be reworded and two
 * installed copies of a package have two classes of the same name.
 *
 * @publicApi
 */
export abstract class GenServerError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    // For classes of the user's that extend this one. Those of the library say their names themselves: a minifier renames classes.
    this.name = new.target.name;
  }
}

/**
 * An argument that no running system could make sense of: a negative timeout, a delay that is no number, a destination
 * that is none. Nothing was sent or changed.
 *
 * @publicApi
 */
export class InvalidArgumentError extends GenServerError {
  override name = 'InvalidArgumentError';
  readonly code = 'INVALID_ARGUMENT';
}

/**
 * The name is taken (I8, N2). The second `init` did not run.
 *
 * @publicApi
 */
export class AlreadyStartedError extends GenServerError {
  override name = 'AlreadyStartedError';
  readonly code = 'ALREADY_STARTED';

  constructor(
    /** The name or key that was asked for. */
    readonly serverName: string,
    /** The present holder, as printed. */
    readonly holder: string,
  ) {
    super(
      `${serverName} is already started: ${holder} holds the name. Stop it first, or start this one under another name.`,
    );
  }
}

/**
 * Makes an error for somebody who waits, in the loop, far from their code. Frames would show nothing but the loop, and to find them
 * takes longer than all the rest where a thousand wait for a server that has ended.
 */
export function withoutFrames<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error;
  // Not by an assignment: it would throw where the built-in classes are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/** What a delay must be, for messages about what it is not. */
const DELAY_RANGE = 'a number of milliseconds, 0 or more';
/** The same for a timeout. */
export const TIMEOUT_RANGE = `${DELAY_RANGE} (Infinity waits for ever)`;

/** Whether a value is a timeout: milliseconds, not negative, not NaN; `Infinity` waits for ever. */
export function isTimeoutMs(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/** Checks a timeout or delay: milliseconds, not negative, not NaN; `Infinity` where waiting for ever is allowed. */
export function assertDurationMs(value: unknown, what: string, allowInfinity: boolean): asserts value is number {
  if (isTimeoutMs(value) && (allowInfinity || value !== Infinity)) return;
  throw new InvalidArgumentError(
    `${what} must be ${allowInfinity ? TIMEOUT_RANGE : DELAY_RANGE}, got: ${print(value)}`,
  );
}
