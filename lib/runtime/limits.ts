import { GenServerError, InvalidArgumentError } from './errors.js';
import { print } from './secrets/print.js';

/**
 * How much one process may use of what costs others memory. Each is a whole number, 1 or more, or `Infinity`.
 *
 * @publicApi
 */
export interface ProcessLimits {
  /** How many characters a name or key may have that is text. Default: 1 000. */
  readonly nameLength: number;
  /** How many monitors a process may keep at a time. Default: 100 000. */
  readonly monitors: number;
  /**
   * How many calls of one process may be unanswered at a time. They are counted as long as it is known who calls: after an `await` only
   * with `tracking`. Code outside of any process has no limit. Default: 100 000.
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
  nameLength: 'Use a shorter one, a hash of it for instance',
  monitors: 'Demonitor what is of no interest any more',
  pendingCalls: 'Wait for some of them first, or cast',
};

/**
 * Something would go beyond one of the `limits`. Nothing was started, sent or changed.
 *
 * @publicApi
 */
export class LimitExceededError extends GenServerError {
  override name = 'LimitExceededError';
  readonly code = 'LIMIT_EXCEEDED';

  constructor(
    /** The process that wanted it, as people call it. */
    readonly server: string,
    readonly limit: keyof ProcessLimits,
    readonly max: number,
  ) {
    super(`${server} may not ${WHAT[limit](max)}. ${REMEDY[limit]}, or raise limits.${limit}.`);
  }
}

/** Whether a value can be one of the limits. */
export function isLimit(value: unknown): value is number {
  return value === Infinity || (Number.isInteger(value) && (value as number) >= 1);
}

/** The limits with the defaults for what is left out. */
export function completeLimits(given: Partial<ProcessLimits> = {}): ProcessLimits {
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(DEFAULT_LIMITS, name)) {
      throw new InvalidArgumentError(
        `There is no limit ${name}. Use one of: ${Object.keys(DEFAULT_LIMITS).join(', ')}.`,
      );
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

/** Refuses a name or key that is text without end. `who` is printed only then: printing costs more than looking. */
export function assertNameLength(name: unknown, { nameLength }: ProcessLimits, who: { toString(): string }): void {
  if (typeof name !== 'string' || name.length <= nameLength) return;
  throw new LimitExceededError(who.toString(), 'nameLength', nameLength);
}
