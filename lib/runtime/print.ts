import { inspect } from 'node:util';

/**
 * A value of the user's in one line, for messages and reports. Never throws: an error that cannot be put into words must not
 * become a second one.
 */
export function print(value: unknown, depth = 1): string {
  // Keys are mostly numbers, and printed for every event about a child.
  if (Number.isInteger(value) && !Object.is(value, -0)) return String(value);
  try {
    return inspect(value, { depth, breakLength: Infinity, maxStringLength: 80 });
  } catch {
    return '(a value that cannot be printed)';
  }
}
