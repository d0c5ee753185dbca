import { types } from 'node:util';
import { print } from '../secrets/print.js';

/**
 * Why a process ended (E1). `'normal'`, `'shutdown'` and `{ shutdown: … }` are clean: nothing is logged, and a transient
 * child is not restarted. Everything else is abnormal: an error that was thrown stands for itself, something thrown that is
 * no error is `{ thrown: … }`, a result that is none is `{ badReturnValue: … }`.
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
  if (typeof reason !== 'object' || reason === null) return false;
  try {
    // An error with a field `shutdown` is still an error.
    return 'shutdown' in reason && !isError(reason);
  } catch {
    return false; // a proxy may throw whatever is asked of it
  }
}

/**
 * What was thrown, as an exit reason. A thrown `'normal'` or `{ shutdown: … }` must not pass for a clean exit, so whatever
 * is not an error is wrapped.
 */
export function reasonOfThrown(thrown: unknown): ExitReason {
  return isError(thrown) ? thrown : { thrown };
}

/** Also one of another realm (Jest gives each test file its own `Error`). */
export function isError(value: unknown): value is Error {
  // Every error is an object, and most reasons are text: asking the platform takes longer than the rest of an end.
  if (typeof value !== 'object') return false;
  if (types.isNativeError(value)) return true;
  try {
    return value instanceof Error;
  } catch {
    return false; // a proxy may throw whatever is asked of it
  }
}

/** The reason in one line, for messages and logs. */
export function formatReason(reason: ExitReason): string {
  if (typeof reason === 'string') return `'${reason}'`;
  if (!isError(reason)) return print(reason, 2);
  try {
    return `${reason.name}: ${reason.message}`;
  } catch {
    return '(an error that cannot be printed)';
  }
}
