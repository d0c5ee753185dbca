import { describeError, hasProperty, isError } from '../secrets/inspect-safely.js';
import { print } from '../secrets/print.js';

export { isError };

/**
 * Why a process ended (E1). `'normal'`, `'shutdown'` and `{ shutdown: … }` are clean: nothing is logged, and a transient
 * child is not restarted. Everything else is abnormal: a thrown error stands for itself, a thrown value that is
 * not an error becomes `{ thrown: … }`, an invalid result becomes `{ badReturnValue: … }`.
 *
 * @publicApi
 */
export type ExitReason =
  | 'normal'
  | 'shutdown'
  | 'killed'
  | 'noproc'
  | 'timeout'
  | { readonly shutdown: unknown }
  | { readonly badReturnValue: unknown }
  | { readonly thrown: unknown }
  // eslint-disable-next-line @typescript-eslint/no-redundant-type-constituents -- the named ones are what editors propose
  | unknown;

/** A value of the same name, so that decorated signatures may mention the type under `isolatedModules` (TS1272). */
export const ExitReason = Object;

/** Whether a process that ended with `reason` did so on purpose: `'normal'`, `'shutdown'` or `{ shutdown: … }`. @publicApi */
export function isCleanExit(reason: ExitReason): boolean {
  return reason === 'normal' || reason === 'shutdown' || isShutdownWithInfo(reason);
}

function isShutdownWithInfo(reason: ExitReason): boolean {
  // An error with a field `shutdown` is still an error.
  return hasProperty(reason, 'shutdown') && !isError(reason);
}

/**
 * The thrown value as an exit reason. A thrown `'normal'` or `{ shutdown: … }` must not pass for a clean exit, so a value that
 * is not an error is wrapped.
 */
export function reasonOfThrown(thrown: unknown): ExitReason {
  return isError(thrown) ? thrown : { thrown };
}

/** The reason in one line of bounded length, for messages and logs. */
export function formatReason(reason: ExitReason): string {
  if (typeof reason === 'string')
    return `'${reason.length > LONGEST_TEXT ? `${reason.slice(0, LONGEST_TEXT)}…` : reason}'`;
  return isError(reason) ? describeError(reason) : print(reason, 2);
}

const LONGEST_TEXT = 1_000;
