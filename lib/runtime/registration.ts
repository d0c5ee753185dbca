import { AlreadyStartedError, InvalidArgumentError } from './errors.js';
import { keepShape } from './keep-shape.js';
import { assertNameLength } from './limits.js';
import { Pid } from './pid.js';
import { print } from './secrets/print.js';
import type { NameService, ViaRegistry } from './ports.js';
import type { Process } from './process.js';
import type { Runtime } from './runtime.js';

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
interface ViaName {
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

class ViaRegistration implements Registration {
  constructor(private readonly name: ViaName) {}

  nameOf(): ServerName {
    return this.name;
  }

  release(): void {
    this.name.via.unregisterName(this.name.key);
  }
}

class ServiceRegistration implements Registration {
  constructor(
    private readonly name: ServerName,
    private readonly service: NameService,
    private readonly key: unknown,
  ) {}

  nameOf(): ServerName {
    return this.name;
  }

  release(_key: unknown, pid: Pid): void {
    this.service.unregister(this.key, pid);
  }
}

/** Takes `name` for a process, or throws {@link AlreadyStartedError} naming the holder, or `LimitExceededError`. */
export function register(process: Process, name: ServerName): void {
  process.registration = registrationOf(process.runtime, name, process.pid);
  if (name instanceof ViaKey) process.registeredKey = name.key;
}

function registrationOf(runtime: Runtime, name: ServerName, pid: Pid): Registration {
  assertNameLength(isVia(name) ? name.key : isGlobal(name) ? name.global : name, runtime.limits, pid);
  if (isVia(name)) {
    if (!name.via.registerName(name.key, pid, name.value)) throw alreadyStarted(name, name.via.whereisName(name.key));
    return name instanceof ViaKey ? name.via : new ViaRegistration(name);
  }
  const [service, key] = serviceOf(runtime, name);
  const holder = service.register(key, pid);
  if (holder !== undefined) throw alreadyStarted(name, holder);
  return new ServiceRegistration(name, service, key);
}

/** Who holds `name` now. */
export function whereisName(runtime: Runtime, name: ServerName): Pid | undefined {
  if (isVia(name)) return name.via.whereisName(name.key);
  const [service, key] = serviceOf(runtime, name);
  return service.whereis(key);
}

/** Whether `value` has the form of a name at all. */
export function isServerName(value: unknown): value is ServerName {
  if (typeof value === 'string') return value !== '';
  if (typeof value === 'symbol' || typeof value === 'function') return true;
  return isVia(value) || isGlobal(value);
}

/** Whether two names mean the same holder. */
export function isSameName(a: ServerName | undefined, b: ServerName | undefined): boolean {
  if (a === b) return true;
  if (isGlobal(a) && isGlobal(b)) return a.global === b.global;
  return isVia(a) && isVia(b) && a.via === b.via && a.key === b.key;
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

function isGlobal(name: unknown): name is { readonly global: unknown } {
  return typeof name === 'object' && name !== null && 'global' in name;
}

function serviceOf(runtime: Runtime, name: unknown): [NameService, unknown] {
  if (!isServerName(name)) {
    throw new InvalidArgumentError(
      `A server name must be a non-empty string, a symbol, a class, { global } or { via, key }, got: ${print(name)}`,
    );
  }
  if (isGlobal(name)) return [runtime.globalNames, name.global];
  return [runtime.localNames, name];
}

function alreadyStarted(name: ServerName, holder: Pid | undefined): AlreadyStartedError {
  return new AlreadyStartedError(formatName(name), holder === undefined ? 'another process' : holder.toString());
}
