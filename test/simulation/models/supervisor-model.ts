import type { Pid } from '../../../lib/runtime/pid.js';
import type { Item, ProcessModel } from './process-model.js';
import { isCleanModel } from './signal-model.js';

export interface ChildSetup {
  readonly id: string;
  readonly label: string;
  readonly type: 'worker' | 'supervisor';
  readonly name: string | undefined;
  readonly restart: 'permanent' | 'transient' | 'temporary';
  readonly shutdownMs: number | 'brutal_kill';
  readonly significant: boolean;
}

export interface SupervisorSetup {
  readonly label: string;
  readonly strategy: 'one_for_one' | 'one_for_all' | 'rest_for_one';
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly autoShutdown: 'never' | 'any_significant' | 'all_significant';
  readonly backoff: { readonly minMs: number; readonly maxMs: number } | undefined;
  readonly children: readonly ChildSetup[];
}

export class ChildModel {
  status: 'running' | 'stopped' | 'restarting' = 'stopped';
  process: ProcessModel | undefined;
  lastPid: Pid | undefined;
  retry: RetryModel | undefined;
  attempts = 0;
  upSince = 0;

  constructor(readonly setup: ChildSetup) {}
}

/** An attempt that is to come: in a later turn, or after a back-off. */
export interface RetryModel {
  readonly child: ChildModel;
  readonly due: number;
  readonly isCounted: boolean;
}

/** What the supervisor has to do next, or waits for. */
export type Wait =
  | { readonly type: 'spawn'; readonly child: ChildModel; failure: { readonly reason: unknown } | undefined }
  | { readonly type: 'outcome' | 'exit'; readonly process: ProcessModel }
  | { readonly type: 'signal'; readonly child: ChildModel; readonly process: ProcessModel; isSeen: boolean }
  | { readonly type: 'end' };

type Plan = Generator<Wait, void, void>;
type StartOutcome =
  | { readonly status: 'ok' | 'ignore' }
  | { readonly status: 'error'; readonly reason: unknown; readonly isNotTried?: true };

/**
 * A supervisor in words of its own: the rules S3 to S20 as one plan after the other, each a list of things that must be seen to
 * happen next. It is told what was seen, and knows nothing of how the library does it.
 */
export class SupervisorModel {
  children: ChildModel[];
  /** What must be seen next. */
  wait: Wait | undefined;
  isStopQueued = false;
  /** Given up for want of restarts. */
  isExceeded = false;
  expectedExit: { readonly reason: unknown } | undefined;
  hasStarted = false;
  lastStarted: ProcessModel | undefined;
  /** How many ends of its children it has dealt with. */
  exits = 0;
  /** A child in `init` that has to be told of the end of its supervisor. */
  interrupted: ProcessModel | undefined;
  /** Attempts in later turns, as they were asked for; also those that nobody waits for any more. */
  readonly turns: RetryModel[] = [];
  readonly backoffs: RetryModel[] = [];
  /** Of all children there ever were. */
  readonly setups: ChildSetup[];
  private restarts: number[] = [];
  private starting: ChildModel | undefined;
  private plan: Plan | undefined;

  constructor(
    readonly setup: SupervisorSetup,
    private readonly self: ProcessModel,
    private readonly now: () => number,
  ) {
    this.children = setup.children.map((child) => new ChildModel(child));
    this.setups = [...setup.children];
    this.plan = this.init();
    this.next();
  }

  private get isStopping(): boolean {
    return this.isStopQueued || this.self.isFenced;
  }

  /**
   * Takes steps until what has been seen is explained. The supervisor takes its next message when it has its turn, which shows only
   * by what it does then: without a need for that, nothing of the mailbox is taken.
   */
  advance(isExplained: () => boolean, mayTake: () => boolean): void {
    while (!this.self.isFenced && !isExplained()) {
      if (this.plan !== undefined) {
        if (!this.isOver(this.wait)) return;
        this.next();
        continue;
      }
      const item = mayTake() ? this.self.mailbox.shift() : undefined;
      if (item === undefined) return;
      this.self.call = item.kind === 'request' ? item.call : undefined;
      this.plan = this.handle(item);
      this.next();
    }
  }

  /** A request to end has been queued: a child in `init` must not hold it up. */
  stopQueued(): void {
    this.isStopQueued = true;
    if (this.starting?.process?.isAlive === true) this.interrupted = this.starting.process;
  }

  hasRetry(isCounted: boolean): boolean {
    return isCounted ? this.backoffs.some((retry) => retry.child.retry === retry) : this.turns.length > 0;
  }

