import type { RuntimeOptions } from '../../lib/create-runtime.js';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { ok } from '../../lib/gen-server/results/callback-result.js';
import type { Destination } from '../../lib/gen-server/client/destination.js';
import type { Self } from '../../lib/gen-server/self.js';
import type { ExitReason } from '../../lib/runtime/exits/exit-reason.js';
import type { Pid } from '../../lib/runtime/pid.js';
import type { ChildSpec } from '../../lib/supervision/child-spec.js';
import type { DynamicChildSpec, DynamicSupervisorOptions } from '../../lib/supervision/dynamic-child-spec.js';
import {
  DynamicSupervisor,
  dynamicSupervisorChildSpec,
  startDynamicSupervisor,
} from '../../lib/supervision/dynamic-supervisor.js';
import type { Job } from '../support/tree.js';
import { tidyWorld } from './tidy-world.js';

export interface DynamicWorkerOptions extends Omit<DynamicChildSpec, 'source'> {
  /** `args` as `init` gets them come second. */
  readonly init?: (self: Self, args: readonly unknown[]) => unknown;
  readonly terminate?: (reason: ExitReason) => unknown;
}

/** A world with a dynamic supervisor `dyn`, and workers that keep a journal and do as they are told. */
export function dynamicWorld(options?: RuntimeOptions) {
  const world = tidyWorld(options);
  const { runtime, journal } = world;

  const worker = (label: string, { init, terminate, ...spec }: DynamicWorkerOptions = {}): DynamicChildSpec => ({
    source: blueprintOfBehaviour({
      label,
      init: (args, self) => {
        journal.push(`${label} init`);
        return init === undefined ? ok(null) : init(self, args);
      },
      handleCall: (request, _from, _state, self) => (request as Job)(self),
      handleCast: (request, _state, self) => (request as Job)(self),
      terminate: (reason) => {
        journal.push(`${label} terminate ${String(reason)}`);
        return terminate?.(reason);
      },
    }),
    ...spec,
  });

  return {
    ...world,
    /** A child without a name. */
    anonymous: worker,
    /** A child that is registered under its label. */
    named: (label: string, workerOptions: DynamicWorkerOptions = {}): DynamicChildSpec =>
      worker(label, { ...workerOptions, options: { name: label, ...workerOptions.options } }),
    /** Starts the supervisor, on its own. */
    startDyn: (spec: DynamicSupervisorOptions = {}): Promise<Pid> =>
      startDynamicSupervisor(runtime, { label: 'dyn', name: 'dyn', ...spec }),
    /** The supervisor as a child of another. */
    dyn: (spec: DynamicSupervisorOptions = {}, overrides?: Partial<Omit<ChildSpec, 'start'>>): ChildSpec =>
      dynamicSupervisorChildSpec({ label: 'dyn', name: 'dyn', ...spec }, overrides),
    add: (spec: DynamicChildSpec, supervisor: Destination = 'dyn') =>
      DynamicSupervisor.startChild(runtime, supervisor, spec),
    remove: (pid: Pid) => DynamicSupervisor.terminateChild(runtime, 'dyn', pid),
    which: () => DynamicSupervisor.whichChildren(runtime, 'dyn'),
    count: () => DynamicSupervisor.countChildren(runtime, 'dyn'),
  };
}

export type DynamicWorld = ReturnType<typeof dynamicWorld>;
