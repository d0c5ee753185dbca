import { RetryRestart } from '../../lib/supervision/child.js';
import type { DynamicRetry } from '../../lib/supervision/dynamic-supervisor-server.js';
import type { Item, ProcessModel } from './models/process-model.js';
import { SupervisorModel, type SupervisorSetup } from './models/supervisor-model.js';
import type { Observer, SupervisorListener } from './observer.js';

/** Holds what a supervisor is seen to do against what its model wants next. */
export class SupervisorWatch implements SupervisorListener {
  readonly model: SupervisorModel;
  private exits = 0;
  private perhapsInterrupted: ProcessModel | undefined;

  constructor(
    private readonly observer: Observer,
    private readonly self: ProcessModel,
    setup: SupervisorSetup,
  ) {
    this.model = new SupervisorModel(setup, self, () => observer.clock.now());
  }

  /** Lets the model catch up with what was seen. */
  advance(isExplained: () => boolean, mayTake = () => true): void {
    this.model.advance(() => {
      this.lookAtChild();
      return isExplained();
    }, mayTake);
  }

  /** What the supervisor has taken from its mailbox, it has dealt with as far as it can. */
  private catchUp(): void {
    this.advance(
      () => false,
      () => this.self.mailbox.length > this.self.setup.real.queueLength,
    );
  }

  /** A child in `init` may have come up, which shows only in what comes next. */
  private lookAtChild(): void {
    const { wait } = this.model;
    if (wait?.type !== 'outcome') return;
    this.observer.commitPending(wait.process);
    this.observer.sync(wait.process);
  }

  spawned(child: ProcessModel): void {
    this.advance(() => this.model.wait?.type === 'spawn' && this.model.wait.child.process === undefined);
    const { wait } = this.model;
    const { label } = this.self;
    const isDue = wait?.type === 'spawn' && wait.child.setup.label === child.label;
    this.observer.check(isDue, 'S2', () => `${label} starts ${child.label}, but ${this.describe()} is next`);
    if (!isDue) return;
    const last = wait.child.lastPid;
    const { pid } = child;
    const continues =
      last === undefined ? pid.incarnation === 0 : pid.id === last.id && pid.incarnation === last.incarnation + 1;
    this.observer.check(continues, 'P7', () => `${child.label} is ${pid.toString()} after ${String(last)}`);
    wait.child.process = child;
  }

  signalled(child: ProcessModel, reason: unknown, sender: ProcessModel | undefined, isKill: boolean): boolean {
    const isOwn = (sender === this.self && reason === 'shutdown') || (sender === undefined && isKill);
    if (!isOwn) return false;
    if (sender === undefined && child.stopDue <= this.observer.clock.now()) return true;
    // A supervisor that was killed while it stopped its children goes on with that.
    if (!this.self.setup.real.isAlive) return this.stops(child, this.shutdownOf(child), isKill);
    // An interruption comes while the request to end is being delivered.
    if (this.perhapsInterrupted === child && this.observer.isAskedToStop === this.self) {
      this.perhapsInterrupted = undefined;
      return this.stops(child, this.shutdownOf(child), isKill);
    }
    if (this.model.interrupted === child) {
      this.model.interrupted = undefined;
      return this.stops(child, this.shutdownOf(child), isKill);
    }
    const isDue = (): boolean => {
      const { wait } = this.model;
      return wait?.type === 'signal' && wait.process === child && !wait.isSeen;
    };
    this.advance(isDue);
    const { wait } = this.model;
    if (wait?.type !== 'signal' || wait.process !== child || wait.isSeen) {
      // A child that was interrupted in init is stopped once more with the others.
      if (child.stopDue === Infinity) return false;
      return this.stops(child, this.shutdownOf(child), isKill);
    }
    wait.isSeen = true;
    return this.stops(child, wait.child.setup.shutdownMs, isKill);
  }

  private shutdownOf({ label }: ProcessModel): number | 'brutal_kill' {
    return this.model.setups.find((setup) => setup.label === label)!.shutdownMs;
  }

  private stops(child: ProcessModel, shutdownMs: number | 'brutal_kill', isKill: boolean): boolean {
    this.observer.check(
      isKill === (shutdownMs === 'brutal_kill'),
      'S6',
      () => `${child.label} is stopped in the wrong way`,
    );
    child.isStoppedByParent = true;
    if (shutdownMs !== 'brutal_kill') child.stopDue = Math.min(child.stopDue, this.observer.clock.now() + shutdownMs);
    return true;
  }

