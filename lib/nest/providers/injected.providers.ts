import type { FactoryProvider, Provider } from '@nestjs/common';
import { dynamicSupervisorRequests } from '../injection/inject-dynamic-supervisor.js';
import { clientRequests } from '../injection/inject-gen-server.js';
import { GenServerOrchestrator } from '../tree/gen-server.orchestrator.js';

/** What makes the clients that were asked for injectable everywhere. */
export function clientProviders(): readonly Provider[] {
  return clientRequests().flatMap((request) => [
    {
      provide: request.token,
      inject: [GenServerOrchestrator],
      useFactory: (orchestrator: GenServerOrchestrator) => orchestrator.clients.clientFor(request),
    },
    // A decorator that was given a function has a token of its own, but injects the same client, overridden or not.
    ...request.aliases.map((alias) => ({ provide: alias, useExisting: request.token })),
  ]);
}

/** What makes the supervisors that were asked for injectable everywhere. */
export function dynamicSupervisorProviders(): readonly FactoryProvider[] {
  return dynamicSupervisorRequests().map((request) => ({
    provide: request.token,
    inject: [GenServerOrchestrator],
    useFactory: (orchestrator: GenServerOrchestrator) => orchestrator.clients.dynamicSupervisorFor(request),
  }));
}
