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

/** A process that has been made and is about to run its `init`. */
export interface Spawned {
  readonly process: GenServerProcess;
  /** Settles once: when `init` is done, or will never be. Does not reject. */
  readonly outcome: Promise<StartOutcome>;
}

/** Who starts a process and what it continues. */
export interface Lineage {
  readonly parent?: Process | null;
  /** The incarnation before this one: the pid keeps its id. */
  readonly predecessor?: Pid | undefined;
}

/**
 * Makes a process, takes its name, links it to its parent, and lets it run `init` in the loop. Throws, with nothing left
 * behind, when the name is taken or an option makes no sense.
 */
export function spawn(runtime: Runtime, blueprint: ServerBlueprint, given?: StartOptions, lineage?: Lineage): Spawned {
  return spawnPlanned(runtime, planOf(blueprint, given), lineage);
}

/** The same for a plan that was made before. */
export function spawnPlanned(runtime: Runtime, plan: StartPlan, lineage?: Lineage): Spawned {
  const awaited = new AwaitedStart();
  const process = spawnAsPlanned(runtime, plan, plan.name, plan.args, awaited, lineage);
  return { process, outcome: awaited.outcome };
}

/** The same with a name and arguments of its own; tells an observer how it went. */
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

/** Starts a server and gives its pid when `init` is done (I1), or rejects with `StartError`. */
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