  /** The attempt that a message stands for. */
  takeRetry(isCounted: boolean): RetryModel | undefined {
    if (!isCounted) return this.turns.shift();
    const due = this.backoffs.filter((retry) => retry.child.retry === retry).sort((a, b) => a.due - b.due)[0];
    if (due !== undefined) this.backoffs.splice(this.backoffs.indexOf(due), 1);
    return due;
  }

  private next(): void {
    const { done, value } = this.plan!.next();
    this.wait = done === true ? undefined : value;
    if (done === true) this.plan = undefined;
  }

  private isOver(wait: Wait | undefined): boolean {
    if (wait === undefined) return true;
    if (wait.type === 'spawn') {
      return wait.child.process !== undefined || wait.failure !== undefined || this.isStopping;
    }
    if (wait.type === 'outcome') return wait.process.status !== 'starting';
    if (wait.type === 'exit') return !wait.process.isAlive;
    if (wait.type === 'signal') return wait.isSeen || !wait.process.isAlive;
    return false;
  }

  // --- plans --------------------------------------------------------------------------------------------------------------

  private *init(): Plan {
    for (const child of [...this.children]) {
      const outcome = yield* this.start(child);
      if (outcome.status === 'error') {
        yield* this.stopAll(this.children);
        const reason = { shutdown: { failedToStartChild: { id: child.setup.id, reason: outcome.reason } } };
        this.self.startFailure = { exit: reason, told: reason };
        this.expectedExit = { reason };
        yield { type: 'end' };
      }
      if (outcome.status === 'ignore' && child.setup.restart === 'temporary') this.forget(child);
    }
    this.hasStarted = true;
  }

  private *handle(item: Item): Plan {
    if (item.kind === 'exit') yield* this.onExit(item.from, item.reason);
    else if (item.kind === 'terminate' || item.kind === 'stop') yield* this.terminate(item.reason);
    else if (item.kind === 'retry') yield* this.onRetry(item.retry as RetryModel | undefined);
    else if (item.kind === 'request') {
      yield* this.onRequest(item);
      this.self.call = undefined;
    }
  }

  private *onExit(from: Pid | undefined, reason: unknown): Plan {
    const child = this.children.find(({ process }) => process !== undefined && process.pid === from);
    if (child === undefined || child.process!.isAlive) return;
    this.exits++;
    child.process = undefined;
    child.status = 'stopped';
    const { backoff } = this.setup;
    if (backoff !== undefined && this.now() - child.upSince > backoff.maxMs) child.attempts = 0;
    const { restart, significant } = child.setup;
    if (restart === 'permanent' || (restart === 'transient' && !isCleanModel(reason))) {
      yield* this.restart(child);
      return;
    }
    if (restart === 'temporary') this.forget(child);
    if (!significant) return;
    const others = this.children.some((other) => other.setup.significant && other.status !== 'stopped');
    if (this.setup.autoShutdown === 'any_significant' || !others) yield* this.terminate('shutdown');
  }

  private *onRetry(retry: RetryModel | undefined): Plan {
    if (retry === undefined || retry.child.retry !== retry || retry.child.status !== 'restarting') return;
    retry.child.retry = undefined;
    if (retry.isCounted) yield* this.startGroup(retry.child);
    else yield* this.restart(retry.child);
  }

  private *restart(failed: ChildModel): Plan {
    const { maxRestarts, withinMs, backoff } = this.setup;
    const now = this.now();
    this.restarts = this.restarts.filter((at) => at >= now - withinMs).concat(now);
    if (this.restarts.length > maxRestarts) {
      this.isExceeded = true;
      yield* this.terminate('shutdown');
    } else if (backoff === undefined) {
      yield* this.startGroup(failed);
    } else {
      const delayMs = Math.min(backoff.maxMs, backoff.minMs * 2 ** failed.attempts);
      failed.attempts++;
      failed.status = 'restarting';
      failed.retry = { child: failed, due: now + delayMs, isCounted: true };
      this.backoffs.push(failed.retry);
      yield* this.stopAll(this.groupOf(failed).filter((child) => child !== failed));
    }
  }

  private groupOf(failed: ChildModel): ChildModel[] {
    if (this.setup.strategy === 'one_for_one') return [failed];
    if (this.setup.strategy === 'one_for_all') return [...this.children];
    return this.children.slice(this.children.indexOf(failed));
  }

