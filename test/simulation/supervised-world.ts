import { spawn } from '../../lib/gen-server/client/start.js';
import { childSpec, type ChildSpec } from '../../lib/supervision/child-spec.js';
import {
  blueprintOfSupervisor,
  Supervisor,
  supervisorChildSpec,
  type SupervisorSpec,
} from '../../lib/supervision/supervisor.js';
import { type Choices, oneIn, pick } from './choices.js';
import { CallModel } from './models/call-model.js';
import type { Item, ProcessModel, SupervisorRequest } from './models/process-model.js';
import type { ChildSetup, SupervisorSetup } from './models/supervisor-model.js';
import { OUTSIDE } from './operations.js';
import { SupervisorWatch } from './supervisor-watch.js';
import type { Trace } from './trace.js';
import { ServersWorld } from './world.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A tree: a supervisor, its children, perhaps a supervisor below it; and clients that do them harm. */
export class SupervisedWorld extends ServersWorld {
  private readonly setups = new Map<string, SupervisorSetup>();
  private readonly names = new Map<string, string>();
  private readonly watches: SupervisorWatch[] = [];
  private added = 0;

  constructor(choices: Choices, trace: Trace) {
    super(choices, trace, {
      faultsIn: [12, 6, Infinity][choices.next(3)]!,
      handlersAct: oneIn(choices, 2),
      spins: false,
    });
  }

  override populate(): void {
    const { observer } = this;
    observer.makeSupervisor = (process) => {
      const watch = new SupervisorWatch(observer, process, this.setups.get(process.label)!);
      this.watches.push(watch);
      return watch;
    };
    observer.onSpawned = (process) => {
      const name = this.names.get(process.label);
      if (name === undefined) return;
      process.names.push(name);
      this.ops.namesUsed.add(name);
      observer.names.set(name, process);
    };
    const spec = this.supervisor('root', 1 + this.choices.next(3));
    spawn(observer.real.runtime, blueprintOfSupervisor(spec), {});
  }

  /** Draws a supervisor: what the library is given, and what its model is given. */
  private supervisor(label: string, count: number): SupervisorSpec {
    const { choices } = this;
    const autoShutdown = pick(choices, ['never', 'never', 'never', 'any_significant', 'all_significant'] as const);
    const options = {
      strategy: pick(choices, ['one_for_one', 'one_for_all', 'rest_for_one'] as const),
      maxRestarts: pick(choices, [1, 3, 0, 2]),
      withinMs: pick(choices, [30, 10, 1_000]),
      autoShutdown,
      backoff: oneIn(choices, 5) ? { minMs: 10, maxMs: 15 } : undefined,
    };
    const setups: ChildSetup[] = [];
    const specs: ChildSpec[] = [];
    for (let at = 0; at < count; at++) {
      if (label === 'root' && oneIn(choices, 8)) {
        const nested = this.supervisor(`nested${at}`, 1 + choices.next(2));
        const setup = this.childSetup(nested.label, autoShutdown !== 'never', Infinity);
        setups.push(setup);
        specs.push(supervisorChildSpec(nested, { restart: setup.restart, significant: setup.significant }));
      } else {
        const [setup, spec] = this.child(`${label}.${at}`, autoShutdown !== 'never');
        setups.push(setup);
        specs.push(spec);
      }
    }
    this.setups.set(label, { label, ...options, children: setups });
    const { backoff: restartBackoff, ...rest } = options;
    return { label, ...rest, ...(restartBackoff === undefined ? {} : { restartBackoff }), children: specs };
  }

  private childSetup(id: string, mayBeSignificant: boolean, shutdownMs?: number): Mutable<ChildSetup> {
    const { choices } = this;
    const restart = pick(choices, ['permanent', 'permanent', 'transient', 'temporary'] as const);
    return {
      id,
      label: id,
      type: shutdownMs === undefined ? 'worker' : 'supervisor',
      name: undefined,
      restart,
      shutdownMs: shutdownMs ?? pick(choices, [20, 50, 'brutal_kill', Infinity] as const),
      significant: mayBeSignificant && restart !== 'permanent' && oneIn(choices, 2),
    };
  }

