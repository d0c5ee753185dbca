import { AlreadyStartedError, InvalidArgumentError } from './errors.js';
import { assertNameLength } from './limits.js';
import type { Pid } from './pid.js';
import { isInstanceOf } from './secrets/inspect-safely.js';
import { print } from './secrets/print.js';
import type { NameService } from './ports.js';
import type { Process } from './process.js';
import type { Runtime } from './runtime.js';
import {
  formatName,
  isGlobal,
  isServerName,
  isVia,
  type Registration,
  type ServerName,
  ViaKey,
  type ViaName,
} from './server-name.js';

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

/**
 * Registers `name` for a process.
 *
 * @throws {AlreadyStartedError} Another process holds the name. Nothing was registered.
 * @throws {LimitExceededError} The name is longer than `limits.nameLength`. Nothing was registered.
 * @throws {InvalidArgumentError} The value is not a name.
 */
export function register(process: Process, name: ServerName): void {
  process.registration = registrationOf(process.runtime, name, process.pid);
  if (isInstanceOf(name, ViaKey)) process.registeredKey = name.key;
}

function registrationOf(runtime: Runtime, name: ServerName, pid: Pid): Registration {
  assertNameLength(isVia(name) ? name.key : isGlobal(name) ? name.global : name, runtime.limits, pid);
  if (isVia(name)) {
    if (!name.via.registerName(name.key, pid, name.value)) throw alreadyStarted(name, name.via.whereisName(name.key));
    return isInstanceOf(name, ViaKey) ? name.via : new ViaRegistration(name);
  }
  const [service, key] = serviceOf(runtime, name);
  const holder = service.register(key, pid);
  if (holder !== undefined) throw alreadyStarted(name, holder);
  return new ServiceRegistration(name, service, key);
}

/** The current holder of `name`. */
export function whereisName(runtime: Runtime, name: ServerName): Pid | undefined {
  if (isVia(name)) return name.via.whereisName(name.key);
  const [service, key] = serviceOf(runtime, name);
  return service.whereis(key);
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
