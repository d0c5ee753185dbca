import { entriesOfMap, itemsOfSet, timeOf } from '../../runtime/secrets/intrinsics.js';
import { visibleKeysOf } from '../../runtime/secrets/own-keys.js';
import { kindOf } from '../../runtime/secrets/value-kind.js';

/** Replaces a value. */
const TAKEN_OUT = '…';
/** Replaces a message that may repeat the value it is about. */
const UNSAID = 'it is not what the schema allows';
/** The limit on everything that the messages of one refusal are compared with. */
const MOST_VALUES = 200;
const DEEPEST = 10;
const LONGEST_MESSAGE = 500;
/** Shorter values are removed only where they stand alone, or no word would be left whole. */
const LONG_ENOUGH = 4;
/** Of a longer text, a message may repeat only the beginning. */
const LONGEST_VALUE = 100;
const TELLING_LENGTH = 8;
/** A key that the program's source contains. Any other key is data, as the keys of a dictionary are. */
const FIELD_NAME = /^(?!.*\d{4})[\p{L}_$][\p{L}\p{N}_$-]{0,39}$/u;

/**
 * Removes refused values from the messages of one refusal. Some libraries quote their input (`received "hunter2"`,
 * `unrecognized key "4111"`), and a message goes where the value must not: to logs, and to clients of the transport. Where there is more
 * to compare than the limits allow, the whole message is replaced.
 */
export class MessageCleaner {
  private left = MOST_VALUES;

  /** A message without the values, and their keys, that it is about. Never throws. */
  clean(message: unknown, about: unknown): string {
    if (typeof message !== 'string' || message.length > LONGEST_MESSAGE) return UNSAID;
    try {
      const values = new Set<string>();
      if (!this.collect(about, values, message, 0)) return UNSAID;
      // The longest first: a value that is part of another must not tear it apart.
      return [...values].sort((a, b) => b.length - a.length).reduce(takeOut, message);
    } catch {
      // The input cannot be inspected, so it is unknown what the message quotes of it.
      return UNSAID;
    }
  }

  /** A step on the path to the value that an issue is about. */
  cleanKey(key: unknown): string | number {
    if (typeof key === 'number') return key;
    const name = typeof key === 'symbol' ? (key.description ?? '') : key;
    return typeof name === 'string' && FIELD_NAME.test(name)
      ? typeof key === 'symbol'
        ? String(key)
        : name
      : TAKEN_OUT;
  }

  /** Collects the parts of a value that the message contains. Returns false when it could not inspect all of the value. */
  private collect(value: unknown, into: Set<string>, message: string, depth: number): boolean {
    if (--this.left < 0 || depth > DEEPEST) return false;
    if (typeof value === 'string') return collectText(value, into, message);
    if (typeof value === 'number' || typeof value === 'bigint') return collectText(String(value), into, message);
    if (typeof value !== 'object' || value === null) return true;
    const inside = (part: unknown): boolean => this.collect(part, into, message, depth + 1);
    switch (kindOf(value)) {
      case 'date':
        return collectDate(timeOf.call(value), into, message);
      case 'map': {
        const entries = entriesOfMap.call(value);
        for (let next = entries.next(); next.done !== true; next = entries.next()) {
          if (!inside(next.value[0]) || !inside(next.value[1])) return false;
        }
        return true;
      }
      case 'set': {
        const items = itemsOfSet.call(value);
        for (let next = items.next(); next.done !== true; next = items.next()) if (!inside(next.value)) return false;
        return true;
      }
      case 'array':
        if ((value as readonly unknown[]).length > this.left) return false;
        for (let at = 0; at < (value as readonly unknown[]).length; at++) {
          if (!inside(Object.getOwnPropertyDescriptor(value, at)?.value)) return false;
        }
        return true;
      case 'plain':
      case 'instance':
      case 'printer':
      case 'error': {
        const keys = visibleKeysOf(value);
        if (keys === null || keys.length * 2 > this.left) return false;
        return keys.every((key) => inside(key) && inside(Object.getOwnPropertyDescriptor(value, key)?.value));
      }
      default:
        return false;
    }
  }
}

/** Only parts that the message contains matter, and most are not in it. */
function collectText(value: string, into: Set<string>, message: string): boolean {
  if (value === '') return true;
  if (value.length > LONGEST_VALUE) return !message.includes(value.slice(0, TELLING_LENGTH));
  if (message.includes(value)) into.add(value);
  const quoted = JSON.stringify(value).slice(1, -1);
  if (quoted !== value && message.includes(quoted)) into.add(quoted);
  return true;
}

function collectDate(time: number, into: Set<string>, message: string): boolean {
  const date = new Date(time);
  if (!collectText(String(date), into, message)) return false;
  return Number.isNaN(time) || collectText(date.toISOString(), into, message);
}

function takeOut(message: string, value: string): string {
  if (value.length >= LONG_ENOUGH) return message.replaceAll(value, TAKEN_OUT);
  return message.replace(new RegExp(`(?<![\\p{L}\\p{N}])${escaped(value)}(?![\\p{L}\\p{N}])`, 'gu'), TAKEN_OUT);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
