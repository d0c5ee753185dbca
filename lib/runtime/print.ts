import { inspect } from 'node:util';

/**
 * A value of the user's in one line, for messages and reports. Never throws: an error that cannot be put into words must not
 * become a second one.
 */
export function print(value: unknown, depth = 1): string {
  try {
    return inspect(value, { depth, breakLength: Infinity, maxStringLength: 80 });
  } catch {
    return '(a value that cannot be printed)';
  }
}
