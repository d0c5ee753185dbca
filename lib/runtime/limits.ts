import { GenServerError, InvalidArgumentError } from './errors.js';
import { print } from './secrets/print.js';

/**
 * How much shared memory one process may use. Each limit is a whole number, 1 or more, or `Infinity`. Going beyond one throws
 * `LimitExceededError`.
 *
 * @publicApi
 */
export interface ProcessLimits {
  /** The maximum length of a name or key that is a string, in characters. Default: 1 000. */
  readonly nameLength: number;
  /** The maximum number of monitors that a process may own at a time. Default: 100 000. */
  readonly monitors: number;
  /**
   * The maximum number of unanswered calls that one process may have at a time. A call counts only if its caller is known: after an
   * `await`, that takes `tracking`. Code outside of any process has no limit. Default: 100 000.
   */
  readonly pendingCalls: number;
}

const DEFAULT_LIMITS: ProcessLimits = { nameLength: 1_000, monitors: 100_000, pendingCalls: 100_000 };

const WHAT: Readonly<Record<keyof ProcessLimits, (max: number) => string>> = {
  nameLength: (max) => `use a name or key of more than ${max} characters`,
  monitors: (max) => `keep more than ${max} monitors`,
  pendingCalls: (max) => `wait for more than ${max} calls at a time`,
};

const REMEDY: Readonly<Record<keyof ProcessLimits, string>> = {
  nameLength: 'Use a shorter one, for instance a hash of it',
  monitors: 'Demonitor processes that you no longer need to watch',
  pendingCalls: 'Wait for some of them first, or cast',
};

/**
 * An operation would exceed one of the `limits`. Nothing was started, sent or changed.
 *
 * @publicApi
 */
export class LimitExceededError extends GenServerError {
  override name = 'LimitExceededError';
  readonly code = 'LIMIT_EXCEEDED';

  constructor(
    /** The label of the process that attempted the operation. */
    readonly server: string,
    /** The limit that would be exceeded. */
    readonly limit: keyof ProcessLimits,
    /** The value of the limit. */
    readonly max: number,
  ) {
    super(`${server} may not ${WHAT[limit](max)}. ${REMEDY[limit]}, or raise limits.${limit}.`);
  }
}

/** Whether a value is valid as a limit. */
export function isLimit(value: unknown): value is number {
  return value === Infinity || (Number.isInteger(value) && (value as number) >= 1);
}

/** Fills in the default for each limit that is left out. Throws `InvalidArgumentError` for an unknown limit or an invalid value. */
export function completeLimits(given: Partial<ProcessLimits> = {}): ProcessLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new InvalidArgumentError(`Unknown limit ${name}. Use one of: ${Object.keys(DEFAULT_LIMITS).join(', ')}.`);
    }
    if (value !== undefined && !isLimit(value)) {
      throw new InvalidArgumentError(
        `limits.${name} must be a whole number, 1 or more, or Infinity, got: ${print(value)}`,
      );
    }
  }
  return {
    nameLength: given.nameLength ?? DEFAULT_LIMITS.nameLength,
    monitors: given.monitors ?? DEFAULT_LIMITS.monitors,
    pendingCalls: given.pendingCalls ?? DEFAULT_LIMITS.pendingCalls,
  };
}

/** Throws `LimitExceededError` for a name or key that is too long. `who` is printed only then: printing costs more than the check. */
export function assertNameLength(name: unknown, { nameLength }: ProcessLimits, who: { toString(): string }): void {
  if (typeof name !== 'string' || name.length <= nameLength) return;
  throw new LimitExceededError(who.toString(), 'nameLength', nameLength);
}
