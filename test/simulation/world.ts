import { type Choices, oneIn } from './choices.js';
import { Fault } from './job.js';
import type { ProcessModel } from './models/process-model.js';
import { Observer } from './observer.js';
import { Operations, OUTSIDE } from './operations.js';
import { Servers, type Temper } from './servers.js';
import type { Thing } from './strategies.js';
import type { Trace } from './trace.js';

/** A world that a schedule goes through, from its first operation to the last trace of it. */
export interface SimulatedWorld {
  readonly observer: Observer;
  readonly operations: Iterable<string>;
  readonly faults: Iterable<string>;
  /** What can go next; nothing when it is over. */
  things(): readonly Thing[];
  /** What must be true whenever nothing runs. */
  checkRest(): void;
}

/** Servers, clients, faults, and an end. What is in a world besides servers is for others to add. */
export class ServersWorld implements SimulatedWorld {
  readonly observer: Observer;
  readonly servers: Servers;
  readonly ops: Operations;
  protected operationsLeft: number;
  /** Everything is to end now; what it takes is counted. */
  private closing = 0;
  private isOver = false;

  constructor(
    protected readonly choices: Choices,
    trace: Trace,
    temper?: Temper,
  ) {
    const scheduling = oneIn(choices, 2) ? 'random' : 'fair';
    this.observer = new Observer(choices, trace, { scheduling, tracking: false });
    this.servers = new Servers(this.observer, temper ?? temperOf(choices));
    this.ops = new Operations(this.observer, this.servers);
    this.operationsLeft = 3 + choices.next(8);
  }

  get operations(): Iterable<string> {
    return this.ops.performed;
  }

  get faults(): Iterable<string> {
    return this.servers.faults;
  }

  /** Makes the processes that are there at first. */
  populate(): void {
    for (let left = 1 + this.choices.next(3); left > 0; left--) this.ops.start(undefined);
  }

  protected operate(): void {
    this.ops.byClient();
  }

  // --- what can go next -----------------------------------------------------------------------------------------------------

  things(): readonly Thing[] {
    if (this.isOver) return [];
    const things = this.ownThings();
    if (this.operationsLeft > 0) {
      for (const owner of ['client a', 'client b'])
        things.push({ owner, run: () => (this.operationsLeft--, this.operate()) });
      things.push({ owner: 'jump', run: () => this.jump() });
      return things;
    }
    return things.length > 0 && this.closing === 0 && oneIn(this.choices, 2) ? things : this.close(things);
  }

  /** What goes on by itself. */
  protected ownThings(): Thing[] {
    const { clock } = this.observer;
    const things: Thing[] = this.servers.pauses.map((pause) => ({
      owner: pause.owner.label,
      run: () => this.settle(pause),
    }));
    if (clock.pendingTurns > 0) things.push({ owner: 'turn', run: () => this.beginTurn() });
    if (clock.pendingTimers > 0) things.push({ owner: 'timer', run: () => this.fire() });
    return things;
  }

  private settle(pause: Servers['pauses'][number]): void {
    if (this.servers.strikes('rejects')) pause.reject(new Fault(0));
    else pause.resolve();
  }

  private beginTurn(): void {
    for (const p of this.observer.live) p.isBetweenTurns = false;
    this.observer.clock.beginTurn();
  }

  protected fire(): void {
    const { observer } = this;
    observer.clock.fire((count) => this.choices.next(count));
    observer.timerHasFired();
  }

  protected jump(): void {
    this.servers.faults.add('clock jump');
    this.observer.clock.pass([5, 30, 1_000, 10][this.choices.next(4)]!);
  }

  // --- the end --------------------------------------------------------------------------------------------------------------

  /** Stops everything, what hangs by force; then there must be nothing left. */
  private close(things: readonly Thing[]): readonly Thing[] {
    this.closing++;
    const { observer } = this;
    if (things.length > 0 && this.closing % 8 !== 0) return things.slice(0, 1);
    const [victim] = this.roots();
    if (victim !== undefined) {
      const end = (): void => {
        if (this.closing < 20 && oneIn(this.choices, 2)) this.ops.stopProcess(victim, victim.pid, 'shutdown');
        else this.ops.signal(OUTSIDE, victim, victim.pid, 'kill');
      };
      return [{ owner: 'close', run: end }];
    }
    if (things.length > 0) return things.slice(0, 1);
    this.isOver = true;
    this.checkEnd();
    observer.real.runtime.close();
    observer.check(observer.clock.pendingTimers === 0, 'S5', () => 'a timer is left of a world that is closed');
    return [];
  }

  /** All processes in the order in which to end them: those without a living parent first. */
  protected roots(): ProcessModel[] {
    const { live } = this.observer;
    return live.filter(({ setup: { parent } }) => parent?.isAlive !== true).concat(live);
  }

