import { keepShape } from './keep-shape.js';
import type { Pid } from './pid.js';
import type { ViaRegistry } from './ports.js';
import { print } from './secrets/print.js';

/** A class that stands for a server: the default name of a `@GenServer()`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- any class whatever its constructor
export type ServerClass = abstract new (...args: any[]) => unknown;

/**
 * What a process can be registered under (N1): a local name (string, symbol or class), a name in the `{ global }` name
 * service, or a key in a registry of the user's own.
 *
 * @publicApi
 */
export type ServerName = string | symbol | ServerClass | { readonly global: unknown } | ViaName;

/** A key in a registry, with what the registry may keep along with it. */
export interface ViaName {
  readonly via: ViaRegistry;
  readonly key: unknown;
  /** Handed to the registry when the name is taken; of no account when it is looked up. Default: undefined. */
  readonly value?: unknown;
}

/** What a name that a process holds is given back to at its end. The key is the one under which the process is found there. */
export interface Registration {
  nameOf(key: unknown): ServerName;
  release(key: unknown, pid: Pid): void;
}

/** A registry that is the registration of all its keys: no object for each where there may be a hundred thousand of them. */
export interface KeyRegistry extends ViaRegistry, Registration {}

/** A key of such a registry. Whoever holds it keeps the key only. */
export class ViaKey implements ViaName {
  constructor(
    readonly via: KeyRegistry,
    readonly key: unknown,
  ) {}
}

keepShape(new ViaKey(null as never, undefined));

/** Whether `value` has the form of a name at all. */
export function isServerName(value: unknown): value is ServerName {
  if (typeof value === 'string') return value !== '';
  if (typeof value === 'symbol' || typeof value === 'function') return true;
  return isVia(value) || isGlobal(value);
}

/** The name as a reader would write it. */
export function formatName(name: unknown): string {
  if (typeof name === 'function') return name.name;
  if (typeof name === 'string') return `'${name}'`;
  if (isVia(name)) {
    return `{ via: ${name.via.constructor.name}, key: ${print(name.key)} }`;
  }
  return print(name);
}

export function isVia(name: unknown): name is ViaName {
  return typeof name === 'object' && name !== null && 'via' in name;
}

export function isGlobal(name: unknown): name is { readonly global: unknown } {
  return typeof name === 'object' && name !== null && 'global' in name;
}
