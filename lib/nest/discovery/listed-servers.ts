import type { Type } from '@nestjs/common';
import { type Addressed, DESTINATION, type Destination, isOfKey } from '../../gen-server/client/destination.js';
import { isSameName, type ServerName } from '../../runtime/server-name.js';
import type { GenServerOptions } from '../gen-server.options.js';
import type { NestModule } from './nest-container.js';
import type { ProvidedServer } from './provided-servers.js';

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

/** Everything that the modules of an application say of servers. Modules that are loaded late add to it. */
export class ListedServers {
  private readonly all: ListedServer[] = [];
  private readonly byModule = new Map<NestModule, ListedServer[]>();
  private readonly doubles: ServerDouble[] = [];

  /** In the order in which they are listed, each module behind what it imports. */
  get servers(): readonly ListedServer[] {
    return this.all;
  }

  /** The modules that list servers, each behind what it imports, and their servers in the order they are listed. */
  get modules(): ReadonlyMap<NestModule, readonly ListedServer[]> {
    return this.byModule;
  }

  add(server: ListedServer): void {
    this.all.push(server);
    const siblings = this.byModule.get(server.module);
    if (siblings === undefined) this.byModule.set(server.module, [server]);
    else siblings.push(server);
  }

  addDouble(double: ServerDouble): void {
    this.doubles.push(double);
  }

  findDouble(server: Type): object | undefined {
    return this.doubles.find(({ declared }) => declared === server)?.value;
  }

  /** The server that a client asks for, by the name that was given where it is listed or by the one in `@GenServer`. */
  find(server: Type, name: ServerName | undefined): ListedServer | undefined {
    return this.all.find(
      (listed) =>
        listed.declared === server &&
        (isSameName(listed.givenName, name) || (name !== undefined && isSameName(listed.name, name))),
    );
  }

  /** The first that is made of a class, or of what overrides it. */
  findByClass(server: unknown): ListedServer | undefined {
    return this.all.find(({ declared, type }) => declared === server || type === server);
  }

  findByDestination(destination: Destination, server?: Type): ListedServer | undefined {
    const type = server ?? (isOfKey(destination) ? destination.server : undefined);
    if (type !== undefined) return this.all.find(({ declared }) => declared === type);
    const name = (destination as Partial<Addressed> | null)?.[DESTINATION] ?? destination;
    return this.all.find((listed) => isSameName(listed.name, name as ServerName));
  }

  findProvided(provided: ProvidedServer): ListedServer | undefined {
    return this.all.find((server) => server.provided === provided);
  }
}
