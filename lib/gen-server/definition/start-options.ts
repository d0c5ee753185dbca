import { InvalidArgumentError, isTimeoutMs, TIMEOUT_RANGE } from '../../runtime/errors.js';
import { isMaxMailbox, MAX_MAILBOX_RANGE, type MaxMailbox } from '../../runtime/mailbox/bounded-mailbox.js';
import type { ServerName } from '../../runtime/server-name.js';
import { print } from '../../runtime/secrets/print.js';

/** The arguments of `init`: an array that every incarnation shares, or a function that makes one for each incarnation. */
export type InitArguments = readonly unknown[] | (() => readonly unknown[]);

/** The options of a start. An option that is undefined counts as left out. */
export interface StartOptions {
  /** The name to register the process under, before `init` runs (I8). Default: none. */
  readonly name?: ServerName | undefined;
  /**
   * The arguments of `init`: an array, evaluated once and reused by every incarnation (S23), or a function that makes them for each
   * incarnation. Default: none.
   */
  readonly args?: InitArguments | undefined;
  /** How long creating the instance and running `init` may take, in milliseconds, 0 or more. Default: Infinity. */
  readonly startTimeoutMs?: number | undefined;
  /** Whether exit signals from processes other than the parent become `Exit` messages. Default: false. */
  readonly trapExit?: boolean | undefined;
  /**
   * Whether the server finishes its queue and runs `terminate` when its parent stops it, even without `trapExit`. Default: true; with
   * false it ends at once, as in OTP.
   */
  readonly drain?: boolean | undefined;
  /** `'clone'` copies arguments and replies, so that callers share no memory with the server. Default: `'none'`. */
  readonly isolation?: 'none' | 'clone' | undefined;
  /**
   * Ends the process with reason `{ shutdown: 'idle' }` when it has been idle for this many milliseconds, more than 0. A process is idle
   * while its mailbox is empty, no caller waits for an answer, none of its timers or tasks runs and none of its streams is being read.
   * Default: Infinity.
   */
  readonly idleMs?: number | undefined;
  /**
   * How many calls, casts and sent messages may wait, and which message is shed when there is one too many. System messages always fit.
   * Default: no limit.
   */
  readonly maxMailbox?: MaxMailbox | undefined;
}

/** A start option with an invalid value. */
export interface OptionFault {
  readonly option: string;
  /** The valid values, for error messages. */
  readonly expected: string;
  readonly got: unknown;
}

interface OptionRule {
  readonly expected: string;
  accepts(value: unknown): boolean;
}

const TRUE_OR_FALSE: OptionRule = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' };

/** The rules of all options but the name, which is checked when it is registered. */
const RULES: { readonly [Option in Exclude<keyof StartOptions, 'name'>]-?: OptionRule } = {
  args: {
    expected: 'an array of the arguments of init, or a function that returns one',
    accepts: (value) => Array.isArray(value) || typeof value === 'function',
  },
  startTimeoutMs: { expected: TIMEOUT_RANGE, accepts: isTimeoutMs },
  trapExit: TRUE_OR_FALSE,
  drain: TRUE_OR_FALSE,
  isolation: { expected: "'none' or 'clone'", accepts: (value) => value === 'none' || value === 'clone' },
  idleMs: {
    expected: 'a number of milliseconds, more than 0 (Infinity: it does not end by itself)',
    accepts: (value) => isTimeoutMs(value) && value > 0,
  },
  maxMailbox: { expected: MAX_MAILBOX_RANGE, accepts: isMaxMailbox },
};
const OPTIONS = Object.keys(RULES) as (keyof typeof RULES)[];

/** Finds the first given option that is invalid. Options that come from JavaScript or a configuration have not been type-checked. */
export function findOptionFault(options: StartOptions): OptionFault | undefined {
  for (const option of OPTIONS) {
    const got: unknown = options[option];
    const rule = RULES[option];
    if (got !== undefined && !rule.accepts(got)) return { option, expected: rule.expected, got };
  }
  return undefined;
}

/** Throws `InvalidArgumentError` if an option is invalid. */
export function assertStartOptions(options: StartOptions, label: string): void {
  const fault = findOptionFault(options);
  if (fault === undefined) return;
  const { option, expected, got } = fault;
  throw new InvalidArgumentError(`${option} of ${label} must be ${expected}, got: ${print(got)}`);
}
