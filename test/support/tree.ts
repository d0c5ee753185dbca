import type { RuntimeOptions } from '../../lib/create-runtime.js';
import { type Behaviour, blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { ok, stop } from '../../lib/gen-server/results/callback-result.js';
import type { Destination } from '../../lib/gen-server/client/destination.js';
import type { Self } from '../../lib/gen-server/self.js';
import type { StartOptions } from '../../lib/gen-server/definition/start-options.js';
import type { GenServerEvent } from '../../lib/observability/events.js';
import type { ExitReason } from '../../lib/runtime/exits/exit-reason.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { childSpec, type ChildId, type ChildSpec } from '../../lib/supervision/child-spec.js';
import {
  startSupervisor,
  Supervisor,
  supervisorChildSpec,
  type SupervisorSpec,
} from '../../lib/supervision/supervisor.js';
import { testWorld } from './world.js';

/** What a {@link TreeWorld.worker} is asked to do: the request is the code of its handler. */
export type Job = (self: Self) => unknown;

/** A failure that a test causes. */
export class Boom extends Error {}

export const crash: Job = () => {
  throw new Boom('boom');
};
export const crashLater: Job = async () => {
  await Promise.resolve();
  throw new Boom('boom');
};
export const hang: Job = () => new Promise(() => undefined);
export const end =
  (reason: ExitReason): Job =>
  () =>
    stop(reason);

export interface WorkerOptions extends Partial<Omit<ChildSpec, 'id' | 'start'>> {
  /** Default: the id is the name. */
  readonly startOptions?: StartOptions;
  readonly init?: (self: Self) => unknown;
  readonly terminate?: (reason: ExitReason) => unknown;
}

/** A world with workers that keep a common journal and do as they are told. */
export function treeWorld(options: RuntimeOptions = {}) {
  const world = testWorld(options);
  const { runtime } = world;
  const journal: string[] = [];

  const behaviour = (id: string, { init, terminate }: WorkerOptions): Behaviour => ({
    label: id,
    init: (_args, self) => {
      journal.push(`${id} init`);
      return init === undefined ? ok(null) : init(self);
    },
    handleCall: (request, _from, _state, self) => (request as Job)(self),
    handleCast: (request, _state, self) => (request as Job)(self),
    terminate: (reason) => {
      journal.push(`${id} terminate ${String(reason)}`);
      return terminate?.(reason);
    },
  });

  return {
    ...world,
    journal,
    /** A call whose request is the code that the handler runs; other behaviours take requests of their own. */
    call: (destination: Destination, request: Job | string | null, timeoutMs?: number): Promise<unknown> =>
      world.call(destination, request, timeoutMs),
    cast: (destination: Destination, request: Job | string): void => world.cast(destination, request),
    /** A child whose start and end are written down, registered under its id. */
    worker: (id: string, workerOptions: WorkerOptions = {}): ChildSpec => {
      const { startOptions, init: _init, terminate: _terminate, ...overrides } = workerOptions;
      return childSpec(
        blueprintOfBehaviour(behaviour(id, workerOptions)),
        { name: id, ...startOptions },
        { id, ...overrides },
      );
    },
    /** A supervisor registered as `label`. */
    supervise: (children: readonly ChildSpec[], spec: Partial<SupervisorSpec> = {}): Promise<Pid> =>
      startSupervisor(runtime, { label: 'root', name: 'root', children, ...spec }),
    supervisor: (label: string, children: readonly ChildSpec[], spec: Partial<SupervisorSpec> = {}): ChildSpec =>
      supervisorChildSpec({ label, name: label, children, ...spec }, { id: label }),
    startChild: (spec: ChildSpec, supervisor = 'root') => Supervisor.startChild(runtime, supervisor, spec),
    terminateChild: (id: ChildId, supervisor = 'root') => Supervisor.terminateChild(runtime, supervisor, id),
    restartChild: (id: ChildId, supervisor = 'root') => Supervisor.restartChild(runtime, supervisor, id),
    deleteChild: (id: ChildId, supervisor = 'root') => Supervisor.deleteChild(runtime, supervisor, id),
    whichChildren: (supervisor = 'root') => Supervisor.whichChildren(runtime, supervisor),
    countChildren: (supervisor = 'root') => Supervisor.countChildren(runtime, supervisor),
    whereis: (name: string): Pid | undefined => runtime.localNames.whereis(name),
    /** The names that are held, as an array. */
    names: (): unknown[] => [...world.localNames.names()],
    /** What was written since the last time. */
    takeJournal: (): string[] => journal.splice(0),
    eventsOf: <T extends GenServerEvent['type']>(type: T) =>
      world.seen.filter((event): event is Extract<GenServerEvent, { type: T }> => event.type === type),
  };
}

export type TreeWorld = ReturnType<typeof treeWorld>;
