import { types } from 'node:util';

// The one place where a user's value is inspected. For a proxy that was revoked, a trap or a getter that throws, or a user-defined
// `Symbol.hasInstance`, the functions still return a result, and only the value's owner is affected.

/** Whether a value is an instance of a class. False for a value that cannot be inspected. */
export function isInstanceOf<T>(value: unknown, type: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof type;
  } catch {
    return false;
  }
}

/** Whether a value is an error, including one of another realm (Jest gives each test file its own `Error`). */
export function isError(value: unknown): value is Error {
  // Every error is an object, and most reasons are text: asking the platform takes longer than the rest of ending a process.
  return typeof value === 'object' && (types.isNativeError(value) || isInstanceOf(value, Error));
}

/** Whether an object has a property, own or inherited. False for an object that cannot be inspected. */
export function hasProperty<K extends PropertyKey>(value: unknown, key: K): value is Readonly<Record<K, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return key in value;
  } catch {
    return false;
  }
}

/** Like {@link hasProperty}, for a property that is going to be read: false when reading it throws. */
export function hasReadable<K extends PropertyKey>(value: unknown, key: K): value is Readonly<Record<K, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  try {
    return (value as Record<PropertyKey, unknown>)[key] !== undefined || key in value;
  } catch {
    return false;
  }
}

/** The value of a property, getters included; undefined when reading it throws. */
export function propertyOf(value: unknown, key: PropertyKey): unknown {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return undefined;
  try {
    return (value as Readonly<Record<PropertyKey, unknown>>)[key];
  } catch {
    return undefined;
  }
}

/** Whether the value of a property is a function. */
export function hasMethod<K extends PropertyKey>(value: unknown, key: K): value is Record<K, () => unknown> {
  return typeof value === 'object' && typeof propertyOf(value, key) === 'function';
}

/**
 * Whether `await` would wait for a value. True for a getter that throws: awaiting the value throws the same error, where it is expected.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return true;
  }
}

/** Like {@link isThenable}, for the result of a callback: a proxy that cannot be inspected is neither a result nor awaitable. */
export function isAwaitable(value: unknown): value is PromiseLike<unknown> {
  return isThenable(value) && !(types.isProxy(value) && propertyOf(value, 'then') === undefined);
}

/** Whether a value is a promise that `await` recognises without reading `then`. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && isInstanceOf(value, Promise);
}

/** Whether an object is frozen. An object that cannot be inspected counts as frozen. */
export function isFrozen(value: object): boolean {
  try {
    return Object.isFrozen(value);
  } catch {
    return true;
  }
}

/** Whether a value is an array, including one of another realm. False for a proxy that was revoked. */
export function isArray(value: unknown): value is readonly unknown[] {
  try {
    return Array.isArray(value);
  } catch {
    return false;
  }
}

/** A field of the value itself, without running the value's code: undefined for a getter, and for a proxy. */
export function ownFieldOf(value: object, key: PropertyKey): unknown {
  return types.isProxy(value) ? undefined : Object.getOwnPropertyDescriptor(value, key)?.value;
}

/** The name of an object's class, without running the object's code; `Object` where it has none. */
export function classNameOf(value: object): string {
  return types.isProxy(value) ? 'Proxy' : (classNamesOf(value)[0] ?? 'Object');
}

/** The names of an object's class and of those that it extends, without running the object's code. */
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

/** The name and the message of an error in one line, cut to a readable length. */
export function describeError(error: Error): string {
  const name = textOf(propertyOf(error, 'name')) ?? classNameOf(error);
  const message = messageOf(error);
  if (message === undefined) return `${name}: (a message that cannot be printed)`;
  if (message.length <= LONGEST_MESSAGE) return `${name}: ${message}`;
  return `${name}: ${message.slice(0, LONGEST_MESSAGE)}… (${message.length} characters)`;
}

/** The message of an error; undefined when it cannot be read. */
export function messageOf(error: Error): string | undefined {
  return textOf(propertyOf(error, 'message'));
}

/** Text is taken as it is; converting any other value could return anything, or throw. */
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

/** A prototype chain may have any length; no class meant for reading has a longer one. */
export const HIGHEST_CHAIN = 30;
const LONGEST_CLASS_NAME = 100;
const LONGEST_MESSAGE = 2_000;
const LONGEST_KEY = 200;
