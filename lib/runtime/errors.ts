import { print } from './secrets/print.js';

/**
 * The base class of every error of this library. Switch on its stable `code`, not on the message or the class: messages may be reworded,
 * and two installed copies of the package have two classes of the same name.
 *
 * @publicApi
 */
export abstract class GenServerError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    // For subclasses outside the library. The library's own classes set a literal name, because minifiers rename classes.
    this.name = new.target.name;
  }
}

/**
 * An argument is invalid whatever the state of the system: a negative timeout, a delay that is not a number, a value that is not a
 * destination. Nothing was sent or changed.
 *
 * @publicApi
 */
export class InvalidArgumentError extends GenServerError {
  override name = 'InvalidArgumentError';
  readonly code = 'INVALID_ARGUMENT';
}

/**
 * The name belongs to another process (I8, N2). The second process did not start, and its `init` did not run.
 *
 * @publicApi
 */
export class AlreadyStartedError extends GenServerError {
  override name = 'AlreadyStartedError';
  readonly code = 'ALREADY_STARTED';

  constructor(
    /** The requested name or key, as printed. */
    readonly serverName: string,
    /** The process that holds the name, as printed. */
    readonly holder: string,
  ) {
    super(
      `${serverName} is already started: ${holder} holds the name. Stop it first, or start this one under another name.`,
    );
  }
}

/**
 * Makes an error without a stack trace, for a caller that is told from within the loop. The frames would show nothing but the loop, and
 * capturing them takes longer than everything else when a server with a thousand waiting callers ends.
 */
export function withoutFrames<E extends Error>(make: () => E): E {
  const { stackTraceLimit } = Error;
  // An assignment would throw where the built-in classes are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return make();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/** The valid range of a delay, for error messages. */
const DELAY_RANGE = 'a number of milliseconds, 0 or more';
/** The valid range of a timeout, for error messages. */
export const TIMEOUT_RANGE = `${DELAY_RANGE} (Infinity waits for ever)`;

/** Whether a value is a timeout: milliseconds, 0 or more, not NaN; `Infinity` waits for ever. */
export function isTimeoutMs(value: unknown): value is number {
  return typeof value === 'number' && value >= 0;
}

/**
 * Throws `InvalidArgumentError` unless `value` is a timeout or delay: milliseconds, 0 or more, not NaN; `Infinity` only where waiting for
 * ever is allowed. `what` begins the message.
 */
export function assertDurationMs(value: unknown, what: string, allowInfinity: boolean): asserts value is number {
  if (isTimeoutMs(value) && (allowInfinity || value !== Infinity)) return;
  throw new InvalidArgumentError(
    `${what} must be ${allowInfinity ? TIMEOUT_RANGE : DELAY_RANGE}, got: ${print(value)}`,
  );
}
