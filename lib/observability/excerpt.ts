import { type ExitReason, formatReason } from '../runtime/exits/exit-reason.js';
import { describe, type DescriptionLimits } from '../runtime/secrets/description.js';
import { describeError, isError, propertyOf } from '../runtime/secrets/inspect-safely.js';

const LONGEST_LINE = 300;
const LONGEST_STACK = 8_000;
const LONGEST_CAUSE_CHAIN = 4;
const CONTROL_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

const LIMITS: DescriptionLimits = { depth: 2, characters: 1_000, textLength: 200, items: 20 };

/** A value in one line of bounded length, whatever it is. What is in an event has been seen to: nothing more is hidden here. */
export function excerpt(value: unknown): string {
  return oneLine(describe(value, LIMITS, null), LIMITS.characters + 1);
}

/** An exit reason in one line. */
export function excerptOfReason(reason: ExitReason): string {
  return oneLine(isError(reason) || typeof reason === 'string' ? formatReason(reason) : excerpt(reason));
}

/** Text of a user's in one line: no line break of theirs may pass for an entry of the log. */
export function oneLine(text: string, longest = LONGEST_LINE): string {
  const line = text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
  return line.replace(CONTROL_CHARACTERS, ' ');
}

/** The stack of an error and of its causes; undefined for what is no error. */
export function stackOf(thrown: unknown): string | undefined {
  const stacks: string[] = [];
  let left = LONGEST_STACK;
  for (let error = thrown; isError(error) && stacks.length < LONGEST_CAUSE_CHAIN && left > 0;) {
    const stack = propertyOf(error, 'stack');
    const shown = (typeof stack === 'string' && stack !== '' ? stack : describeError(error)).slice(0, left);
    stacks.push(shown);
    left -= shown.length;
    error = propertyOf(error, 'cause');
  }
  return stacks.length === 0 ? undefined : stacks.join('\nCaused by: ').slice(0, LONGEST_STACK);
}