  private *startGroup(failed: ChildModel): Plan {
    const group = this.groupOf(failed);
    if (group.length > 1) yield* this.stopAll(group);
    for (const child of group) {
      if (!this.children.includes(child)) continue;
      if (this.isStopping) return;
      const outcome = yield* this.start(child);
      if (outcome.status !== 'error') continue;
      // Its own end came first.
      if (outcome.isNotTried) return;
      child.status = 'restarting';
      child.retry = { child, due: this.now(), isCounted: false };
      this.turns.push(child.retry);
      return;
    }
  }

  private *start(child: ChildModel): Generator<Wait, StartOutcome, void> {
    if (this.isStopping) return { status: 'error', reason: 'shutdown' };
    child.process = undefined;
    const attempt: Wait = { type: 'spawn', child, failure: undefined };
    yield attempt;
    if (attempt.failure !== undefined) return { status: 'error', reason: attempt.failure.reason };
    const process = child.process as ProcessModel | undefined;
    if (process === undefined) return { status: 'error', reason: 'shutdown', isNotTried: true };
    this.lastStarted = process;
    child.lastPid = process.pid;
    this.starting = child;
    yield { type: 'outcome', process };
    this.starting = undefined;
    if (process.hasComeUp) {
      child.status = 'running';
      child.upSince = this.now();
      return { status: 'ok' };
    }
    child.status = 'stopped';
    child.process = undefined;
    const { startFailure } = process;
    if (startFailure === 'ignore') return { status: 'ignore' };
    // A supervisor that is killed while it gives up ends as killed.
    const isKilled = startFailure === undefined || (process.doom !== undefined && process.setup.kind === 'supervisor');
    return { status: 'error', reason: isKilled ? process.exitReason : startFailure.told };
  }

  private *stopAll(children: readonly ChildModel[]): Plan {
    for (const child of [...children].reverse()) {
      const { process } = child;
      child.process = undefined;
      child.status = 'stopped';
      child.retry = undefined;
      if (process?.isAlive === true) {
        yield { type: 'signal', child, process, isSeen: false };
        yield { type: 'exit', process };
      }
      if (child.setup.restart === 'temporary') this.forget(child);
    }
  }

  private *terminate(reason: unknown): Plan {
    yield* this.stopAll(this.children);
    this.expectedExit = { reason };
    yield { type: 'end' };
  }

  private forget(child: ChildModel): void {
    this.children = this.children.filter((other) => other !== child);
  }

  // --- requests -----------------------------------------------------------------------------------------------------------

  private *onRequest({ request, call }: Extract<Item, { kind: 'request' }>): Plan {
    const child = this.children.find(({ setup }) => setup.id === request.id);
    const refuse = (name: string): void => call.expect({ type: 'named', name });
    if (request.type === 'whichChildren') {
      const list = this.children.map(({ setup: { id, type }, process, status }) => ({
        id,
        pid: process?.pid,
        status,
        type,
      }));
      call.expect({ type: 'answer', value: list });
    } else if (request.type === 'startChild') {
      yield* this.add(request.args[0] as ChildSetup, child, call);
    } else if (child === undefined) {
      refuse('CHILD_STATE');
    } else if (request.type === 'terminateChild') {
      yield* this.stopAll([child]);
      call.expect({ type: 'answer', value: undefined });
    } else if (child.status !== 'stopped') {
      refuse('CHILD_STATE');
    } else if (request.type === 'deleteChild') {
      this.forget(child);
      call.expect({ type: 'answer', value: undefined });
    } else {
      child.attempts = 0;
      const outcome = yield* this.start(child);
      if (outcome.status === 'error') refuse('CHILD_START_FAILED');
      else call.expect({ type: 'answer', value: child.process?.pid });
    }
  }

  private *add(
    setup: ChildSetup,
    present: ChildModel | undefined,
    call: Extract<Item, { kind: 'request' }>['call'],
  ): Plan {
    if (present !== undefined) {
      const isUp = present.status !== 'restarting' && present.process !== undefined;
      call.expect({ type: 'named', name: isUp ? 'ALREADY_STARTED' : 'CHILD_STATE' });
      return;
    }
    const child = new ChildModel(setup);
    this.setups.push(setup);
    this.children.push(child);
    const outcome = yield* this.start(child);
    if (outcome.status === 'error') {
      this.forget(child);
      call.expect({ type: 'named', name: 'CHILD_START_FAILED' });
      return;
    }
    if (outcome.status === 'ignore' && setup.restart === 'temporary') this.forget(child);
    call.expect({ type: 'answer', value: child.process?.pid });
  }
}
