import type { Type } from '@nestjs/common';
import { ModuleRef, type ModulesContainer } from '@nestjs/core';
import { isSameName, type ServerName, formatName } from '../runtime/registration.js';
import { GenServerFeatureModule } from './gen-server-feature.module.js';
import type { GenServerOptions } from './gen-server.options.js';
import * as messages from './gen-server.messages.js';
import { findServerOptions } from './metadata.js';
import { findProvidedServer } from './provided-servers.js';

// Nest exports the container and not what it contains.
export type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;
type Wrapper = NestModule['providers'] extends Map<unknown, infer W> ? W : never;

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

export function moduleRefOf(module: NestModule): ModuleRef {
  return module.getProviderByKey<ModuleRef>(ModuleRef).instance;
}

/** Nest's own order, corrected so that what a module imports always comes first, which Nest does not promise. */
export function modulesInOrder(container: ModulesContainer): readonly NestModule[] {
  const seen = new Set<NestModule>();
  const order: NestModule[] = [];
  const visit = (module: NestModule): void => {
    if (seen.has(module)) return;
    seen.add(module);
    for (const imported of module.imports) if (!imported.isGlobal) visit(imported);
    order.push(module);
  };
  [...container.values()].sort((a, b) => b.distance - a.distance).forEach(visit);
  return order;
}

function readProvider(token: unknown, wrapper: Wrapper, owner: NestModule): ListedServer | ServerDouble | undefined {
  const metatype = wrapper.metatype as Type | null;
  const provided = findProvidedServer(metatype);
  if (provided !== undefined) {
    const options = { ...findServerOptions(provided.type), ...provided.options };
    return listed(provided.type, provided.type, options, owner, provided.options.name);
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
    return undefined;
  }
  return listed(metatype, declared ?? metatype, options, owner, undefined, wrapper);
}

function listed(
  type: Type,
  declared: Type,
  options: GenServerOptions,
  module: NestModule,
  givenName: ServerName | undefined,
  wrapper?: Wrapper,
): ListedServer {
  return {
    type,
    declared,
    name: options.name ?? declared,
    givenName,
    options,
    module,
    checkScope: () => {
      if (wrapper === undefined) return;
      if (wrapper.isTransient) throw messages.transient(type.name, module.name);
      if (!wrapper.isDependencyTreeStatic()) throw messages.requestScoped(type.name, module.name);
    },
  };
}

function refuseClash(server: ListedServer, others: readonly ListedServer[]): void {
  const clash = others.find(({ name }) => isSameName(name, server.name));
  if (clash === undefined) return;
  if (server.name === server.declared && clash.name === clash.declared) {
    throw messages.twoModules(server.declared.name, clash.module.name, server.module.name);
  }
  throw messages.nameTaken(
    formatName(server.name),
    `${clash.declared.name} in ${clash.module.name}`,
    `${server.declared.name} in ${server.module.name}`,
  );
}

/** What `forFeature` brings belongs to the module that imports it, behind that module's own servers. */
function firstImporter(feature: NestModule, all: readonly NestModule[]): NestModule | undefined {
  return all.find(({ imports }) => imports.has(feature));
}

function isImported(feature: NestModule, all: readonly NestModule[]): boolean {
  return firstImporter(feature, all) !== undefined;
}