  received(item: Item): void {
    if (item.kind !== 'terminate' && item.kind !== 'stop') return;
    this.catchUp();
    this.model.stopQueued();
    // It has come up, but its supervisor may not have heard of that.
    if (this.model.interrupted === undefined) this.perhapsInterrupted = this.model.lastStarted;
  }

  retried(retry: RetryRestart | DynamicRetry): unknown {
    const isCounted = retry instanceof RetryRestart && retry.isCounted;
    this.advance(() => this.model.hasRetry(isCounted));
    const taken = this.model.takeRetry(isCounted);
    const now = this.observer.clock.now();
    this.observer.check(
      taken !== undefined && taken.due <= now,
      'S13',
      () => `${this.self.label} tries again too early`,
    );
    return taken;
  }

  event(event: { readonly type: string; readonly reason?: unknown }): void {
    if (event.type === 'supervisor.child_start_failed') this.couldNotStart(event.reason);
    if (event.type === 'supervisor.child_exited') {
      this.exits++;
      this.advance(() => this.model.exits >= this.exits);
      this.observer.check(this.model.exits === this.exits, 'S15', () => `${this.self.label} sees an exit that is none`);
    }
    if (event.type !== 'supervisor.restarts_exceeded') return;
    this.advance(() => this.model.isExceeded);
    this.observer.check(this.model.isExceeded, 'S3', () => `${this.self.label} gives up too early`);
  }

  /** The name of a child may be held by somebody else: then it cannot even be made. */
  couldNotStart(reason: unknown): void {
    const { code, holder } = (reason ?? {}) as { readonly code?: unknown; readonly holder?: unknown };
    if (code !== 'ALREADY_STARTED') return;
    this.advance(() => this.model.wait?.type === 'spawn' && this.model.wait.child.process === undefined);
    const { wait } = this.model;
    if (wait?.type !== 'spawn' || wait.child.process !== undefined) return;
    const isHeld = [...this.observer.processes.values()].some(
      ({ pid, names }) => pid.toString() === holder && names.includes(wait.child.setup.name!),
    );
    if (isHeld) wait.failure = { reason };
  }

  whyItEnds(): { readonly reason: unknown } | undefined {
    this.advance(() => this.model.expectedExit !== undefined);
    return this.model.expectedExit;
  }

  ended(): void {
    for (const { label, process } of this.model.children.map((child) => ({ ...child, label: child.setup.label }))) {
      const isLeft = process?.isAlive === true && process.doom === undefined && process.mailbox.length === 0;
      if (isLeft && this.self.doom === undefined) this.observer.fail('S5', `${label} outlives ${this.self.label}`);
    }
  }

  /** With nothing left to run, everything that was to come next must have come. */
  checkRest(isBetweenTurns: boolean): void {
    const { self, observer, model } = this;
    if (!self.isAlive || self.isFenced) return;
    this.catchUp();
    if (isBetweenTurns) return;
    const { wait, turns } = model;
    observer.check(
      self.setup.real.queueLength === 0 || wait !== undefined,
      'P3',
      () => `${self.label} lets messages wait`,
    );
    observer.check(model.exits === this.exits, 'S11', () => `${self.label} overlooks the end of a child`);
    const isWaiting = wait === undefined || wait.type === 'outcome' || wait.type === 'exit';
    observer.check(isWaiting, 'S2', () => `${self.label} does not go on: ${this.describe()} is due`);
    observer.check(turns.length === 0, 'S13', () => `${self.label} does not try again`);
    observer.check(model.interrupted === undefined, 'S6', () => `${self.label} lets a child in init hold it up`);
    if (wait !== undefined) return;
    observer.check(self.status === 'running', 'S3', () => `${self.label} is ${self.status}`);
    for (const { process, status, setup } of model.children) {
      const isRight = status !== 'running' || process?.isAlive === true;
      observer.check(isRight, 'S5', () => `${setup.label} should run and does not`);
    }
  }

  /** With no timer due, nobody may have had more time than it was given. */
  checkTime(now: number): void {
    for (const retry of this.model.backoffs) {
      const isOpen = retry.child.retry === retry && this.self.isAlive;
      this.observer.check(
        !isOpen || retry.due > now,
        'S13',
        () => `${this.self.label} does not restart after the back-off`,
      );
    }
  }

  private describe(): string {
    const { wait } = this.model;
    if (wait === undefined) return 'nothing';
    if (wait.type === 'spawn') return `the start of ${wait.child.setup.label}`;
    if (wait.type === 'end') return 'its end';
    return `the ${wait.type} of ${wait.process.label}`;
  }
}
