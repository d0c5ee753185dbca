import { isDeepStrictEqual, types } from 'node:util';
import { hasMethod, isInstanceOf, propertyOf } from '../runtime/secrets/inspect-safely.js';
import { print } from '../runtime/secrets/print.js';

/** A class of messages. Not of `any` arguments: among overloads those count for less. */
export type MessageClass<M> = abstract new (...args: never[]) => M;

/**
 * What a test expects: a class for any instance of it, an arrow function that says yes or no, and else a value that is equal in
 * depth. A value may contain what matches loosely in Vitest and Jest: `expect.any(Number)`, `expect.objectContaining({ … })`.
 *
 * @publicApi
 */
export type Matcher<M = unknown> = MessageClass<M> | ((message: never) => boolean) | M;

/** Whether a value is what was expected. */
export function matches(expected: unknown, actual: unknown): boolean {
  if (typeof expected !== 'function') return isEqual(expected, actual, new Set());
  return isClass(expected) ? isInstanceOf(actual, expected) : (expected as (value: unknown) => boolean)(actual);
}

/** What was expected, in words. */
export function describeMatcher(expected: unknown): string {
  if (typeof expected !== 'function') return print(expected, 3);
  if (isClass(expected)) return `a ${expected.name}`;
  const source = String(expected).replace(/\s+/g, ' ');
  return `something for which ${source.length > 80 ? `${source.slice(0, 79)}…` : source}`;
}

/** Arrow functions have no prototype, and classes always do. */
function isClass(value: object): value is MessageClass<unknown> & { name: string } {
  return Object.hasOwn(value, 'prototype');
}

/** What cannot be looked at is equal to itself only. */
function areDeeplyEqual(expected: unknown, actual: unknown): boolean {
  try {
    return Object.is(expected, actual) || isDeepStrictEqual(expected, actual);
  } catch {
    return false;
  }
}

interface Asymmetric {
  asymmetricMatch(actual: unknown): boolean;
}

function isEqual(expected: unknown, actual: unknown, path: Set<unknown>): boolean {
  if (isAsymmetric(expected)) return expected.asymmetricMatch(actual);
  if (areDeeplyEqual(expected, actual)) return true;
  // Only what is plain may contain something that matches loosely; and what contains itself was compared above.
  if (!isPlain(expected) || !isPlain(actual) || path.has(expected)) return false;
  if (Array.isArray(expected) !== Array.isArray(actual)) return false;
  const keys = Reflect.ownKeys(expected);
  if (keys.length !== Reflect.ownKeys(actual).length) return false;
  path.add(expected);
  const areEqual = keys.every(
    (key) => Object.hasOwn(actual, key) && isEqual(expected[key], propertyOf(actual, key), path),
  );
  path.delete(expected);
  return areEqual;
}

function isAsymmetric(value: unknown): value is Asymmetric {
  return hasMethod(value, 'asymmetricMatch');
}

function isPlain(value: unknown): value is Record<string | symbol, unknown> {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return Array.isArray(value) || proto === Object.prototype || proto === null;
}
