import { types } from 'node:util';
import { propertyOf } from './inspect-safely.js';
import { entriesOfMap, itemsOfSet, lengthOfBytes, timeOf } from './intrinsics.js';
import { visibleKeysOf } from './own-keys.js';
import { secretFieldsOf } from './secret-fields.js';
import type { SecretNames } from './secret-names.js';
import { Shape } from './shape.js';
import { kindOf, type ValueKind } from './value-kind.js';

/** Replaces a secret. */
export const REDACTED = '[redacted]';
/** Replaces the value of a getter. */
const GETTER = Shape.saying('[Getter]');
/** Replaces a part that was not searched for secrets: too deep, beyond the budget, or a proxy. */
export const NOT_LOOKED_AT = '[not looked at]';

/** A value with more parts is not walked to the end: a report must not take longer than what it reports. */
const MOST_PARTS = 150;
const DEEPEST = 50;
const INSPECT = Symbol.for('nodejs.util.inspect.custom');
/** Custom printers would show what the fields do not. */
const PRINTERS = ['toJSON', INSPECT] as const;
/** For a class without marked fields. */
const NO_FIELDS: ReadonlySet<string | symbol> = new Set();

/**
 * One walk through a value, or through several that are shown together, which builds a copy without secrets on its way. All of them share
 * one budget of parts.
 */
export class RedactingWalk {
  private parts = 0;
  /** Whether the copy differs from the value. */
  private isChanged = false;
  /** The parts copied so far, so that a cycle stays a cycle. */
  private copies = new Map<object, object>();
  /** Errors and their copies: reading a stack builds it, which is slow, so it waits until the copy is needed. */
  private errors: [Error, object][] = [];

  constructor(private readonly names: SecretNames) {}

  /** Stops the walk: no further part is inspected. */
  get isOver(): boolean {
    return this.parts >= MOST_PARTS;
  }

  /** Counts another part against the budget. */
  count(): void {
    this.parts++;
  }

  /** The value itself when all of it may be shown, or else a copy of what may be. Never throws. */
  shown(value: unknown): unknown {
    this.isChanged = false;
    this.copies = new Map();
    this.errors = [];
    try {
      const copy = this.visit(value, 0);
      if (!this.isChanged) return value;
      for (const [error, copyOfError] of this.errors) copyStack(error, copyOfError);
      return copy;
    } catch {
      return NOT_LOOKED_AT;
    }
  }

  private visit(value: unknown, depth: number): unknown {
    if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return value;
    const present = this.copies.get(value);
    if (present !== undefined) return present;
    const kind = kindOf(value);
    if (kind === 'printed') return value;
    if (kind === 'proxy' || depth > DEEPEST || this.isOver) return this.replaced(NOT_LOOKED_AT);
    switch (kind) {
      case 'closed':
        return this.replaced(Shape.ofClass(value));
      case 'function':
        return hasOnly(value, FIELDS_OF_FUNCTIONS) ? value : this.replaced(Shape.ofClass(value));
      case 'date':
        return hasOnly(value, []) && isOfPlatform(value) ? value : this.replaced(new Date(timeOf.call(value)));
      case 'regexp':
        return hasOnly(value, ['lastIndex']) && isOfPlatform(value) ? value : this.replaced(Shape.ofClass(value));
      case 'bytes':
        return hasOnlyBytes(value) ? value : this.replaced(Shape.ofClass(value));
      case 'array':
        return this.visitArray(value as readonly unknown[], depth);
      case 'map':
        return this.visitMap(value as ReadonlyMap<unknown, unknown>, depth);
      case 'set':
        return this.visitSet(value as ReadonlySet<unknown>, depth);
      default:
        return this.visitFields(value, kind, depth);
    }
  }

  private replaced(by: unknown): unknown {
    this.isChanged = true;
    return by;
  }

  private visitArray(whole: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = [];
    this.copies.set(whole, copy);
    const { length } = whole;
    for (let at = 0; at < length; at++) {
      if (this.isOver) {
        copy.push(this.replaced(NOT_LOOKED_AT));
        return copy;
      }
      this.count();
      const item = Object.getOwnPropertyDescriptor(whole, at);
      if (item === undefined) copy.length++;
      else copy.push(this.visit(this.contentOf(item), depth + 1));
    }
    // Small enough to be listed: a value with additional fields is shown without them.
    if (!isOfPlatform(whole) || Reflect.ownKeys(whole).length > length + 1) this.isChanged = true;
    return copy;
  }

  private visitMap(whole: ReadonlyMap<unknown, unknown>, depth: number): ReadonlyMap<unknown, unknown> {
    const copy = new Map<unknown, unknown>();
    this.copies.set(whole, copy);
    if (!isOfPlatform(whole) || !hasOnly(whole, [])) this.isChanged = true;
    const entries = entriesOfMap.call(whole);
    for (let next = entries.next(); next.done !== true; next = entries.next()) {
      if (this.isOver) return copy.set(this.replaced(NOT_LOOKED_AT), NOT_LOOKED_AT);
      this.count();
      const [key, value] = next.value;
      const isSecret = typeof key === 'string' && mayBeSecret(value) && this.names.has(key);
      copy.set(this.visit(key, depth + 1), isSecret ? this.replaced(REDACTED) : this.visit(value, depth + 1));
    }
    return copy;
  }

