import type { FactoryProvider, Provider } from '@nestjs/common';
import { dynamicSupervisorRequests } from '../injection/inject-dynamic-supervisor.js';
import { type ClientRequest, clientRequestFor, clientRequests } from '../injection/inject-gen-server.js';
import { GenServerOrchestrator } from '../tree/gen-server.orchestrator.js';

/** Providers that make the requested clients injectable everywhere. */
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

/** Providers that make the requested supervisors injectable everywhere. */
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

/** An application keeps its providers alive, and requests of another application must not live that long. */
function clientFactory({ server, name }: ClientRequest): (orchestrator: GenServerOrchestrator) => unknown {
  const asked = new WeakRef(server);
  return (orchestrator) => {
    const present = asked.deref();
    return present === undefined ? undefined : orchestrator.clients.clientFor(clientRequestFor(present, name));
  };
}
