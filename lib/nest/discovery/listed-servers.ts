import type { Type } from '@nestjs/common';
import { type Addressed, DESTINATION, type Destination, isOfKey } from '../../gen-server/client/destination.js';
import { NameIndex } from '../../runtime/name-index.js';
import type { ServerName } from '../../runtime/server-name.js';
import type { GenServerOptions } from '../gen-server.options.js';
import type { NestModule } from './nest-container.js';
import type { ProvidedServer } from './provided-servers.js';

/** A server that a module lists. */
export interface ListedServer {
  /** The class that instances are created from: the listed one, or its override in a test. */
  readonly type: Type;
  /** The class that clients request. */
  readonly declared: Type;
  readonly name: ServerName;
  /** The name given where the server is listed; without one, clients request the class alone. */
  readonly givenName: ServerName | undefined;
  readonly options: GenServerOptions;
  /** The options given to `provideGenServer`, if that lists the server. */
  readonly provided: ProvidedServer | undefined;
  /** The module whose supervisor owns the server, and whose providers are injected into it. */
  readonly module: NestModule;
  /** Throws when its dependencies rule out a process of its own. Call it only after Nest has created all providers. */
  checkScope(): void;
}

/** A value that stands in for a server: the tests' `overrideProvider(Cart).useValue(fake)`. */
export interface ServerDouble {
  readonly declared: Type;
  readonly value: object;
}

/** All servers that the modules of an application declare. Lazily loaded modules add to it. */
export class ListedServers {
  private readonly all: ListedServer[] = [];
  private readonly byModule = new Map<NestModule, ListedServer[]>();
  private readonly byName = new NameIndex<ListedServer>();
  /** By the class that clients request, and the name that they may give along with it. */
  private readonly byDeclared = new Map<
    unknown,
    { readonly first: ListedServer; readonly byName: NameIndex<ListedServer> }
  >();
  /** By the class that clients request, and by the one that overrides it. */
  private readonly byClass = new Map<unknown, ListedServer>();
  private readonly byProvided = new Map<ProvidedServer, ListedServer>();
  private readonly doubles = new Map<Type, object>();

  /** In the order in which they are listed, each module after the modules it imports. */
  get servers(): readonly ListedServer[] {
    return this.all;
  }

  /** The modules that list servers, each after the modules it imports, and their servers in the order they are listed. */
  get modules(): ReadonlyMap<NestModule, readonly ListedServer[]> {
    return this.byModule;
  }

  add(server: ListedServer): void {
    const { declared, type, name, givenName, provided, module } = server;
    this.all.push(server);
    const siblings = this.byModule.get(module);
    if (siblings === undefined) this.byModule.set(module, [server]);
    else siblings.push(server);
    this.byName.add(name, server);
    let sameClass = this.byDeclared.get(declared);
    if (sameClass === undefined) {
      sameClass = { first: server, byName: new NameIndex() };
      this.byDeclared.set(declared, sameClass);
    }
    sameClass.byName.add(givenName, server);
    sameClass.byName.add(name, server);
    for (const key of [declared, type]) if (!this.byClass.has(key)) this.byClass.set(key, server);
    if (provided !== undefined) this.byProvided.set(provided, server);
  }

  addDouble({ declared, value }: ServerDouble): void {
    if (!this.doubles.has(declared)) this.doubles.set(declared, value);
  }

  findDouble(server: Type): object | undefined {
    return this.doubles.get(server);
  }

  /** The server that a client requests, by the name given where it is listed or by the one in `@GenServer`. */
  find(server: Type, name: ServerName | undefined): ListedServer | undefined {
    return this.byDeclared.get(server)?.byName.get(name);
  }

  /** The first server created from a class, or from its override. */
  findByClass(server: unknown): ListedServer | undefined {
    return this.byClass.get(server);
  }

  /** The first server with a name. */
  findByName(name: ServerName): ListedServer | undefined {
    return this.byName.get(name);
  }

  findByDestination(destination: Destination, server?: Type): ListedServer | undefined {
    const type = server ?? (isOfKey(destination) ? destination.server : undefined);
    if (type !== undefined) return this.byDeclared.get(type)?.first;
    const name = (destination as Partial<Addressed> | null)?.[DESTINATION] ?? destination;
    return this.findByName(name as ServerName);
  }

  findProvided(provided: ProvidedServer): ListedServer | undefined {
    return this.byProvided.get(provided);
  }
}