  private visitSet(whole: ReadonlySet<unknown>, depth: number): ReadonlySet<unknown> {
    const copy = new Set<unknown>();
    this.copies.set(whole, copy);
    if (!isOfPlatform(whole) || !hasOnly(whole, [])) this.isChanged = true;
    const items = itemsOfSet.call(whole);
    for (let next = items.next(); next.done !== true; next = items.next()) {
      if (this.isOver) return copy.add(this.replaced(NOT_LOOKED_AT));
      this.count();
      copy.add(this.visit(next.value, depth + 1));
    }
    return copy;
  }

  private visitFields(whole: object, kind: ValueKind, depth: number): object {
    const proto = Object.getPrototypeOf(whole) as object | null;
    const copy = Object.create(proto) as Record<string | symbol, unknown>;
    this.copies.set(whole, copy);
    if (kind === 'error') this.errors.push([whole as Error, copy]);
    if (kind === 'printer') {
      this.isChanged = true;
      for (const printer of PRINTERS) Object.defineProperty(copy, printer, { value: undefined, configurable: true });
    }
    const isPlain = proto === Object.prototype || proto === null;
    const marked = isPlain ? NO_FIELDS : (secretFieldsOf(whole) ?? NO_FIELDS);
    const visible = visibleKeysOf(whole);
    // Too many to be looked at: what does not show among them is left out, as all that comes after those that are looked at.
    const isListed = visible !== null && visible.length <= MOST_PARTS;
    let isCut = !isListed;
    for (const key of isListed ? Reflect.ownKeys(whole) : (visible ?? [])) {
      if (key === 'stack' && kind === 'error') continue;
      if (this.isOver) {
        isCut = true;
        break;
      }
      this.count();
      const field = Object.getOwnPropertyDescriptor(whole, key)!;
      const part = this.isSecret(key, field, marked)
        ? this.replaced(REDACTED)
        : this.visit(this.contentOf(field, key), depth + 1);
      if (isPlain && field.enumerable === true && key !== '__proto__') copy[key] = part;
      else define(copy, key, part, field.enumerable === true);
    }
    if (isCut) define(copy, '…', this.replaced(NOT_LOOKED_AT), true);
    return copy;
  }

  private isSecret(key: string | symbol, field: PropertyDescriptor, marked: ReadonlySet<string | symbol>): boolean {
    if ('value' in field && !mayBeSecret(field.value)) return false;
    return this.names.hasField(typeof key === 'string' ? key : (key.description ?? '')) || marked.has(key);
  }

  /** A getter is not run, and a printer is not kept: their results may contain secrets. */
  private contentOf(field: PropertyDescriptor, key?: string | symbol): unknown {
    if (!('value' in field)) return this.replaced(GETTER);
    const value: unknown = field.value;
    const isPrinter = typeof value === 'function' && (key === 'toJSON' || key === INSPECT);
    return isPrinter ? this.replaced(Shape.of(value)) : value;
  }
}

/** Whether there is a value is not a secret. */
export function mayBeSecret(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'boolean';
}

function define(copy: object, key: string | symbol, value: unknown, enumerable: boolean): void {
  Object.defineProperty(copy, key, { value, enumerable, writable: true, configurable: true });
}

/** The stack of an error may be a getter that works on the error itself and not on a copy. */
function copyStack(error: Error, copy: object): void {
  if (!Object.hasOwn(error, 'stack')) return;
  const stack = propertyOf(error, 'stack');
  define(copy, 'stack', typeof stack === 'string' ? stack : undefined, false);
}

const FIELDS_OF_FUNCTIONS: readonly (string | symbol)[] = ['length', 'name', 'prototype', 'arguments', 'caller'];

/** Whether a value has no own fields besides these. */
function hasOnly(value: object, expected: readonly (string | symbol)[]): boolean {
  const keys = Reflect.ownKeys(value);
  return keys.length <= expected.length && keys.every((key) => expected.includes(key));
}

/** Longer ones are shown by their class: finding additional fields would require listing all bytes. */
const MOST_BYTES = 256;

function hasOnlyBytes(value: object): boolean {
  if (!isOfPlatform(value)) return false;
  if (!types.isTypedArray(value)) return hasOnly(value, []);
  const length = lengthOfBytes.call(value);
  return length <= MOST_BYTES && Reflect.ownKeys(value).length === length;
}

/** Whether a value has the engine's own class, and not one that prints itself differently. */
function isOfPlatform(value: object): boolean {
  return PLATFORM_CLASSES.has(Object.getPrototypeOf(value));
}

const PLATFORM_CLASSES: ReadonlySet<unknown> = new Set(
  [
    ...[Array, Date, RegExp, Map, Set, ArrayBuffer, SharedArrayBuffer, DataView, Buffer, BigInt64Array, BigUint64Array],
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
    ...[Float32Array, Float64Array],
  ].map(({ prototype }): unknown => prototype),
);
