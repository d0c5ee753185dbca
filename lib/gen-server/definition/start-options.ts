import { assertDurationMs, InvalidArgumentError } from '../../runtime/errors.js';
import { assertMaxMailbox, type MaxMailbox } from '../../runtime/mailbox/bounded-mailbox.js';
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
   * Ends the process with reason `{ shutdown: 'idle' }` when its mailbox has been empty for so many milliseconds and nobody waits
   * for an answer, none of its tasks runs and no stream of it is being read. Default: Infinity.
   */
  readonly idleMs?: number | undefined;
  /**
   * How many calls, casts and sent messages may wait, and what happens to the rest. What the system has to say always fits.
   * Default: any number.
   */
  readonly maxMailbox?: MaxMailbox | undefined;
}

/** Refuses what no compiler has seen: options that come from JavaScript, or from a configuration. */
export function assertStartOptions(options: StartOptions, label: string): void {
  const { startTimeoutMs, idleMs, args, trapExit, drain, isolation, maxMailbox } = options;
  if (startTimeoutMs !== undefined) assertDurationMs(startTimeoutMs, `startTimeoutMs of ${label}`, true);
  if (idleMs !== undefined) assertDurationMs(idleMs, `idleMs of ${label}`, true);
  if (args !== undefined) assertInitArguments(args, label);
  const refuse = (option: string, expected: string, got: unknown): never => {
    throw new InvalidArgumentError(`${option} of ${label} must be ${expected}, got: ${print(got)}`);
  };
  if (trapExit !== undefined && typeof trapExit !== 'boolean') refuse('trapExit', 'true or false', trapExit);
  if (drain !== undefined && typeof drain !== 'boolean') refuse('drain', 'true or false', drain);
  if (isolation !== undefined && isolation !== 'none' && isolation !== 'clone') {
    refuse('isolation', "'none' or 'clone'", isolation);
  }
  if (maxMailbox !== undefined) assertMaxMailbox(maxMailbox, `maxMailbox of ${label}`);
}

function assertInitArguments(args: unknown, label: string): void {
  if (Array.isArray(args) || typeof args === 'function') return;
  throw new InvalidArgumentError(
    `args of ${label} must be an array of the arguments of init, or a function that returns one, got: ${print(args)}`,
  );
}