  private child(id: string, mayBeSignificant: boolean): [ChildSetup, ChildSpec] {
    const { choices, servers } = this;
    const setup = this.childSetup(id, mayBeSignificant);
    if (oneIn(choices, 2)) this.names.set(id, (setup.name = `name of ${id}`));
    const options = {
      ...(setup.name === undefined ? {} : { name: setup.name }),
      trapExit: oneIn(choices, 4),
      drain: !oneIn(choices, 4),
    };
    const { restart, shutdownMs, significant } = setup;
    return [setup, childSpec(servers.source(id), options, { id, restart, shutdownMs, significant })];
  }

  // --- what is done to it -------------------------------------------------------------------------------------------------

  protected override operate(): void {
    pick(this.choices, [
      () => this.ops.hurt(),
      () => this.ops.hurt(),
      () => this.ops.byClient(),
      () => this.request(),
      () => this.request(),
      () => this.hurtSupervisor(),
    ])();
  }

  private get supervisors(): ProcessModel[] {
    return this.observer.live.filter(({ setup }) => setup.kind === 'supervisor');
  }

  private hurtSupervisor(): void {
    const { supervisors } = this;
    if (supervisors.length === 0 || !oneIn(this.choices, 2)) return;
    const victim = pick(this.choices, supervisors);
    if (oneIn(this.choices, 2))
      this.ops.stopProcess(victim, victim.pid, pick(this.choices, ['shutdown', 'normal', 'boom']));
    else this.ops.signal(OUTSIDE, victim, victim.pid, pick(this.choices, ['kill', 'shutdown', 'boom']));
  }

  private request(): void {
    const { choices, observer, supervisors } = this;
    if (supervisors.length === 0) return;
    const self = pick(choices, supervisors);
    const type = pick(choices, [
      'terminateChild',
      'restartChild',
      'startChild',
      'deleteChild',
      'whichChildren',
    ] as const);
    const { model } = observer.supervisors.get(self) as SupervisorWatch;
    const known = pick(choices, model.setups.length === 0 ? [undefined] : model.setups);
    const { runtime } = observer.real;
    let id = known?.id ?? 'nobody';
    let args: readonly unknown[] = [];
    let perform: () => Promise<unknown>;
    if (type === 'startChild') {
      const [setup, spec] = this.child(`added${++this.added}`, model.setup.autoShutdown !== 'never');
      id = setup.id;
      args = [setup];
      perform = () => Supervisor.startChild(runtime, self.pid, spec);
    } else if (type === 'whichChildren') {
      perform = () => Supervisor.whichChildren(runtime, self.pid);
    } else {
      perform = () => Supervisor[type](runtime, self.pid, id);
    }
    this.ask(self, { type, id, args }, perform);
  }

  private ask(self: ProcessModel, request: SupervisorRequest, perform: () => Promise<unknown>): void {
    const { observer, ops } = this;
    const call = new CallModel(-1 - observer.calls.length, undefined, self, Infinity);
    observer.calls.push(call);
    observer.trace.note(request.type, request.id);
    ops.performed.add(request.type);
    const item: Item = { kind: 'request', request, call };
    let promise!: Promise<unknown>;
    observer.causing({ type: 'send', target: self, item }, () => {
      promise = perform();
    });
    promise.then(
      (value) => ops.settled(call, value, undefined),
      (error: unknown) => ops.settled(call, undefined, error),
    );
  }

  // --- what must be true --------------------------------------------------------------------------------------------------

  override checkRest(): void {
    const isBetweenTurns = this.observer.clock.pendingTurns > 0;
    for (const p of this.observer.live) {
      this.observer.commitPending(p);
      this.observer.sync(p);
    }
    for (const watch of this.watches) watch.checkRest(isBetweenTurns);
    super.checkRest();
    if (this.observer.clock.dueTimers > 0) return;
    const now = this.observer.clock.now() - 1;
    for (const watch of this.watches) watch.checkTime(now);
    for (const p of this.observer.live) {
      this.observer.check(
        isBetweenTurns || p.stopDue > now,
        'S6',
        () => `${p.label} uses up more than its time to end`,
      );
    }
  }
}
