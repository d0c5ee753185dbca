import { InvalidArgumentError } from '../../runtime/errors.js';
import { Pid } from '../../runtime/pid.js';
import { hasProperty, isInstanceOf } from '../../runtime/secrets/inspect-safely.js';
import { print } from '../../runtime/secrets/print.js';
import { type Process, processOf } from '../../runtime/process.js';
import { whereisName } from '../../runtime/registration.js';
import { formatName, isServerName, type ServerClass, type ServerName } from '../../runtime/server-name.js';
import type { Runtime } from '../../runtime/runtime.js';
import { GenServerProcess } from '../process/gen-server-process.js';

/** The key under which a client holds its destination, so that clients are destinations too. */
export const DESTINATION: unique symbol = Symbol('nestjs-genserver.destination');

/** A client, which holds its destination. The member is optional, so that an object literal in a test can stand in for a client. */
export interface Addressed {
  readonly [DESTINATION]?: Destination;
}

/** The process for one key of a server that is started on demand. */
export interface DestinationOfKey {
  readonly server: ServerClass;
  readonly key: unknown;
}

/**
 * The receiver of a message: a pid (one incarnation), a name or key (its holder at the time the message is sent), or a client.
 *
 * @publicApi
 */
export type Destination = Pid | ServerName | DestinationOfKey | Addressed;

/** The live server behind a destination, or undefined. Throws `InvalidArgumentError` if the value is not a destination. */
export function resolve(runtime: Runtime, destination: Destination): GenServerProcess | undefined {
  const pid = whereis(runtime, destination);
  const process = pid === undefined ? undefined : processOf(pid);
  return process instanceof GenServerProcess ? process : undefined;
}

/** Like {@link resolve}, for a server or a task. */
export function resolveProcess(runtime: Runtime, destination: Destination): Process | undefined {
  const pid = whereis(runtime, destination);
  return pid === undefined ? undefined : processOf(pid);
}

/** The pid behind a destination: the current holder of a name or key, or the pid itself while its process lives; else undefined. */
export function whereis(runtime: Runtime, destination: Destination): Pid | undefined {
  if (isInstanceOf(destination, Pid)) return processOf(destination) === undefined ? undefined : destination;
  if (isAddressed(destination)) return whereis(runtime, destination[DESTINATION]);
  if (isServerName(destination)) return whereisName(runtime, destination);
  if (isOfKey(destination)) return runtime.servers.keysOf(destination.server)?.whereisName(destination.key);
  throw new InvalidArgumentError(
    `A destination must be a pid, a name, { global }, { via, key }, { server, key } or a client, got: ${print(destination)}`,
  );
}

export function formatDestination(destination: unknown): string {
  if (isInstanceOf(destination, Pid)) return destination.toString();
  if (isAddressed(destination)) return formatDestination(destination[DESTINATION]);
  if (isOfKey(destination)) return `${formatName(destination.server)} of key ${print(destination.key)}`;
  return formatName(destination);
}

export function isOfKey(value: unknown): value is DestinationOfKey {
  return hasProperty(value, 'server') && hasProperty(value, 'key');
}

export function isAddressed(value: unknown): value is Required<Addressed> {
  return hasProperty(value, DESTINATION);
}
