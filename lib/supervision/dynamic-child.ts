import type { GenServerProcess } from '../gen-server/gen-server-process.js';
import type { InitArguments } from '../gen-server/starting.js';
import type { ExitReason } from '../runtime/exit-reason.js';
import { keepShape } from '../runtime/keep-shape.js';
import { Pid } from '../runtime/pid.js';
import { formatName, type ServerName } from '../runtime/registration.js';
import type { DynamicChildPlan } from './dynamic-child-spec.js';

/** What is out of the ordinary about a child: most have nothing. */
interface Unrest {
  /** The end that it is to come back from, until it has. */
  readonly comeback: { readonly crashed: Pid; readonly reason: ExitReason } | null;
  /** Resolves when the child is stopped and forgotten, once that was asked for. */
  readonly leaving: Promise<void> | null;
}

const AT_REST: Unrest = Object.freeze({ comeback: null, leaving: null });

/** One child of a dynamic supervisor, with all its incarnations. */
export class DynamicChild {
  /** `starting`: in `init`. `waiting`: its last start failed, and the next attempt is due. `gone`: forgotten. */
  phase: 'starting' | 'running' | 'waiting' | 'gone' = 'starting';
  private unrest = AT_REST;
  private incarnation!: GenServerProcess;

  constructor(
    readonly plan: DynamicChildPlan,
    readonly args: InitArguments,
  ) {}

  /** The last incarnation. The child is found by its pid, and by that of the one that crashed until it has come back. */
  get process(): GenServerProcess {
    return this.incarnation;
  }

  set process(process: GenServerProcess) {
    const former = this.incarnation as GenServerProcess | undefined;
    if (former !== undefined && former.pid !== this.comeback?.crashed) Pid.keepAs(former.pid, undefined);
    this.incarnation = process;
    Pid.keepAs(process.pid, this);
  }

  get comeback(): Unrest['comeback'] {
    return this.unrest.comeback;
  }

  set comeback(comeback: Unrest['comeback']) {
    const { comeback: former, leaving } = this.unrest;
    if (comeback === former) return;
    if (former !== null) Pid.keepAs(former.crashed, undefined);
    this.unrest = { comeback, leaving };
  }

  get leaving(): Unrest['leaving'] {
    return this.unrest.leaving;
  }

  set leaving(leaving: Unrest['leaving']) {
    this.unrest = { comeback: this.comeback, leaving };
  }

  /** It is forgotten: nobody finds it any more, and what is garbage must not keep alive what is young. */
  leave(): void {
    this.phase = 'gone';
    if (this.comeback !== null) Pid.keepAs(this.comeback.crashed, undefined);
    Pid.keepAs(this.process.pid, undefined);
    this.unrest = AT_REST;
  }

  get isSupervisor(): boolean {
    return this.plan.isSupervisor;
  }

  /** Its incarnations go by one name. */
  get registeredName(): ServerName | undefined {
    return this.process.registration?.name;
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

keepShape(new DynamicChild(null as never, []));
