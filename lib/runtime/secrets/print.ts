import { inspect } from 'node:util';
import { USUAL_REDACTION } from './redaction.js';

/**
 * A value of the user's in one line, for messages and reports, without what has the name of a secret. Never throws: an error that cannot be put into words must not
 * become a second one.
 */
export function print(value: unknown, depth = 1): string {
  // Keys are mostly numbers, and printed for every event about a child.
  if (Number.isInteger(value) && !Object.is(value, -0)) return String(value);
  try {
    return inspect(USUAL_REDACTION.withoutSecrets(value), { depth, breakLength: Infinity, maxStringLength: 80 });
  } catch {
    return '(a value that cannot be printed)';
  }
}
