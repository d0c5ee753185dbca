import { inspect } from 'node:util';
import { classNameOf, describeError, describeKey, ownFieldOf } from './inspect-safely.js';
import { entriesOfMap, itemsOfSet, sizeOfMap, sizeOfSet, sourceOf, timeOf } from './intrinsics.js';
import { MANY_KEYS, visibleKeysOf } from './own-keys.js';
import { mayBeSecret, NOT_LOOKED_AT, REDACTED } from './redacting-walk.js';
import { secretFieldsOf } from './secret-fields.js';
import type { SecretNames } from './secret-names.js';
import { kindOf, type ValueKind } from './value-kind.js';

/** The limits on describing a value. */
export interface DescriptionLimits {
  /** How deep fields and items are shown: 0 shows those of the value itself. */
  readonly depth: number;
  /** The maximum length of the whole text. A cut text is marked as cut. */
  readonly characters: number;
  /** The maximum length of any text in it. */
  readonly textLength: number;
  /** The maximum number of items of an array, map or set, and of fields of an object. */
  readonly items: number;
}

/**
 * Puts a value into one line, much as `inspect` does, in one walk that ends at the limits. It shows the value's fields, and an error's
 * message, and runs no other code of the value's. A value that is not known to be harmless is shown by its class. Never throws.
 *
 * @param names  The names of what is left out; null where the value has been redacted already.
 */
export function describe(value: unknown, limits: DescriptionLimits, names: SecretNames | null): string {
  const description = new Description(limits, names);
  try {
    description.add(value, 0);
  } catch {
    return '(a value that cannot be printed)';
  }
  return description.toString();
}

class Description {
  private text = '';
  private readonly path = new Set<object>();

  constructor(
    private readonly limits: DescriptionLimits,
    private readonly names: SecretNames | null,
  ) {}

  toString(): string {
    const { characters } = this.limits;
    return this.text.length > characters ? `${this.text.slice(0, characters)}…` : this.text;
  }

  private get isFull(): boolean {
    return this.text.length > this.limits.characters;
  }

  add(value: unknown, depth: number): void {
    if ((typeof value === 'object' && value !== null) || typeof value === 'function') this.addWhole(value, depth);
    else this.text += primitive(value, this.limits.textLength);
  }

  private addWhole(value: object, depth: number): void {
    const kind = kindOf(value);
    if (kind === 'printed') this.text += printed(value, this.limits.textLength);
    else if (kind === 'proxy') this.text += NOT_LOOKED_AT;
    else if (kind === 'function') this.text += describeFunction(value);
    else if (kind === 'date') this.text += describeDate(value);
    else if (kind === 'closed' || kind === 'bytes' || kind === 'regexp') this.text += `[${classNameOf(value)}]`;
    else if (this.path.has(value)) this.text += '[Circular]';
    else {
      this.path.add(value);
      if (kind === 'array') this.addArray(value as readonly unknown[], depth);
      else if (kind === 'map') this.addMap(value as ReadonlyMap<unknown, unknown>, depth);
      else if (kind === 'set') this.addSet(value as ReadonlySet<unknown>, depth);
      else this.addFields(value, kind, depth);
      this.path.delete(value);
    }
  }

  private addArray(value: readonly unknown[], depth: number): void {
    const { length } = value;
    if (length > 0 && depth > this.limits.depth) {
      this.text += '[Array]';
      return;
    }
    this.text += '[';
    let at = 0;
    for (; at < length && at < this.limits.items && !this.isFull; at++) {
      this.text += at === 0 ? ' ' : ', ';
      const item = Object.getOwnPropertyDescriptor(value, at);
      if (item === undefined) this.text += '<empty>';
      else this.addContent(item, depth);
    }
    this.close(length - at, at, ']');
  }

  private addMap(value: ReadonlyMap<unknown, unknown>, depth: number): void {
    const size = sizeOfMap.call(value);
    if (size > 0 && depth > this.limits.depth) {
      this.text += '[Map]';
      return;
    }
    this.text += `Map(${size}) {`;
    const entries = entriesOfMap.call(value);
    let at = 0;
    for (let next = entries.next(); next.done !== true; next = entries.next()) {
      if (at >= this.limits.items || this.isFull) break;
      const [key, item] = next.value;
      this.text += at++ === 0 ? ' ' : ', ';
      this.add(key, depth + 1);
      this.text += ' => ';
      if (typeof key === 'string' && mayBeSecret(item) && this.names?.has(key) === true) this.text += `'${REDACTED}'`;
      else this.add(item, depth + 1);
    }
    this.close(size - at, at, '}');
  }

