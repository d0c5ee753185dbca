import type { Provider, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { formatName } from '../../runtime/server-name.js';
import { findDependencies } from './dependency.finder.js';
import { GenServerFeatureModule } from '../gen-server-feature.module.js';
import type { GenServerOptions } from '../gen-server.options.js';
import * as messages from '../gen-server.messages.js';
import { GenServerBase } from '../../gen-server/gen-server-base.js';
import { withDefaults } from '../../gen-server/definition/start-plan.js';
import { decoratedMethods, findServerOptions } from './gen-server-metadata.accessor.js';
import { modulesInOrder, type NestModule, type Wrapper } from './nest-container.js';
import { findProvidedServer, type ProvidedServer } from './provided-servers.js';
import { type ListedServer, ListedServers, type ServerDouble } from './listed-servers.js';

/** Reads the container and refuses declarations that cannot work. */
export function exploreServers(container: ModulesContainer): ListedServers {
  const found = new ListedServers();
  const modules = modulesInOrder(container);
  const importers = firstImporters(modules);
  for (const module of modules) {
    if (importers.has(module)) continue;
    refuseRepeats(Reflect.getMetadata('providers', module.metatype) as Provider[] | undefined, module.name);
    const features = [...module.imports].filter((imported) => importers.get(imported) === module);
    for (const source of [module, ...features]) {
      for (const [token, wrapper] of source.providers) {
        const server = readProvider(token, wrapper, module);
        if (server === undefined) continue;
        if ('value' in server) {
          found.addDouble(server);
          continue;
        }
        refuseClash(server, found.findByName(server.name));
        found.add(server);
      }
    }
  }
  return found;
}

function readProvider(token: unknown, wrapper: Wrapper, owner: NestModule): ListedServer | ServerDouble | undefined {
  const metatype = wrapper.metatype as Type | null;
  const provided = findProvidedServer(metatype);
  if (provided !== undefined) {
    const options = withDefaults(provided.options, findServerOptions(provided.type));
    return listed(provided.type, provided.type, options, owner, provided);
  }
  const declared = findServerOptions(token) === undefined ? undefined : (token as Type);
  if (wrapper.isAlias) return undefined;
  if (metatype === null) {
    const value: unknown = wrapper.instance;
    if (declared === undefined || typeof value !== 'object' || value === null) return undefined;
    return { declared, value };
  }
  if (wrapper.inject != null) {
    if (declared !== undefined) throw messages.useFactory(declared.name, owner.name);
    return undefined;
  }
  const options = findServerOptions(metatype);
  if (options === undefined) {
    if (declared !== undefined) throw messages.overrideIsNoServer(declared.name, metatype.name);
    if (isForgottenServer(metatype)) throw messages.notDecorated(metatype.name);
    return undefined;
  }
  return listed(metatype, declared ?? metatype, options, owner, undefined, wrapper);
}

/** A class with handlers in `providers` that would never run as a server. */
function isForgottenServer(metatype: Type | undefined): boolean {
  return metatype?.prototype instanceof GenServerBase && decoratedMethods(metatype).length > 0;
}

function listed(
  type: Type,
  declared: Type,
  options: GenServerOptions,
  module: NestModule,
  provided: ProvidedServer | undefined,
  wrapper?: Wrapper,
): ListedServer {
  return {
    type,
    declared,
    name: options.name ?? findServerOptions(declared)?.name ?? declared,
    givenName: provided?.options.name,
    options,
    provided,
    module,
    checkScope: () => {
      if (wrapper?.isTransient) throw messages.transient(type.name, module.name);
      // A server that provideGenServer lists has no provider of its own to check.
      const asked = wrapper === undefined ? findDependencies(type, module) : [wrapper];
      if (asked.some((provider) => !provider.isDependencyTreeStatic())) {
        throw messages.requestScoped(type.name, module.name);
      }
    },
  };
}

/** Of two providers with one token Nest keeps the last, so a server that is listed twice would silently disappear. */
export function refuseRepeats(providers: readonly Provider[] | undefined, where: string): void {
  const seen = new Set<unknown>();
  for (const provider of providers ?? []) {
    const provided = 'useFactory' in provider ? findProvidedServer(provider.useFactory) : undefined;
    if (provided === undefined) continue;
    const { type, options } = provided;
    const { provide: token } = provider as { provide: unknown };
    if (seen.has(token))
      throw messages.nameTaken(
        formatName(options.name ?? type),
        `${type.name} in ${where}`,
        `${type.name} in ${where}`,
      );
    seen.add(token);
  }
}

function refuseClash(server: ListedServer, clash: ListedServer | undefined): void {
  if (clash === undefined) return;
  if (server.name === server.declared && clash.module !== server.module) {
    throw messages.twoModules(server.declared.name, clash.module.name, server.module.name);
  }
  throw messages.nameTaken(formatName(server.name), describeListed(clash), describeListed(server));
}

function describeListed({ declared, module }: ListedServer): string {
  return `${declared.name} in ${module.name}`;
}

/** Maps each module that `forFeature` creates to its owner: the first module that imports it, after that module's own servers. */
function firstImporters(modules: readonly NestModule[]): ReadonlyMap<NestModule, NestModule> {
  const importers = new Map<NestModule, NestModule>();
  for (const module of modules) {
    for (const imported of module.imports) {
      if (imported.metatype === GenServerFeatureModule && !importers.has(imported)) importers.set(imported, module);
    }
  }
  return importers;
}
