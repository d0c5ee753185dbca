import { describe, type DescriptionLimits } from './description.js';
import { USUAL_REDACTION } from './redaction.js';

const LIMITS: DescriptionLimits = { depth: 1, characters: 1_000, textLength: 80, items: 30 };

/**
 * Prints a user's value in one line of bounded length, for messages and reports, without fields with secret names. Never throws: an
 * error that cannot be put into words must not become a second one.
 */
export function print(value: unknown, depth = 1): string {
  // Keys are mostly numbers, and printed for every event about a child.
  if (typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0)) return String(value);
  return describe(value, depth === 1 ? LIMITS : { ...LIMITS, depth }, USUAL_REDACTION.names);
}

const LIMITS_OF_ARGUMENTS: DescriptionLimits = { ...LIMITS, depth: 2, characters: 2_000, items: 20 };

/** The arguments of a request, which have been redacted already: all of them together are no longer than one value is. */
export function printArguments(args: readonly unknown[]): string {
  return describe(args, LIMITS_OF_ARGUMENTS, USUAL_REDACTION.names).replace(/^\[ ?/, '').replace(/ ?\]$/, '');
}
