import { entriesOfMap, itemsOfSet, timeOf } from '../../runtime/secrets/intrinsics.js';
import { visibleKeysOf } from '../../runtime/secrets/own-keys.js';
import { kindOf } from '../../runtime/secrets/value-kind.js';

/** What stands where a value was. */
const TAKEN_OUT = '…';
/** Stands for a message that may repeat what it is about. */
const UNSAID = 'it is not what the schema allows';
/** Of all that the messages of one refusal are compared with. */
const MOST_VALUES = 200;
const DEEPEST = 10;
const LONGEST_MESSAGE = 500;
/** Shorter ones are taken out only where they stand alone, or no word would be left whole. */
const LONG_ENOUGH = 4;
/** Of a longer text a message may repeat the beginning only. */
const LONGEST_VALUE = 100;
const TELLING_LENGTH = 8;
/** A key that a program was written with. Any other is data, as the keys of a dictionary are. */
const FIELD_NAME = /^(?!.*\d{4})[\p{L}_$][\p{L}\p{N}_$-]{0,39}$/u;

/**
 * Takes out of the messages of one refusal what they are about. Some libraries quote what they were given (`received "hunter2"`,
 * `unrecognized key "4111"`), and a message goes where the value must not: to logs, and to clients of the transport. Where there is more
 * to compare with than there is time for, nothing of the message is left.
 */
export class MessageCleaner {
  private left = MOST_VALUES;

  /** A message without the values, and the keys in it, that it is about. Never throws. */
  clean(message: unknown, about: unknown): string {
    if (typeof message !== 'string' || message.length > LONGEST_MESSAGE) return UNSAID;
    try {
      const values = new Set<string>();
      if (!this.collect(about, values, message, 0)) return UNSAID;
      // The longest first: what is part of another must not tear it apart.
      return [...values].sort((a, b) => b.length - a.length).reduce(takeOut, message);
    } catch {
      // What was given cannot even be looked at, so nobody knows what of it the message quotes.
      return UNSAID;
    }
  }

  /** A step on the way to what an issue is about. */
  cleanKey(key: unknown): string | number {
    if (typeof key === 'number') return key;
    const name = typeof key === 'symbol' ? (key.description ?? '') : key;
    return typeof name === 'string' && FIELD_NAME.test(name)
      ? typeof key === 'symbol'
        ? String(key)
        : name
      : TAKEN_OUT;
  }

  /** Notes what of a value is in the message. Answers false when it could not look at all of it. */
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

/** Only what the message has in it is of interest, which most is not. */
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
