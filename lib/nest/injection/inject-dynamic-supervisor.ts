import type { Type } from '@nestjs/common';
import type { ServerName } from '../../runtime/server-name.js';
import { labelOf, wantedOf } from './inject-gen-server.js';
import { type InjectionRequest, InjectionRequests } from './injection-requests.js';

/** The server whose dynamic supervisor is to be injected. */
interface WantedSupervisor {
  readonly server: Type;
  readonly name: ServerName | undefined;
}

export type DynamicSupervisorRequest = WantedSupervisor & InjectionRequest;

const requests = new InjectionRequests<WantedSupervisor>(
  ({ server, name }) => `DynamicSupervisorClient(${labelOf(server, name)})`,
);

/**
 * The injection token of a dynamic supervisor: what `@InjectDynamicSupervisor(server)` injects, and what tests override.
 *
 * @publicApi
 */
export function getDynamicSupervisorToken(server: Type, name?: ServerName): symbol {
  return requests.tokenOf(wantedOf(server, name), { server, name });
}

/**
 * Injects the supervisor of a server that is started on demand: `@GenServer({ start: 'on_demand' })`. No module needs to import
 * anything for it.
 *
 * @publicApi
 */
export function InjectDynamicSupervisor(server: Type, name?: ServerName): ParameterDecorator & PropertyDecorator {
  return requests.decorator(wantedOf(server, name), { server, name });
}

/** All requests so far. */
export function dynamicSupervisorRequests(): readonly DynamicSupervisorRequest[] {
  return requests.all();
}
