import type { Provider, Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';
import { isSameName, type ServerName, formatName } from '../../runtime/server-name.js';
import { findDependencies } from './dependency.finder.js';
import { GenServerFeatureModule } from '../gen-server-feature.module.js';
import type { GenServerOptions } from '../gen-server.options.js';
import * as messages from '../gen-server.messages.js';
import { GenServerBase } from '../../gen-server/gen-server-base.js';
import { withDefaults } from '../../gen-server/definition/start-plan.js';
import { decoratedMethods, findServerOptions } from './gen-server-metadata.accessor.js';
import { modulesInOrder, type NestModule, type Wrapper } from './nest-container.js';
import { findProvidedServer, type ProvidedServer } from './provided-servers.js';

/** A server that a module lists. */
export interface ListedServer {
  /** The class that instances are made of: the listed one, or what overrides it in a test. */
  readonly type: Type;
  /** The class that clients ask for. */
  readonly declared: Type;
  readonly name: ServerName;
  /** The name that was given where it is listed; without one, clients ask for the class alone. */
  readonly givenName: ServerName | undefined;
  readonly options: GenServerOptions;
  /** What `provideGenServer` was told, where that lists it. */
  readonly provided: ProvidedServer | undefined;
  /** The module whose supervisor it lives under, and whose providers it is made from. */
  readonly module: NestModule;
  /** Throws when its dependencies do not allow for a process. Only after Nest has made all providers. */
  checkScope(): void;
}

/** A value that stands in for a server: the tests' `overrideProvider(Cart).useValue(fake)`. */
export interface ServerDouble {
  readonly declared: Type;
  readonly value: object;
}

/** Everything that the modules of an application say of servers. */
export interface Catalog {
  /** The modules that list servers, each behind what it imports, and their servers in the order they are listed. */
  readonly modules: ReadonlyMap<NestModule, readonly ListedServer[]>;
  readonly servers: readonly ListedServer[];
  readonly doubles: readonly ServerDouble[];
}

/** Reads the container and refuses what could not work. */
export function exploreServers(container: ModulesContainer): Catalog {
  const servers: ListedServer[] = [];
  const doubles: ServerDouble[] = [];
  const modules = new Map<NestModule, readonly ListedServer[]>();
  const ordered = modulesInOrder(container);
  for (const module of ordered) {
    if (module.metatype === GenServerFeatureModule && isImported(module, ordered)) continue;
    refuseRepeats(Reflect.getMetadata('providers', module.metatype) as Provider[] | undefined, module.name);
    const features = [...module.imports].filter(({ metatype }) => metatype === GenServerFeatureModule);
    const own = [module, ...features.filter((feature) => firstImporter(feature, ordered) === module)]
      .flatMap((source) => [...source.providers].map(([token, wrapper]) => readProvider(token, wrapper, module)))
      .filter((found) => found !== undefined);
    const listedHere: ListedServer[] = [];
    for (const found of own) {
      if ('value' in found) {
        doubles.push(found);
        continue;
      }
      refuseClash(found, servers);
      servers.push(found);
      listedHere.push(found);
    }
    if (listedHere.length > 0) modules.set(module, listedHere);
  }
  return { modules, servers, doubles };
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

/** A class with handlers in `providers` that nobody would ever run. */
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
      // What provideGenServer lists has no provider of its own that could be asked.
      const asked = wrapper === undefined ? findDependencies(type, module) : [wrapper];
      if (asked.some((provider) => !provider.isDependencyTreeStatic())) {
        throw messages.requestScoped(type.name, module.name);
      }
    },
  };
}

/** Of two providers with one token Nest keeps the last, so a server that is listed twice would be gone without a word. */
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

function refuseClash(server: ListedServer, others: readonly ListedServer[]): void {
  const clash = others.find(({ name }) => isSameName(name, server.name));
  if (clash === undefined) return;
  if (server.name === server.declared && clash.module !== server.module) {
    throw messages.twoModules(server.declared.name, clash.module.name, server.module.name);
  }
  throw messages.nameTaken(formatName(server.name), describeListed(clash), describeListed(server));
}

function describeListed({ declared, module }: ListedServer): string {
  return `${declared.name} in ${module.name}`;
}

/** What `forFeature` brings belongs to the module that imports it, behind that module's own servers. */
function firstImporter(feature: NestModule, all: readonly NestModule[]): NestModule | undefined {
  return all.find(({ imports }) => imports.has(feature));
}

function isImported(feature: NestModule, all: readonly NestModule[]): boolean {
  return firstImporter(feature, all) !== undefined;
}
