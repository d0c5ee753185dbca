import { types } from 'node:util';

/** What stands where a value was. */
const TAKEN_OUT = '…';
const MOST_VALUES = 1_000;
const DEEPEST = 10;
/** Shorter ones are taken out only where they stand alone, or no word would be left whole. */
const LONG_ENOUGH = 4;

/**
 * A message without the values it is about. Some libraries quote what they were given (`received "hunter2"`), and a message
 * goes where the value must not: to logs, and to clients of the transport.
 */
export function withoutValues(message: string, about: unknown): string {
  const values = new Set<string>();
  collect(about, values, 0);
  // The longest first: what is part of another must not tear it apart.
  return [...values].sort((a, b) => b.length - a.length).reduce(takeOut, message);
}

function collect(value: unknown, into: Set<string>, depth: number): void {
  if (into.size >= MOST_VALUES || depth > DEEPEST) return;
  if (typeof value === 'string') {
    into.add(value);
    into.add(JSON.stringify(value).slice(1, -1));
  } else if (typeof value === 'number' || typeof value === 'bigint') {
    into.add(String(value));
  } else if (types.isDate(value)) {
    into.add(String(value));
    if (!Number.isNaN(value.getTime())) into.add(value.toISOString());
  } else if (types.isMap(value) || types.isSet(value)) {
    for (const [key, item] of value.entries()) {
      if (types.isMap(value)) collect(key, into, depth + 1);
      collect(item, into, depth + 1);
    }
  } else if (typeof value === 'object' && value !== null) {
    for (const { value: item } of Object.values(Object.getOwnPropertyDescriptors(value)))
      collect(item, into, depth + 1);
  }
}

function takeOut(message: string, value: string): string {
  if (value === '') return message;
  if (value.length >= LONG_ENOUGH) return message.replaceAll(value, TAKEN_OUT);
  return message.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped(value)}(?![\\p{L}\\p{N}])`, 'gu'), TAKEN_OUT);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
