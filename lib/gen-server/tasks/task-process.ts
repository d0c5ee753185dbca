import { type ExitReason, reasonOfThrown } from '../../runtime/exits/exit-reason.js';
import { unlink } from '../../runtime/relations/links.js';
import type { Monitor } from '../../runtime/relations/relations.js';
import type { RuntimeEvent } from '../../runtime/ports.js';
import type { Pid } from '../../runtime/pid.js';
import { Process } from '../../runtime/process.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { Awaited } from '../../runtime/tracking.js';
import { isThenable, whenSettled } from '../results/thenable.js';

/**
 * The function that a task runs. `signal` fires if the task is stopped before the function has finished: pass it to `fetch` and the like. A
 * function that ignores the signal keeps running, but its result or error is dropped.
 *
 * @publicApi
 */
export type TaskFunction<T> = (signal: AbortSignal) => T | PromiseLike<T>;

/**
 * How a task ended: with the value that its function returned, or with an exit reason.
 *
 * @publicApi
 */
export type TaskOutcome<T> =
  { readonly status: 'ok'; readonly value: T } | { readonly status: 'exit'; readonly reason: ExitReason };

/** The function of a task threw, which ended the task. */
export interface TaskCrashed extends RuntimeEvent {
  readonly type: 'task.crashed';
  readonly pid: Pid;
  readonly label: string;
  readonly reason: ExitReason;
  /** The thrown value. */
  readonly cause: unknown;
  /** Whether code waits for the result, and so gets the error. */
  readonly isAwaited: boolean;
}

/** A thrown value. In an object, because `undefined` can be thrown too. */
export interface Thrown {
  readonly value: unknown;
}

/** Learns how a task ended. For tracking, it is the request that the task works on. */
export interface TaskObserver extends Awaited {
  /** Called once, before links and monitors are told. */
  ended(outcome: TaskOutcome<unknown>, thrown: Thrown | null): void;
}

/**
 * A process that runs one function and ends: with reason `'normal'` if the function returned, else with what it threw. It reads no messages
 * and does not trap exits, so any exit signal except `'normal'` ends it, even in the middle of its function.
 */
export class TaskProcess extends Process {
  /** The monitor on the owner, for a task that ends with its owner. */
  ownerMonitor: Monitor | null = null;
  /** Removes the task from its supervisor; called when the task has ended. */
  onGone: (() => void) | null = null;

  private readonly controller = new AbortController();
  private outcome: TaskOutcome<unknown> | null = null;
  private thrown: Thrown | null = null;
  /** The function has returned or thrown. */
  private isDone = false;

  constructor(
    runtime: Runtime,
    parent: Process | null,
    /** The process that started the task; null for code outside of any process. */
    readonly owner: Process | null,
    private work: TaskFunction<unknown> | null,
    private readonly observer: TaskObserver,
  ) {
    super(runtime, runtime.nextProcessId(), 0, parent);
    this.status = 'running';
  }

  get label(): string {
    return this.owner === null ? 'Task' : `Task of ${this.owner.label}`;
  }

  /** @internal */
  override get awaited(): Awaited {
    return this.observer;
  }

  /**
   * Runs the function in the loop, two microtasks later: code that awaits the task in the same statement that starts it is then already
   * waiting, however soon the task ends.
   */
  begin(): void {
    void Promise.resolve()
      .then(() => undefined)
      .then(() => {
        if (this.isAlive) this.becomeReady();
      });
  }

  /** Tasks read no messages. */
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
          : runtime.tracking.run(this, () => runtime.runAs(this, work, signal));
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
    this.ownerMonitor?.stop();
    if (this.onGone !== null) {
      // The supervisor learns of the end from this callback, and needs no exit message for each task.
      unlink(this.parent!, this);
      this.onGone();
    }
    this.observer.ended(outcome, this.thrown);
  }

  private complete(value: unknown): void {
    // The function may have ended its own task with an exit signal.
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
