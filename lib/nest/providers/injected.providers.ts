import type { FactoryProvider, Provider } from '@nestjs/common';
import { dynamicSupervisorRequests } from '../injection/inject-dynamic-supervisor.js';
import { type ClientRequest, clientRequestFor, clientRequests } from '../injection/inject-gen-server.js';
import { GenServerOrchestrator } from '../tree/gen-server.orchestrator.js';

/** What makes the clients that were asked for injectable everywhere. */
export function clientProviders(): readonly Provider[] {
  return clientRequests().flatMap((request) => [
    {
      provide: request.token,
      inject: [GenServerOrchestrator],
      useFactory: clientFactory(request),
    },
    // A decorator that was given a function has a token of its own, but injects the same client, overridden or not.
    ...request.aliases.map((alias) => ({ provide: alias, useExisting: request.token })),
  ]);
}

/** What makes the supervisors that were asked for injectable everywhere. */
export function dynamicSupervisorProviders(): readonly FactoryProvider[] {
  return dynamicSupervisorRequests().map((request) => {
    const asked = new WeakRef(request);
    return {
      provide: request.token,
      inject: [GenServerOrchestrator],
      useFactory: (orchestrator: GenServerOrchestrator) => {
        const present = asked.deref();
        return present === undefined ? undefined : orchestrator.clients.dynamicSupervisorFor(present);
      },
    };
  });
}

/** An application keeps its providers, and what another one asked for is not to live as long. */
function clientFactory({ server, name }: ClientRequest): (orchestrator: GenServerOrchestrator) => unknown {
  const asked = new WeakRef(server);
  return (orchestrator) => {
    const present = asked.deref();
    return present === undefined ? undefined : orchestrator.clients.clientFor(clientRequestFor(present, name));
  };
}
