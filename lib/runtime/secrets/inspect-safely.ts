import { types } from 'node:util';

// The one door through which a value of the user's is asked what it is. A proxy that was revoked, a trap or a getter that throws, a
// `Symbol.hasInstance` of somebody's own: whatever it does, the question is answered, and nobody but the value's owner is concerned.

/** Whether a value is an instance of a class. One that cannot be looked at is none. */
export function isInstanceOf<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** Whether a value is an error, also one of another realm (Jest gives each test file its own `Error`). */
export function isError(value: unknown): value is Error {
  // No error is anything but an object, and most reasons are text: asking the platform takes longer than all the rest of an end.
  return typeof value === 'object' && (types.isNativeError(value) || isInstanceOf(value, Error));
}

/** Whether an object has a property, of its own or inherited. One that cannot be looked at has none. */
export function hasProperty<K extends PropertyKey>(value: unknown, key: K): value is Readonly<Record<K, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return key in value;
  } catch {
    return false;
  }
}

/** As {@link hasProperty}, where the property is going to be read: one that throws then is none. */
export function hasReadable<K extends PropertyKey>(value: unknown, key: K): value is Readonly<Record<K, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return (value as Record<PropertyKey, unknown>)[key] !== undefined || key in value;
  } catch {
    return false;
  }
}

/** What a property reads as, getters included; undefined where reading it throws. */
export function propertyOf(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  try {
    return (value as Readonly<Record<PropertyKey, unknown>>)[key];
  } catch {
    return undefined;
  }
}

/** Whether a property reads as a function. */
export function hasMethod<K extends PropertyKey>(value: unknown, key: K): value is Record<K, () => unknown> {
  return typeof value === 'object' && typeof propertyOf(value, key) === 'function';
}

/**
 * Whether `await` would wait for a value. A getter that throws counts: awaiting it throws the same, where it is looked for.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return true;
  }
}

/** As {@link isThenable}, for the result of a callback: a proxy that cannot be asked is no result, and nothing to wait for. */
export function isAwaitable(value: unknown): value is PromiseLike<unknown> {
  return isThenable(value) && !(types.isProxy(value) && propertyOf(value, 'then') === undefined);
}

/** Whether a value is a promise, as `await` knows one without asking. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && isInstanceOf(value, Promise);
}

/** Whether nobody can change an object. One that cannot be looked at may be frozen as well as not. */
export function isFrozen(value: object): boolean {
  try {
    return Object.isFrozen(value);
  } catch {
    return true;
  }
}

/** Whether an array, also of another realm. A proxy that was revoked is none. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** A field of the value itself, without running code of its: undefined for a getter, and for a proxy. */
export function ownFieldOf(value: object, key: PropertyKey): unknown {
  return types.isProxy(value) ? undefined : Object.getOwnPropertyDescriptor(value, key)?.value;
}

/** The name of the class of an object, without running code of its; `Object` where it has none. */
export function classNameOf(value: object): string {
  return types.isProxy(value) ? 'Proxy' : (classNamesOf(value)[0] ?? 'Object');
}

/** The names of the class of an object and of those that it extends, without running code of its. */
export function classNamesOf(value: object): string[] {
  const names: string[] = [];
  let proto: object | null = value;
  for (let height = 0; height < HIGHEST_CHAIN && !types.isProxy(proto); height++) {
    proto = Object.getPrototypeOf(proto) as object | null;
    if (proto === null || proto === Object.prototype || types.isProxy(proto)) break;
    const constructor: unknown = Object.getOwnPropertyDescriptor(proto, 'constructor')?.value;
    const name = typeof constructor === 'function' ? ownFieldOf(constructor, 'name') : undefined;
    if (typeof name === 'string' && name !== '') names.push(name.slice(0, LONGEST_CLASS_NAME));
  }
  return names;
}

/** The name and the message of an error in one line, cut to a length that can be read. */
export function describeError(error: Error): string {
  const name = textOf(propertyOf(error, 'name')) ?? classNameOf(error);
  const message = messageOf(error);
  if (message === undefined) return `${name}: (a message that cannot be printed)`;
  if (message.length <= LONGEST_MESSAGE) return `${name}: ${message}`;
  return `${name}: ${message.slice(0, LONGEST_MESSAGE)}… (${message.length} characters)`;
}

/** The message of an error; undefined where there is none that can be read. */
export function messageOf(error: Error): string | undefined {
  return textOf(propertyOf(error, 'message'));
}

/** Text is taken as it is; of anything else nobody knows what it would say, or throw. */
function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined;
}

/** A key or a name that may be a symbol, in words of bounded length. */
export function describeKey(key: unknown): string {
  if (typeof key !== 'string' && typeof key !== 'symbol' && typeof key !== 'number') return typeof key;
  const text = String(key);
  return text.length > LONGEST_KEY ? `${text.slice(0, LONGEST_KEY)}…` : text;
}

/** A chain of prototypes may be as long as somebody likes; no class that is meant to be read is higher. */
export const HIGHEST_CHAIN = 30;
const LONGEST_CLASS_NAME = 100;
const LONGEST_MESSAGE = 2_000;
const LONGEST_KEY = 200;
