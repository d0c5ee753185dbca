import type { Destination } from '../gen-server/client/destination.js';
import { formatDestination, resolve } from '../gen-server/client/destination.js';
import { NoProcessError } from '../gen-server/errors.js';
import {
  Handler,
  type HandlerMethod,
  InfoHandlers,
  type ServerDefinition,
  type ServerBlueprint,
} from '../gen-server/definition/server-definition.js';
import { start } from '../gen-server/client/start.js';
import { whenStarted } from '../gen-server/process/start-observer.js';
import { Exit } from '../runtime/exits/messages.js';
import type { Pid } from '../runtime/pid.js';
import type { ServerName } from '../runtime/server-name.js';
import type { Runtime } from '../runtime/runtime.js';
import type { ChildSpec } from './child-spec.js';
import {
  checkDynamicChild,
  completeDynamicSupervisorOptions,
  type DynamicChildSpec,
  type DynamicSupervisorOptions,
} from './dynamic-child-spec.js';
import { DynamicChildPlan } from './dynamic-child.js';
import { type DynamicChildInfo, DynamicRetry, DynamicSupervisorServer } from './dynamic-supervisor-server.js';
import type { ChildCounts } from './child.js';
import { spawnSupervisor, SUPERVISOR_DEFAULTS } from './supervisor.js';

/** A dynamic supervisor that is to be started. */
export interface DynamicSupervisorSpec extends DynamicSupervisorOptions {
  /** The name for people. */
  readonly label: string;
  readonly name?: ServerName | undefined;
}

// Seen as plain methods: the process that runs a handler passes the instance.
const methods = DynamicSupervisorServer.prototype as unknown as Readonly<Record<'onExit' | 'onRetry', HandlerMethod>>;
const INFOS = new InfoHandlers();
INFOS.add(Exit, new Handler('Exit', methods.onExit));
INFOS.add(DynamicRetry, new Handler('DynamicRetry', methods.onRetry));

/** What the runtime needs to run a dynamic supervisor. Refuses options that make no sense. */
export function blueprintOfDynamicSupervisor(spec: DynamicSupervisorSpec): ServerBlueprint {
  const { label } = spec;
  const options = completeDynamicSupervisorOptions(spec, label);
  const definition: ServerDefinition = {
    label,
    calls: new Map(),
    casts: new Map(),
    infos: INFOS,
    continues: new Map(),
    isSupervisor: true,
    isReplyError: () => false,
  };
  return { definition, defaults: SUPERVISOR_DEFAULTS, create: () => new DynamicSupervisorServer(label, options) };
}

/** The child spec of a dynamic supervisor under another supervisor. A new incarnation begins without children (S16). */
export function dynamicSupervisorChildSpec(
  spec: DynamicSupervisorSpec,
  overrides: Partial<Omit<ChildSpec, 'start'>> = {},
): ChildSpec {
  const blueprint = blueprintOfDynamicSupervisor(spec);
  return {
    id: spec.label,
    type: 'supervisor',
    start: (parent, predecessor) => spawnSupervisor(parent.runtime, blueprint, spec.name, { parent, predecessor }),
    ...overrides,
  };
}

/** Starts a dynamic supervisor of its own, linked to no process. */
export async function startDynamicSupervisor(runtime: Runtime, spec: DynamicSupervisorSpec): Promise<Pid> {
  return start(runtime, blueprintOfDynamicSupervisor(spec), { name: spec.name });
}

/** What can be asked of a dynamic supervisor. */
export const DynamicSupervisor = {
  /**
   * Starts a child and gives its pid when its `init` is done. Rejects with `StartError`, `AlreadyStartedError`,
   * `MaxChildrenError` or `SupervisorConfigError`; nothing is kept then (D3).
   */
  startChild: (runtime: Runtime, supervisor: Destination, spec: DynamicChildSpec): Promise<Pid> =>
    whenStarted((observer) => {
      checkDynamicChild(spec, formatDestination(supervisor));
      const plan = new DynamicChildPlan(spec);
      const { name, args } = plan.server;
      get(runtime, supervisor).startChild(plan, name, args, observer);
    }),
  /** Stops a child and forgets it. Rejects with `ChildStateError` when it is not there (D4). */
  async terminateChild(runtime: Runtime, supervisor: Destination, pid: Pid): Promise<void> {
    return get(runtime, supervisor).terminateChild(pid);
  },
  whichChildren: (runtime: Runtime, supervisor: Destination): readonly DynamicChildInfo[] =>
    get(runtime, supervisor).whichChildren(),
  countChildren: (runtime: Runtime, supervisor: Destination): ChildCounts => get(runtime, supervisor).countChildren(),
} as const;

function get(runtime: Runtime, destination: Destination): DynamicSupervisorServer {
  const supervisor = resolve(runtime, destination)?.running(DynamicSupervisorServer);
  if (supervisor === undefined) {
    throw new NoProcessError(formatDestination(destination), 'It is no dynamic supervisor that runs.');
  }
  return supervisor;
}
