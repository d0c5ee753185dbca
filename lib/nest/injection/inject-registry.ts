import { type FactoryProvider, Inject } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { Registry, type RegistryOptions } from '../../registry/registry.js';
import { type ClientConsumer, consumerAt } from './inject-gen-server.js';
import { findConsumer } from './consumer.finder.js';
import * as messages from '../gen-server.messages.js';
import { GenServerOrchestrator } from '../tree/gen-server.orchestrator.js';

/** A registry that somebody asked for. Only tokens are kept here, never anything of an application. */
interface RegistryRequest {
  readonly name: string;
  readonly token: symbol;
  readonly aliases: readonly symbol[];
  readonly consumers: ClientConsumer[];
}

/** A registry that a module declares. */
interface ProvidedRegistry {
  readonly name: string;
  readonly options: RegistryOptions;
}

const requests = new Map<string, RegistryRequest>();
/** Which factories stand for registries. Nest hands the factory back, so the declaration is found by it. */
const provided = new WeakMap<object, ProvidedRegistry>();

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

/**
 * Declares a registry of the application: goes into `providers` of one module. Names are unique in an application.
 *
 * @publicApi
 */
export function provideRegistry(name: string, options: RegistryOptions): FactoryProvider<Registry> {
  const registry = { name, options };
  const factory = (host: GenServerOrchestrator, modules: ModulesContainer): Registry => open(registry, host, modules);
  provided.set(factory, registry);
  return { provide: getRegistryToken(name), inject: [GenServerOrchestrator, ModulesContainer], useFactory: factory };
}

/** What makes the registries that were asked for injectable everywhere. */
export function registryProviders(): readonly FactoryProvider[] {
  return [...requests.values()].map((request) => ({
    provide: request.token,
    inject: [GenServerOrchestrator, ModulesContainer],
    useFactory: (host: GenServerOrchestrator, modules: ModulesContainer): Registry | undefined => {
      const [registry] = declarationsOf(request.name, modules);
      if (registry !== undefined) return open(registry.declared, host, modules);
      const consumer = findConsumer(modules, request);
      // It was asked for by another application of this Node process.
      if (consumer === undefined) return undefined;
      throw messages.registryNotProvided(request.name, consumer);
    },
  }));
}

function open({ name, options }: ProvidedRegistry, host: GenServerOrchestrator, modules: ModulesContainer): Registry {
  const [first, second] = declarationsOf(name, modules);
  if (second !== undefined) throw messages.nameTaken(`registry '${name}'`, first!.module, second.module);
  const { registries } = host.world;
  return registries.find(name) ?? registries.create(name, options);
}

/** Who declares a registry, by module. One constant that several modules list is one declaration. */
function declarationsOf(name: string, modules: ModulesContainer): { declared: ProvidedRegistry; module: string }[] {
  const found = new Map<ProvidedRegistry, string>();
  for (const module of modules.values()) {
    for (const { metatype } of module.providers.values()) {
      const declared = typeof metatype === 'function' ? provided.get(metatype) : undefined;
      if (declared?.name === name && !found.has(declared)) found.set(declared, module.name);
    }
  }
  return [...found].map(([declared, module]) => ({ declared, module }));
}

function requestFor(name: string): RegistryRequest {
  let request = requests.get(name);
  if (request === undefined) {
    request = { name, token: Symbol(`Registry(${name})`), aliases: [], consumers: [] };
    requests.set(name, request);
  }
  return request;
}
