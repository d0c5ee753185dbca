import type { FactoryProvider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { Registry, RegistryOptions } from '../../registry/registry.js';
import * as messages from '../gen-server.messages.js';
import { findConsumer } from '../injection/consumer.finder.js';
import { getRegistryToken, registryRequests } from '../injection/inject-registry.js';
import { GenServerOrchestrator } from '../tree/gen-server.orchestrator.js';

/** A registry that a module declares. */
interface ProvidedRegistry {
  readonly name: string;
  readonly options: RegistryOptions;
}

/** The factories that stand for registries. Nest hands the factory back, so the declaration is found by its factory. */
const provided = new WeakMap<object, ProvidedRegistry>();

/**
 * Declares a registry of the application: goes into `providers` of one module. Names are unique in an application.
 *
 * @publicApi
 */
export function provideRegistry(name: string, options: RegistryOptions): FactoryProvider<Registry> {
  const registry = { name, options };
  const factory = (orchestrator: GenServerOrchestrator, modules: ModulesContainer): Registry =>
    open(registry, orchestrator, modules);
  provided.set(factory, registry);
  return { provide: getRegistryToken(name), inject: [GenServerOrchestrator, ModulesContainer], useFactory: factory };
}

/** Providers that make the requested registries injectable everywhere. */
export function registryProviders(): readonly FactoryProvider[] {
  return registryRequests().map((request) => ({
    provide: request.token,
    inject: [GenServerOrchestrator, ModulesContainer],
    useFactory: (orchestrator: GenServerOrchestrator, modules: ModulesContainer): Registry | undefined => {
      const [registry] = declarationsOf(request.name, modules);
      if (registry !== undefined) return open(registry.declared, orchestrator, modules);
      const consumer = findConsumer(modules, request);
      // Another application of this Node process requested it.
      if (consumer === undefined) return undefined;
      throw messages.registryNotProvided(request.name, consumer);
    },
  }));
}

function open(
  { name, options }: ProvidedRegistry,
  orchestrator: GenServerOrchestrator,
  modules: ModulesContainer,
): Registry {
  const [first, second] = declarationsOf(name, modules);
  if (second !== undefined) throw messages.nameTaken(`registry '${name}'`, first!.module, second.module);
  const { registries } = orchestrator.world;
  return registries.find(name) ?? registries.create(name, options);
}

/** The modules that declare each registry. One constant that several modules list is one declaration. */
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
