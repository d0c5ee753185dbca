import { type InjectionRequest, InjectionRequests } from './injection-requests.js';

export type RegistryRequest = { readonly name: string } & InjectionRequest;

const requests = new InjectionRequests<{ readonly name: string }>(({ name }) => `Registry(${name})`);

/**
 * The injection token of a registry: what `@InjectRegistry(name)` injects, and what tests override.
 *
 * @publicApi
 */
export function getRegistryToken(name: string): symbol {
  return requests.tokenOf(name, { name });
}

/**
 * Injects a registry by its name. A module has to declare it with `provideRegistry`; none has to import anything for it.
 *
 * @publicApi
 */
export function InjectRegistry(name: string): ParameterDecorator & PropertyDecorator {
  return requests.decorator(name, { name });
}

/** All requests so far. */
export function registryRequests(): readonly RegistryRequest[] {
  return requests.all();
}
