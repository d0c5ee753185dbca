import type { GenServerProcess } from '../gen-server/process/gen-server-process.js';
import { StartPlan } from '../gen-server/definition/start-plan.js';
import type { ExitReason } from '../runtime/exits/exit-reason.js';
import { keepShape } from '../runtime/keep-shape.js';
import { type SupervisorRecord, Pid } from '../runtime/pid.js';
import type { Process } from '../runtime/process.js';
import { formatName, type ServerName } from '../runtime/server-name.js';
import { type Shutdown, WORKER_SHUTDOWN_MS } from './child-spec.js';
import type { DynamicChildSpec } from './dynamic-child-spec.js';
import type { Restart } from './restart-policy.js';

/**
 * What children that are started alike have in common. One for a hundred thousand of them, and all that their supervisor keeps of one
 * with which everything is in order.
 */
export class DynamicChildPlan implements SupervisorRecord {
  readonly server: StartPlan;
  readonly restart: Restart;
  readonly shutdownMs: Shutdown;

  /** Throws when an option makes no sense. */
  constructor({ source, options, restart = 'permanent', shutdownMs }: DynamicChildSpec) {
    this.server = new StartPlan(source, options);
    this.restart = restart;
    this.shutdownMs = shutdownMs ?? (this.isSupervisor ? Infinity : WORKER_SHUTDOWN_MS);
  }

  get isSupervisor(): boolean {
    return this.server.definition.isSupervisor === true;
  }

  afterEnd(process: Process): DynamicChild {
    return new DynamicChild(this, process as GenServerProcess);
  }
}

/** The end that a child is to come back from. */
interface Comeback {
  readonly crashed: Pid;
  readonly reason: ExitReason;
}

/**
 * One child of a dynamic supervisor, with all its incarnations. It is kept from the moment on in which something happens to the child:
 * it ends, or is to be stopped. Before that, a lookup makes a new object each time.
 */
export class DynamicChild implements SupervisorRecord {
  /**
   * `starting`: in `init`. `waiting`: its last start failed, and the next attempt is due. `gone`: forgotten. It is the first or `running`
   * when this is made.
   */
  phase: 'starting' | 'running' | 'waiting' | 'gone';
  /** Resolves when the child is stopped and forgotten, once that was asked for. */
  leaving: Promise<void> | null = null;
  private incarnation: GenServerProcess;
  private pendingComeback: Comeback | null = null;

  constructor(
    readonly plan: DynamicChildPlan,
    process: GenServerProcess,
  ) {
    this.phase = process.hasStarted ? 'running' : 'starting';
    this.incarnation = process;
  }

  afterEnd(): DynamicChild {
    return this;
  }

  /** The last incarnation. The child is found by its pid, and by that of the one that crashed until it has come back. */
  get process(): GenServerProcess {
    return this.incarnation;
  }

  set process(process: GenServerProcess) {
    const former = this.incarnation;
    former.dropArguments();
    if (former.pid !== this.comeback?.crashed) Pid.setSupervisorRecord(former.pid, undefined);
    this.incarnation = process;
    Pid.setSupervisorRecord(process.pid, this);
  }

  /** Until it has come back. */
  get comeback(): Comeback | null {
    return this.pendingComeback;
  }

  set comeback(comeback: Comeback | null) {
    const former = this.pendingComeback;
    if (former !== null && former !== comeback) Pid.setSupervisorRecord(former.crashed, undefined);
    this.pendingComeback = comeback;
  }

  /** Forgets the child: no pid leads to it any more, and old garbage must not keep young objects alive. */
  leave(): void {
    this.phase = 'gone';
    this.comeback = null;
    this.leaving = null;
    this.process.dropArguments();
    Pid.setSupervisorRecord(this.process.pid, undefined);
  }

  get isSupervisor(): boolean {
    return this.plan.isSupervisor;
  }

  /** Its incarnations go by one name. */
  get registeredName(): ServerName | undefined {
    return this.process.registeredName;
  }

  get name(): string | undefined {
    const name = this.registeredName;
    return name === undefined ? undefined : formatName(name);
  }

  get printedId(): string {
    return this.name ?? this.process.label;
  }

  get status(): 'running' | 'restarting' {
    return this.comeback === null ? 'running' : 'restarting';
  }
}

keepShape(new DynamicChild(null as never, { hasStarted: false } as never));

/** What is kept of a child that ended because it had nothing to do: a client that still calls it may start it again. */
const ENDED_IDLE: SupervisorRecord = { afterEnd: () => ENDED_IDLE };

/** Notes that a child has ended because it had nothing to do. It costs nothing but what its pid holds already. */
export function noteIdleEnd(pid: Pid): void {
  Pid.setSupervisorRecord(pid, ENDED_IDLE);
}

/** Whether a child that is gone ended because it had nothing to do, and not because it was stopped or crashed. */
export function hasEndedIdle(pid: Pid): boolean {
  return Pid.supervisorRecord(pid) === ENDED_IDLE;
}
