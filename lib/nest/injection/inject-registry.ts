import { Inject } from '@nestjs/common';
import { type ClientConsumer, consumerAt } from './inject-gen-server.js';

/** A registry that somebody asked for. Only tokens are kept here, never anything of an application. */
export interface RegistryRequest {
  readonly name: string;
  readonly token: symbol;
  readonly aliases: readonly symbol[];
  readonly consumers: ClientConsumer[];
}

const requests = new Map<string, RegistryRequest>();

/**
 * The injection token of a registry: what `@InjectRegistry(name)` injects, and what tests override.
 *
 * @publicApi
 */
export function getRegistryToken(name: string): symbol {
  return requestFor(name).token;
}

/**
 * Injects a registry by its name. A module has to declare it with `provideRegistry`; none has to import anything for it.
 *
 * @publicApi
 */
export function InjectRegistry(name: string): ParameterDecorator & PropertyDecorator {
  return (target: object, key: string | symbol | undefined, index?: number) => {
    const { token, consumers } = requestFor(name);
    consumers.push(consumerAt(target, key, index));
    Inject(token)(target, key, index!);
  };
}

/** Everything that was asked for so far. */
export function registryRequests(): readonly RegistryRequest[] {
  return [...requests.values()];
}

function requestFor(name: string): RegistryRequest {
  let request = requests.get(name);
  if (request === undefined) {
    request = { name, token: Symbol(`Registry(${name})`), aliases: [], consumers: [] };
    requests.set(name, request);
  }
  return request;
}
