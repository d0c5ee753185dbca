import type { FactoryProvider, Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { getGenServerToken } from './clients/client-injection.js';
import type { GenServerOptions } from './gen-server.options.js';
import { rememberProvidedServer } from './provided-servers.js';
import { ServerHost } from './server-host.js';

/**
 * A server with options of its own: a second instance under another name, other arguments, another restart. Goes into
 * `providers`, where its place among the servers is its place in the start order. Provides the client of
 * `@InjectGenServer(server, name)`. In a lazy module it starts when the module is loaded.
 *
 * @publicApi
 */
export function provideGenServer(type: Type, options: GenServerOptions = {}): FactoryProvider {
  const factory = (host: ServerHost, moduleRef: ModuleRef): Promise<unknown> =>
    host.provide({ type, options }, moduleRef);
  rememberProvidedServer(factory, { type, options });
  return { provide: getGenServerToken(type, options.name), inject: [ServerHost, ModuleRef], useFactory: factory };
}
