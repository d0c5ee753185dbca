import { keepShape } from './keep-shape.js';
import type { Pid } from './pid.js';
import type { ViaRegistry } from './ports.js';
import { classNameOf, describeKey, hasReadable, propertyOf } from './secrets/inspect-safely.js';
import { print } from './secrets/print.js';

/** A server class, which is also the default name of a `@GenServer()`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any class whatever its constructor
export type ServerClass = abstract new (...args: any[]) => unknown;

/**
 * A name that a process can be registered under (N1): a local name (string, symbol or class), a name in the `{ global }` name service, or
 * a key in a user-defined registry. A string must not be empty.
 *
 * @publicApi
 */
export type ServerName = string | symbol | ServerClass | { readonly global: unknown } | ViaName;

/** A key in a registry, and the value that the registry may store with it. */
export interface ViaName {
  readonly via: ViaRegistry;
  readonly key: unknown;
  /** Passed to the registry when the name is registered; ignored in lookups. Default: undefined. */
  readonly value?: unknown;
}

/** Where the name of a process is registered, and freed when the process ends. `key` is the key of the process there, if it has keys. */
export interface Registration {
  nameOf(key: unknown): ServerName;
  release(key: unknown, pid: Pid): void;
}

/** A registry that is the registration of all its keys: with a hundred thousand keys, one object for each would cost too much memory. */
export interface KeyRegistry extends ViaRegistry, Registration {}

/** A key in a {@link KeyRegistry}. The process that holds it stores only the key. */
export class ViaKey implements ViaName {
  constructor(
    readonly via: KeyRegistry,
    readonly key: unknown,
  ) {}
}

keepShape(new ViaKey(null as never, undefined));

/** Whether `value` is a valid name, registered or not. */
export function isServerName(value: unknown): value is ServerName {
  if (typeof value === 'string') return value !== '';
  if (typeof value === 'symbol' || typeof value === 'function') return true;
  return isVia(value) || isGlobal(value);
}

/** The name as a reader would write it in code, for messages. */
export function formatName(name: unknown): string {
  if (typeof name === 'function') return nameOfClass(name);
  if (typeof name === 'string') return `'${name}'`;
  if (isVia(name)) return `{ via: ${nameOfVia(name)}, key: ${print(propertyOf(name, 'key'))} }`;
  return print(name);
}

function nameOfClass(type: object): string {
  const name = propertyOf(type, 'name');
  return typeof name === 'string' ? describeKey(name) : '(a class without a name)';
}

function nameOfVia(name: ViaName): string {
  const via = propertyOf(name, 'via');
  return typeof via === 'object' && via !== null ? classNameOf(via) : print(via);
}

export function isVia(name: unknown): name is ViaName {
  return hasReadable(name, 'via');
}

export function isGlobal(name: unknown): name is { readonly global: unknown } {
  return hasReadable(name, 'global');
}
