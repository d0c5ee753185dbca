import { type ExitReason, reasonOfThrown } from '../../runtime/exits/exit-reason.js';
import { unlink } from '../../runtime/relations/links.js';
import type { Monitor } from '../../runtime/relations/relations.js';
import type { RuntimeEvent } from '../../runtime/ports.js';
import type { Pid } from '../../runtime/pid.js';
import { Process } from '../../runtime/process.js';
import type { Runtime } from '../../runtime/runtime.js';
import { Activation, type Awaited } from '../../runtime/tracking.js';
import { isThenable, whenSettled } from '../results/thenable.js';

/**
 * What a task runs. `signal` fires when the task is stopped before it is done: hand it to `fetch` and the like. A function that
 * does not look at it is abandoned all the same: what it still gives, or throws, is nobody's any more.
 *
 * @publicApi
 */
export type TaskFunction<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/**
 * How a task ended: with a value, or with the reason that it had instead of one.
 *
 * @publicApi
 */
export type TaskOutcome<T> =
  { readonly status: 'ok'; readonly value: T } | { readonly status: 'exit'; readonly reason: ExitReason };

/** What the function of a task threw. It took the task down with it. */
export interface TaskCrashed extends RuntimeEvent {
  readonly type: 'task.crashed';
  readonly pid: Pid;
  readonly label: string;
  readonly reason: ExitReason;
  /** What was thrown. */
  readonly cause: unknown;
  /** Whether somebody waits for the result, and so learns of it. */
  readonly isAwaited: boolean;
}

/** What was thrown, apart from `undefined` that was not. */
export interface Thrown {
  readonly value: unknown;
}

/** Who is told how a task ended. To those who follow the calls of processes, it is what the task was asked for. */
export interface TaskObserver extends Awaited {
  /** Told once, before links and monitors are. */
  ended(outcome: TaskOutcome<unknown>, thrown: Thrown | null): void;
}

/**
 * A process that runs one function and ends: `'normal'` when it gave a value, else with what it threw. It reads no messages and
 * traps nothing, so any exit signal but `'normal'` ends it in the middle of its function.
 */
export class TaskProcess extends Process {
  /** A watch of its own that ends with it. */
  leash: Monitor | null = null;
  /** Called when it has ended, by whom it should be forgotten. */
  onGone: (() => void) | null = null;
  observer!: TaskObserver;

  private readonly controller = new AbortController();
  private outcome: TaskOutcome<unknown> | null = null;
  private thrown: Thrown | null = null;
  /** The function has returned or thrown. */
  private isDone = false;

  constructor(
    runtime: Runtime,
    parent: Process | null,
    /** Whose it is; null when it was started by code outside of any process. */
    readonly owner: Process | null,
    private work: TaskFunction<unknown> | null,
  ) {
    super(runtime, runtime.nextProcessId(), 0, parent);
    this.status = 'running';
  }

  get label(): string {
    return this.owner === null ? 'Task' : `Task of ${this.owner.label}`;
  }

  /**
   * Lets the function run in the loop. Not before whoever started it is done with the statement at hand: who awaits the task there
   * is heard before it ends, however soon that is.
   */
  begin(): void {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => {
        if (this.isAlive) this.becomeReady();
      });
  }

  /** Tasks have no mailbox to read. */
  override deliver(): void {}

  /** Crashes the task, because code that its function left running failed and no code caught the error. */
  crashByStrayError(thrown: unknown): void {
    if (this.isFenced) return;
    this.thrown = { value: thrown };
    this.reportCrash(reasonOfThrown(thrown), thrown);
    this.die(reasonOfThrown(thrown));
  }

  protected runContinuation(): void {
    this.hasContinuation = false;
    this.isBusy = true;
    const { runtime } = this;
    const work = this.work!;
    this.work = null;
    let result: unknown;
    try {
      const { signal } = this.controller;
      result =
        runtime.tracking === null
          ? runtime.runAs(this, work, signal)
          : runtime.tracking.run(new Activation(this, this.observer), () => runtime.runAs(this, work, signal));
    } catch (thrown) {
      this.fail(thrown);
      return;
    }
    if (!isThenable(result)) {
      this.complete(result);
      return;
    }
    whenSettled(
      result,
      (value) => this.inLoop(() => this.complete(value)),
      (thrown) => this.inLoop(() => this.fail(thrown)),
    );
  }

  protected receive(): void {}

  protected discard(): void {}

  protected onEnd(reason: ExitReason): void {
    this.activation = null;
    this.work = null;
    const outcome = this.outcome ?? ({ status: 'exit', reason } as const);
    if (!this.isDone) this.controller.abort(reason);
    this.leash?.stop();
    if (this.onGone !== null) {
      // Its supervisor looks after it in this way, and wants no message about every task that is done.
      unlink(this.parent!, this);
      this.onGone();
    }
    this.observer.ended(outcome, this.thrown);
  }

  private complete(value: unknown): void {
    // It may have ended itself, by a signal.
    if (this.isFenced) return;
    this.isDone = true;
    this.outcome = { status: 'ok', value };
    this.end('normal');
  }

  private fail(thrown: unknown): void {
    if (this.isFenced) return;
    this.isDone = true;
    this.thrown = { value: thrown };
    const reason = reasonOfThrown(thrown);
    this.reportCrash(reason, thrown);
    this.end(reason);
  }

  private reportCrash(reason: ExitReason, cause: unknown): void {
    if (!this.runtime.events.wants('task.crashed')) return;
    const isAwaited = !this.observer.isSettled;
    const event: TaskCrashed = { type: 'task.crashed', pid: this.pid, label: this.label, reason, cause, isAwaited };
    this.runtime.events.emit(event);
  }
}