  private checkEnd(): void {
    const { observer, ops } = this;
    const { runtime, localNames } = observer.real;
    observer.check(runtime.processCount === 0, 'S5', () => `${runtime.processCount} processes are left`);
    observer.check([...localNames.names()].length === 0, 'R2', () => 'a name is left');
    observer.check(ops.registry.count() === 0, 'R2', () => 'an entry of a registry is left');
    for (const call of observer.calls) observer.check(call.isSettled, 'P4', () => `call ${call.id} never settled`);
  }

  // --- at rest --------------------------------------------------------------------------------------------------------------

  checkRest(): void {
    const { observer } = this;
    const { runtime } = observer.real;
    const isBetweenTurns = observer.clock.pendingTurns > 0;
    for (const p of observer.processes.values()) observer.commitPending(p);
    let live = 0;
    for (const p of observer.processes.values()) {
      if (!p.isAlive) continue;
      live++;
      observer.check(p.doom === undefined || isBetweenTurns, 'E6', () => `${p.label} was killed and lives on`);
      if (p.setup.kind === 'server') this.checkServer(p, isBetweenTurns);
    }
    observer.check(runtime.processCount === live, 'S5', () => `${runtime.processCount} processes live, not ${live}`);
    this.checkNames();
    this.checkCalls();
    this.checkTime(isBetweenTurns);
  }

  private checkServer(p: ProcessModel, isBetweenTurns: boolean): void {
    const { observer } = this;
    const { real } = p.setup;
    observer.check(p.expectedTermination === undefined, 'E2', () => `${p.label} was to terminate and does not`);
    observer.check(real.queueLength === p.mailbox.length, 'P3', () => {
      return `${p.label} has ${real.queueLength} messages waiting, not ${p.mailbox.length}`;
    });
    if (isBetweenTurns) return;
    const isWaiting = p.busy || p.status === 'starting';
    if (p.status === 'starting') observer.check(p.hasBegun, 'P3', () => `init of ${p.label} does not run`);
    observer.check(real.isBusy === isWaiting, 'P1', () => `${p.label} is ${real.isBusy ? '' : 'not '}busy`);
    if (isWaiting) return;
    observer.check(p.continuation === undefined, 'P9', () => `${p.label} does not continue`);
    observer.check(p.mailbox.length === 0, 'P3', () => `${p.label} lets ${p.mailbox.length} messages wait`);
  }

  private checkNames(): void {
    const { observer, ops } = this;
    for (const name of this.ops.namesUsed) {
      const holder = observer.real.localNames.whereis(name);
      observer.check(holder === observer.names.get(name)?.pid, 'R1', () => `${name} is held by ${String(holder)}`);
    }
    for (const key of ['k1', 'k2']) {
      const entries = ops.registry.lookup(key);
      const models = ops.registryModel.of(key);
      const found = entries.map(({ pid }) => pid);
      const expected = models.map(({ owner }) => owner.pid);
      const isEqual = found.length === expected.length && found.every((pid, at) => pid === expected[at]);
      const isUpToDate = entries.every(({ value }, at) => value === models[at]?.value);
      observer.check(isUpToDate, 'R1', () => `${key} has another value than it was given`);
      observer.check(isEqual, 'R2', () => `${key} is held by ${found.join(', ')} rather than ${expected.join(', ')}`);
    }
  }

  private checkCalls(): void {
    const { observer } = this;
    for (const call of observer.calls) {
      if (call.isSettled || call.expected === undefined) continue;
      if (call.job === undefined && observer.clock.pendingTurns > 0) continue;
      observer.fail('P4', `call ${call.id} should have settled: ${JSON.stringify(call.expected)}`);
    }
    for (const { process, what, isSettled } of this.ops.awaited) {
      const isDue = what === 'stop' ? !process.isAlive : process.status !== 'starting';
      observer.check(
        isSettled === isDue,
        'I1',
        () => `a ${what} of ${process.label} has ${isSettled ? '' : 'not '}settled`,
      );
    }
  }

  /** When no timer of the platform is due any more, nothing that is due may be pending. */
  private checkTime(isBetweenTurns: boolean): void {
    const { observer } = this;
    const { clock } = observer;
    if (clock.dueTimers > 0) return;
    // The platform waits for one millisecond at least.
    const now = clock.now() - 1;
    for (const call of observer.calls) {
      observer.check(call.isSettled || call.due > now, 'P4', () => `call ${call.id} does not time out`);
    }
    const [late] = observer.timers.overdue(now);
    observer.check(late === undefined, 'K1', () => `the message ${late?.value.job.id} that is due does not come`);
    if (isBetweenTurns || this.servers.temper.spins) return;
    for (const p of observer.live) {
      observer.check(p.busy || p.idleDue > now, 'T1', () => `${p.label} gets no Timeout`);
      observer.check(p.status !== 'starting' || p.setup.startDue > now, 'I7', () => `${p.label} is too long in init`);
    }
  }
}

function temperOf(choices: Choices): Temper {
  return {
    faultsIn: [8, 4, 16, Infinity][choices.next(4)]!,
    handlersAct: !oneIn(choices, 4),
    spins: oneIn(choices, 4),
  };
}
