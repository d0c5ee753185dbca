import type { FactoryProvider, Type } from '@nestjs/common';
import { getGenServerToken } from '../injection/inject-gen-server.js';
import type { GenServerOptions } from '../gen-server.options.js';
import { rememberProvidedServer } from '../discovery/provided-servers.js';
import { GenServerOrchestrator } from '../tree/gen-server.orchestrator.js';

/**
 * A server with options of its own: a second instance under another name, other arguments, another restart. Goes into
 * `providers`, where its place among the servers is its place in the start order. Provides the client of
 * `@InjectGenServer(server, name)`. In a lazy module it starts when the module is loaded.
 *
 * @publicApi
 */
export function provideGenServer(type: Type, options: GenServerOptions = {}): FactoryProvider {
  const server = { type, options };
  const factory = (orchestrator: GenServerOrchestrator): Promise<object> => orchestrator.provide(server);
  rememberProvidedServer(factory, server);
  return { provide: getGenServerToken(type, options.name), inject: [GenServerOrchestrator], useFactory: factory };
}
