import { InvalidArgumentError, isTimeoutMs, TIMEOUT_RANGE } from '../../runtime/errors.js';
import { isMaxMailbox, MAX_MAILBOX_RANGE, type MaxMailbox } from '../../runtime/mailbox/bounded-mailbox.js';
import type { ServerName } from '../../runtime/server-name.js';
import { print } from '../../runtime/secrets/print.js';

/** What `init` gets: the same for every incarnation, or made anew for each. */
export type InitArguments = readonly unknown[] | (() => readonly unknown[]);

/** How a server is started. */
export interface StartOptions {
  /** What to be found by. Taken before `init` runs (I8). Default: none. */
  readonly name?: ServerName | undefined;
  /**
   * The arguments of `init`, evaluated once and reused by every incarnation (S23), or a function that makes them anew for
   * each. Default: none.
   */
  readonly args?: InitArguments | undefined;
  /** How long making the instance and `init` may take, in milliseconds. Default: Infinity. */
  readonly startTimeoutMs?: number | undefined;
  /** Turns exit signals of others than the parent into `Exit` messages. Default: false. */
  readonly trapExit?: boolean | undefined;
  /**
   * Whether the server finishes its queue and runs `terminate` when its parent stops it, also without `trapExit`.
   * Default: true; false gives OTP's instant death.
   */
  readonly drain?: boolean | undefined;
  /** `'clone'` copies arguments and replies, so that nobody shares memory with the server. Default: `'none'`. */
  readonly isolation?: 'none' | 'clone' | undefined;
  /**
   * Ends the process with reason `{ shutdown: 'idle' }` when its mailbox has been empty for so many milliseconds, more than 0, and
   * nobody waits for an answer, none of its tasks runs and no stream of it is being read. Default: Infinity.
   */
  readonly idleMs?: number | undefined;
  /**
   * How many calls, casts and sent messages may wait, and what happens to the rest. What the system has to say always fits.
   * Default: any number.
   */
  readonly maxMailbox?: MaxMailbox | undefined;
}

/** An option that no server can be started with. */
export interface OptionFault {
  readonly option: string;
  /** What it must be, for messages. */
  readonly expected: string;
  readonly got: unknown;
}

interface OptionRule {
  readonly expected: string;
  accepts(value: unknown): boolean;
}

const TRUE_OR_FALSE: OptionRule = { expected: 'true or false', accepts: (value) => typeof value === 'boolean' };

/** The name is not among them: whether it can be had is known when it is taken. */
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

/** The first option that makes no sense, of those that are given: in JavaScript, or in a configuration, no compiler has seen them. */
export function findOptionFault(options: StartOptions): OptionFault | undefined {
  for (const option of OPTIONS) {
    const got: unknown = options[option];
    const rule = RULES[option];
    if (got !== undefined && !rule.accepts(got)) return { option, expected: rule.expected, got };
  }
  return undefined;
}

/** Throws `InvalidArgumentError` when an option makes no sense. */
export function assertStartOptions(options: StartOptions, label: string): void {
  const fault = findOptionFault(options);
  if (fault === undefined) return;
  const { option, expected, got } = fault;
  throw new InvalidArgumentError(`${option} of ${label} must be ${expected}, got: ${print(got)}`);
}
