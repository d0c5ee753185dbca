import {
  type HandlerMethod,
  Handler,
  InfoHandlers,
  type ServerDefinition,
  type ServerBlueprint,
} from '../gen-server/definition/server-definition.js';
import { call } from '../gen-server/client/client.js';
import type { Destination } from '../gen-server/client/destination.js';
import { type Lineage, spawn, type Spawned, start } from '../gen-server/client/start.js';
import type { StartOptions } from '../gen-server/definition/start-options.js';
import { GenServerError } from '../runtime/errors.js';
import { Exit } from '../runtime/exits/messages.js';
import type { Pid } from '../runtime/pid.js';
import type { ServerName } from '../runtime/server-name.js';
import type { Runtime } from '../runtime/runtime.js';
import { type ChildCounts, type ChildInfo, RetryRestart } from './child.js';
import { type ChildId, type ChildSpec, completeChildSpecs } from './child-spec.js';
import { SupervisorServer } from './supervisor-server.js';
import { completeSupervisorOptions, type SupervisorOptions } from './supervisor-options.js';
import { isInstanceOf } from '../runtime/secrets/inspect-safely.js';

/** A supervisor that is to be started. */
export interface SupervisorSpec extends SupervisorOptions {
  /** The name for people. */
  readonly label: string;
  /** What to be found by. Default: none. */
  readonly name?: ServerName | undefined;
  readonly children: readonly ChildSpec[];
}

type Request = 'startChild' | 'terminateChild' | 'restartChild' | 'deleteChild' | 'whichChildren' | 'countChildren';

// Seen as plain methods: the process that runs a handler passes the instance.
const methods = SupervisorServer.prototype as unknown as Readonly<
  Record<Request | 'onExit' | 'onRetry', HandlerMethod>
>;
const CALLS: ReadonlyMap<string | symbol, Handler> = new Map(
  (['startChild', 'terminateChild', 'restartChild', 'deleteChild', 'whichChildren', 'countChildren'] as const).map(
    (name) => [name, new Handler(name, methods[name], Infinity)],
  ),
);
const INFOS = new InfoHandlers();
INFOS.add(Exit, new Handler('Exit', methods.onExit));
INFOS.add(RetryRestart, new Handler('RetryRestart', methods.onRetry));

/** However a supervisor is started, it hears of the ends of its children. */
export const SUPERVISOR_DEFAULTS: StartOptions = { trapExit: true };

/** What the runtime needs to run a supervisor. Refuses options and specs that make no sense (S2). */
export function blueprintOfSupervisor(spec: SupervisorSpec): ServerBlueprint {
  const { label } = spec;
  const options = completeSupervisorOptions(spec, label);
  const children = completeChildSpecs(spec.children, label, options.autoShutdown);
  const definition: ServerDefinition = {
    label,
    calls: CALLS,
    casts: new Map(),
    infos: INFOS,
    continues: new Map(),
    isSupervisor: true,
    // What a supervisor refuses is the caller's problem, never a reason to take the tree down.
    isReplyError: (error) => isInstanceOf(error, GenServerError),
  };
  return {
    definition,
    defaults: SUPERVISOR_DEFAULTS,
    create: () => new SupervisorServer({ label, options, children }),
  };
}

/** The child spec of a supervisor under another one. */
export function supervisorChildSpec(
  spec: SupervisorSpec,
  overrides: Partial<Omit<ChildSpec, 'start'>> = {},
): ChildSpec {
  const blueprint = blueprintOfSupervisor(spec);
  return {
    id: spec.label,
    type: 'supervisor',
    start: (parent, predecessor) => spawnSupervisor(parent.runtime, blueprint, spec.name, { parent, predecessor }),
    ...overrides,
  };
}

/**
 * Starts a supervisor and its children, one after the other, and gives its pid when all of them are up (S3). When one fails
 * to start, those before it are stopped in reverse and this rejects (S4).
 */
export async function startSupervisor(runtime: Runtime, spec: SupervisorSpec): Promise<Pid> {
  return start(runtime, blueprintOfSupervisor(spec), { name: spec.name });
}

/** Starts a supervisor without waiting for it. */
export function spawnSupervisor(
  runtime: Runtime,
  blueprint: ServerBlueprint,
  name: ServerName | undefined,
  lineage?: Lineage,
): Spawned {
  return spawn(runtime, blueprint, { name }, lineage);
}

/** What can be asked of a supervisor. Requests wait while a child is in `init` (I11), without a timeout of their own. */
export const Supervisor = {
  /** Adds a child and starts it; undefined when its `init` ignored the start (S17). */
  startChild: (runtime: Runtime, supervisor: Destination, spec: ChildSpec) =>
    ask<Pid | undefined>(runtime, supervisor, 'startChild', spec),
  /** Stops a child and keeps its spec, unless it is temporary (S18). */
  terminateChild: (runtime: Runtime, supervisor: Destination, id: ChildId) =>
    ask<void>(runtime, supervisor, 'terminateChild', id),
  /** Starts a stopped child again (S18). */
  restartChild: (runtime: Runtime, supervisor: Destination, id: ChildId) =>
    ask<Pid | undefined>(runtime, supervisor, 'restartChild', id),
  /** Forgets a stopped child (S18). */
  deleteChild: (runtime: Runtime, supervisor: Destination, id: ChildId) =>
    ask<void>(runtime, supervisor, 'deleteChild', id),
  /** The children, in start order. */
  whichChildren: (runtime: Runtime, supervisor: Destination) =>
    ask<readonly ChildInfo[]>(runtime, supervisor, 'whichChildren'),
  countChildren: (runtime: Runtime, supervisor: Destination) => ask<ChildCounts>(runtime, supervisor, 'countChildren'),
} as const;

async function ask<T>(runtime: Runtime, supervisor: Destination, request: Request, ...args: unknown[]): Promise<T> {
  return (await call(runtime, supervisor, request, args)) as T;
}
