import type { ServerName } from '../../runtime/server-name.js';
import { register } from '../../runtime/registration.js';
import { linkToParent } from '../../runtime/relations/links.js';
import { Pid } from '../../runtime/pid.js';
import type { Process } from '../../runtime/process.js';
import type { Runtime } from '../../runtime/runtime.js';
import { GenServerProcess } from '../process/gen-server-process.js';
import type { StartOutcome } from '../process/start-observer.js';
import type { InitArguments, StartOptions } from '../definition/start-options.js';
import type { ServerBlueprint } from '../definition/server-definition.js';
import { planOf, type StartPlan } from '../definition/start-plan.js';
import { AwaitedStart, type StartObserver, whenStarted } from '../process/start-observer.js';

/** A process that was created and is about to run its `init`. */
export interface Spawned {
  readonly process: GenServerProcess;
  /** Fulfilled when `init` has finished, or never will. Does not reject. */
  readonly outcome: Promise<StartOutcome>;
}

/** The parent and the predecessor of a process. */
export interface Lineage {
  readonly parent?: Process | null;
  /** The previous incarnation, whose id the new pid keeps. */
  readonly predecessor?: Pid | undefined;
}

/**
 * Creates a process, registers its name, links it to its parent, and runs its `init` in the loop. Throws if the name is taken or an option
 * is invalid; then nothing was created.
 */
export function spawn(runtime: Runtime, blueprint: ServerBlueprint, given?: StartOptions, lineage?: Lineage): Spawned {
  return spawnPlanned(runtime, planOf(blueprint, given), lineage);
}

/** Like {@link spawn}, with an existing plan. */
export function spawnPlanned(runtime: Runtime, plan: StartPlan, lineage?: Lineage): Spawned {
  const awaited = new AwaitedStart();
  const process = spawnAsPlanned(runtime, plan, plan.name, plan.args, awaited, lineage);
  return { process, outcome: awaited.outcome };
}

/** Like {@link spawnPlanned}, with another name and other arguments than the plan's. Reports the outcome to `observer`. */
export function spawnAsPlanned(
  runtime: Runtime,
  plan: StartPlan,
  name: ServerName | undefined,
  args: InitArguments,
  observer: StartObserver,
  { parent = null, predecessor }: Lineage = NO_LINEAGE,
): GenServerProcess {
  const process = new GenServerProcess(
    runtime,
    predecessor?.id ?? runtime.nextProcessId(),
    predecessor === undefined ? 0 : predecessor.incarnation + 1,
    parent,
    plan,
    args,
    observer,
  );
  if (name !== undefined) registerNew(process, name);
  if (parent !== null) linkToParent(process);
  runtime.add(process);
  process.begin();
  return process;
}

const NO_LINEAGE: Lineage = Object.freeze({});

/** Starts a server. Resolves to its pid when `init` has finished (I1), or rejects, with `StartError` if `init` failed. */
export function start(
  runtime: Runtime,
  blueprint: ServerBlueprint,
  options?: StartOptions,
  lineage?: Lineage,
): Promise<Pid> {
  return whenStarted((observer) => {
    const plan = planOf(blueprint, options);
    spawnAsPlanned(runtime, plan, plan.name, plan.args, observer, lineage);
  });
}

function registerNew(process: GenServerProcess, name: ServerName): void {
  try {
    register(process, name);
  } catch (error) {
    Pid.detach(process.pid);
    throw error;
  }
}
