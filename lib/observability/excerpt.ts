import { inspect, type InspectOptions } from 'node:util';
import { type ExitReason, formatReason } from '../runtime/exits/exit-reason.js';

const UNPRINTABLE = '(cannot be printed)';
const LONGEST_VALUE = 1_000;
const LONGEST_LINE = 300;
const LONGEST_STACK = 8_000;
const MOST_KEYS = 20;
const DEEPEST = 2;
const LONGEST_CAUSE_CHAIN = 4;
const CONTROL_CHARACTERS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;

const INSPECT: InspectOptions = {
  depth: DEEPEST,
  maxArrayLength: 10,
  maxStringLength: 200,
  breakLength: Infinity,
};

/** A value in one line of bounded length, whatever it is: not even a getter or an inspector that throws gets through. */
export function excerpt(value: unknown): string {
  return guarded(() => oneLine(inspect(pruned(value, DEEPEST), INSPECT), LONGEST_VALUE));
}

/** An exit reason in one line. */
export function excerptOfReason(reason: ExitReason): string {
  return guarded(() => oneLine(reason instanceof Error ? formatReason(reason) : excerptOfOther(reason), LONGEST_LINE));
}

/** Text of a user's in one line: no line break of theirs may pass for an entry of the log. */
export function oneLine(text: string, longest = LONGEST_LINE): string {
  const line = text.length > longest ? `${text.slice(0, longest)}… (${text.length} characters)` : text;
  return line.replace(CONTROL_CHARACTERS, ' ');
}

/** The stack of an error and of its causes; undefined for what is no error. */
export function stackOf(thrown: unknown): string | undefined {
  return guarded(() => {
    const stacks: string[] = [];
    for (let error = thrown; error instanceof Error && stacks.length < LONGEST_CAUSE_CHAIN; error = error.cause) {
      stacks.push(String(error.stack ?? error));
    }
    return stacks.length === 0 ? undefined : stacks.join('\nCaused by: ').slice(0, LONGEST_STACK);
  });
}

function excerptOfOther(reason: ExitReason): string {
  return typeof reason === 'string' ? formatReason(reason) : excerpt(reason);
}

/** `inspect` bounds arrays, maps and strings, but a dictionary with a million keys it prints to the end. */
function pruned(value: unknown, depth: number): unknown {
  if (!isDictionary(value) || depth < 0) return value;
  const copy: Record<string, unknown> = {};
  let count = 0;
  for (const key in value) {
    if (++count > MOST_KEYS) {
      copy['…'] = 'and more';
      break;
    }
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property !== undefined && 'value' in property) property.value = pruned(property.value, depth - 1);
    if (property !== undefined) Object.defineProperty(copy, key, property);
  }
  return copy;
}

function isDictionary(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null;
}

function guarded<T>(print: () => T): T | typeof UNPRINTABLE {
  try {
    return print();
  } catch {
    // Something of the user's throws when it is looked at: the report says so and goes on.
    return UNPRINTABLE;
  }
}
