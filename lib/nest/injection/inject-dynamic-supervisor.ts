import { Inject, type Type } from '@nestjs/common';
import type { ServerName } from '../../runtime/server-name.js';
import { type ClientConsumer, consumerAt, getGenServerToken } from './inject-gen-server.js';

/** A dynamic supervisor that somebody asked for. Only tokens are kept here, never anything of an application. */
export interface DynamicSupervisorRequest {
  readonly token: symbol;
  readonly server: Type;
  readonly name: ServerName | undefined;
  readonly consumers: ClientConsumer[];
  readonly aliases: readonly symbol[];
}

/** By the token of the client, of which there is one per class and name. */
const requests = new Map<symbol, DynamicSupervisorRequest>();

/**
 * The injection token of a dynamic supervisor: what `@InjectDynamicSupervisor(server)` injects, and what tests override.
 *
 * @publicApi
 */
export function getDynamicSupervisorToken(server: Type, name?: ServerName): symbol {
  return requestFor(server, name).token;
}

/**
 * Injects the supervisor of a server that is started on demand: `@GenServer({ start: 'on_demand' })`. No module needs to import
 * anything for it.
 *
 * @publicApi
 */
export function InjectDynamicSupervisor(server: Type, name?: ServerName): ParameterDecorator & PropertyDecorator {
  return (target: object, key: string | symbol | undefined, index?: number) => {
    const { token, consumers } = requestFor(server, name);
    consumers.push(consumerAt(target, key, index));
    Inject(token)(target, key, index!);
  };
}

/** Everything that was asked for so far. */
export function dynamicSupervisorRequests(): readonly DynamicSupervisorRequest[] {
  return [...requests.values()];
}

function requestFor(server: Type, name: ServerName | undefined): DynamicSupervisorRequest {
  const clientToken = getGenServerToken(server, name);
  let request = requests.get(clientToken);
  if (request === undefined) {
    const token = Symbol(`Dynamic${clientToken.description!.replace('Client', 'Supervisor')}`);
    request = { token, server, name, consumers: [], aliases: [] };
    requests.set(clientToken, request);
  }
  return request;
}