  private addSet(value: ReadonlySet<unknown>, depth: number): void {
    const size = sizeOfSet.call(value);
    if (size > 0 && depth > this.limits.depth) {
      this.text += '[Set]';
      return;
    }
    this.text += `Set(${size}) {`;
    const items = itemsOfSet.call(value);
    let at = 0;
    for (let next = items.next(); next.done !== true; next = items.next()) {
      if (at >= this.limits.items || this.isFull) break;
      this.text += at++ === 0 ? ' ' : ', ';
      this.add(next.value, depth + 1);
    }
    this.close(size - at, at, '}');
  }

  private addFields(value: object, kind: ValueKind, depth: number): void {
    const keys = visibleKeysOf(value);
    const name = headOf(value, kind);
    if (keys === null) {
      this.text += `[${classNameOf(value)} of more than ${MANY_KEYS} fields]`;
      return;
    }
    if (depth > this.limits.depth && keys.length > 0 && kind !== 'error') {
      this.text += `[${classNameOf(value)}]`;
      return;
    }
    this.text += name;
    if (kind === 'error' && (keys.length === 0 || depth > this.limits.depth)) return;
    this.text += name === '' ? '{' : ' {';
    const marked = kind === 'plain' || this.names === null ? undefined : secretFieldsOf(value);
    let at = 0;
    for (const key of keys) {
      if (at >= this.limits.items || this.isFull) break;
      this.text += `${at++ === 0 ? ' ' : ', '}${nameOfField(key)}: `;
      const field = Object.getOwnPropertyDescriptor(value, key)!;
      const isSecret = this.names?.hasField(key) === true || marked?.has(key) === true;
      if (isSecret && (!('value' in field) || mayBeSecret(field.value))) this.text += `'${REDACTED}'`;
      else this.addContent(field, depth);
    }
    this.close(keys.length - at, at, '}');
  }

  private addContent(field: PropertyDescriptor, depth: number): void {
    if ('value' in field) this.add(field.value, depth + 1);
    else this.text += '[Getter]';
  }

  private close(left: number, shown: number, bracket: string): void {
    if (left > 0) this.text += `${shown === 0 ? ' ' : ', '}... ${left} more${shown === 0 ? '' : ' '}${bracket}`;
    else this.text += shown === 0 ? bracket : ` ${bracket}`;
  }
}

const INSPECT = Symbol.for('nodejs.util.inspect.custom');
const SIMPLE_TEXT = /^[^'\\\p{Cc}]*$/u;
const IDENTIFIER = /^[a-zA-Z_$][a-zA-Z_$0-9]*$/;

function primitive(value: unknown, longest: number): string {
  if (typeof value === 'string') {
    const isCut = value.length > longest;
    const shown = isCut ? value.slice(0, longest) : value;
    const text = SIMPLE_TEXT.test(shown) ? `'${shown}'` : inspect(shown, { breakLength: Infinity });
    return isCut ? `${text}... ${value.length - longest} more characters` : text;
  }
  if (typeof value === 'bigint') return value > -MOST_DIGITS && value < MOST_DIGITS ? `${value}n` : '[bigint]';
  if (typeof value === 'symbol') return describeKey(value);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** A number with this many digits is unreadable, and writing it takes disproportionately long. */
const MOST_DIGITS = 10n ** 100n;

/** Values that only this library can have created: they may describe themselves. */
function printed(value: object, longest: number): string {
  const text: unknown = (value as Record<symbol, () => unknown>)[INSPECT]!();
  return typeof text === 'string' ? text.slice(0, Math.max(longest, LONGEST_SHAPE)) : `[${classNameOf(value)}]`;
}

const LONGEST_SHAPE = 1_000;

function describeFunction(value: object): string {
  const name = ownFieldOf(value, 'name');
  const isClass = sourceOf.call(value).startsWith('class');
  const shown = typeof name === 'string' && name !== '' ? describeKey(name) : '(anonymous)';
  return isClass ? `[class ${shown}]` : shown === '(anonymous)' ? '[Function (anonymous)]' : `[Function: ${shown}]`;
}

function describeDate(value: object): string {
  const time = timeOf.call(value);
  return Number.isNaN(time) ? 'Invalid Date' : new Date(time).toISOString();
}

function headOf(value: object, kind: ValueKind): string {
  if (kind === 'error') return `[${describeError(value as Error)}]`;
  if (kind !== 'plain') return classNameOf(value);
  return Object.getPrototypeOf(value) === null ? '[Object: null prototype]' : '';
}

function nameOfField(key: string): string {
  return IDENTIFIER.test(key) ? describeKey(key) : primitive(key, 80);
}
