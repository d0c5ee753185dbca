import { markAsHandle } from '../../runtime/isolation/handle.js';
import { CallbackDeadline } from '../../runtime/time/callback-deadline.js';
import { INFO_ENVELOPE } from '../../runtime/mailbox/envelope.js';
import { assertDurationMs } from '../../runtime/errors.js';
import { link, linkToParent, unlink } from '../../runtime/relations/links.js';
import { Down } from '../../runtime/exits/messages.js';
import { demonitor, monitor, watch } from '../../runtime/relations/monitors.js';
import { Pid, type Ref } from '../../runtime/pid.js';
import type { Runtime } from '../../runtime/runtime.js';
import { NoProcessError, TaskExitError, TaskOwnerError, TaskTimeoutError } from '../errors.js';
import type { GenServerProcess } from '../process/gen-server-process.js';
import { TaskResult } from '../results/messages.js';
import { type ProcessHandle, serverOf } from '../process/process-handle.js';
import { beginWork, endWork } from '../process/quiet-time.js';
import { type TaskFunction, type TaskOutcome, TaskProcess, type Thrown } from './task-process.js';
import {
  type StreamInput,
  streamTasks,
  type TaskControl,
  type TaskStreamOptions,
  type TaskStreamOutcome,
} from './task-stream.js';

/** How long a task is awaited when nobody says otherwise (K10). */
const DEFAULT_AWAIT_MS = 5_000;
const DEFAULT_SHUTDOWN_MS = 5_000;

/** Who a task hangs together with. */
export interface TaskRelations {
  /** The process that gets the result; null for code outside of any. */
  readonly owner: GenServerProcess | null;
  /** Whether the abnormal end of one is the end of the other. Default: false. */
  readonly isLinked?: boolean;
  /** Whether it is stopped when its owner ends, also with reason `'normal'`. Default: false. */
  readonly endsWithOwner?: boolean;
  readonly supervisor?: TaskParent;
}

/** A supervisor of tasks. */
export interface TaskParent {
  readonly process: GenServerProcess;
  add(task: TaskProcess): void;
  remove(task: TaskProcess): void;
}

/** The end of a task, with what was thrown where something was. */
interface End<T> {
  readonly outcome: TaskOutcome<T>;
  readonly thrown: Thrown | null;
}

/**
 * A task that was started: a process that runs one function, and the way to its result. As in OTP only the process that started it
 * may ask for that; others who are noticed get a `TaskOwnerError`.
 *
 * It can be awaited like a promise, and then waits as long as it takes. Unlike in OTP a result does not go away by being taken:
 * awaiting twice gives the same twice (K10). A failure rejects with what the function threw, and with `TaskExitError` when the task
 * was ended otherwise; it is never an unhandled rejection unless somebody asked for the result and did not handle that. A `then`
 * without a second argument is dropped in silence when the owner has ended, since there is nobody to tell.
 *
 * Beware of returning one from an `async` function: like every thenable it is awaited there.
 *
 * @publicApi
 */
export class Task<T> implements PromiseLike<T> {
  readonly pid: Pid;
  /** What `TaskResult` and `Down` carry. */
  readonly ref: Ref;

  readonly #runtime: Runtime;
  readonly #owner: GenServerProcess | null;
  /** Null when it was refused. */
  readonly #process: TaskProcess | null;
  readonly #waiters = new Set<(end: End<unknown>) => void>();
  #end: End<T> | null = null;
  /** Somebody wants the result, or has said that nobody does. */
  #isClaimed = false;
  /** The result went into the owner's mailbox. */
  #isSent = false;
  /** The owner must not end for want of work. */
  #needsOwner = false;

  /** @internal */
  constructor(runtime: Runtime, owner: GenServerProcess | null, process: TaskProcess | null) {
    this.#runtime = runtime;
    this.#owner = owner;
    this.#process = process;
    this.pid = process?.pid ?? new Pid(runtime.nextProcessId(), 0);
    if (process === null) {
      this.ref = runtime.newRef();
      const refused = new NoProcessError(owner!.label, 'It has ended, and starts no tasks any more.');
      this.#end = { outcome: { status: 'exit', reason: 'noproc' }, thrown: { value: refused } };
      return;
    }
    this.ref = owner === null ? runtime.newRef() : monitor(owner, process, process.pid);
    this.#needsOwner = owner !== null;
    if (owner !== null) beginWork(owner);
    const isAwaited = (): boolean => this.#isAwaited;
    process.observer = {
      caller: runtime.tracking?.current ?? null,
      get isSettled() {
        return !isAwaited();
      },
      ended: (outcome, thrown) => this.#settle({ outcome: outcome as TaskOutcome<T>, thrown }),
    };
  }

  /**
   * Starts a task that is linked to the process whose `self` is given, and watched by it (K10): when it fails, the process ends with
   * the same reason, unless it traps exits; when the process ends abnormally, so does the task (K11).
   */
  static async<T>(self: ProcessHandle, work: TaskFunction<T>): Task<T> {
    const owner = serverOf(self);
    return startTask(owner.runtime, work, { owner, isLinked: true });
  }

  /** The same without the link: a failure is told to whoever waits for the result, and ends nobody (K11). As `self.task`. */
  static asyncNolink<T>(self: ProcessHandle, work: TaskFunction<T>): Task<T> {
    const owner = serverOf(self);
    return startTask(owner.runtime, work, { owner, endsWithOwner: true });
  }

  /**
   * The results of several tasks, in the order in which they are given. Rejects as soon as one fails, or with `TaskTimeoutError` when
   * `timeoutMs` milliseconds were not enough for all; the others go on. Default: 5 000 ms; `Infinity` waits for ever.
   */
  static async awaitMany<T extends readonly Task<unknown>[]>(
    tasks: T,
    timeoutMs: number = DEFAULT_AWAIT_MS,
  ): Promise<{ -readonly [K in keyof T]: T[K] extends Task<infer R> ? R : never }> {
    return (await Promise.all(tasks.map((task) => task.await(timeoutMs)))) as never;
  }

  /**
   * Runs `work` on every item of `input`, so many at a time, and gives how each ended: in the order of the input unless `ordered` is
   * false (K13). Nothing is started, and nothing taken from the input, before the first result is asked for nor while nobody asks for
   * the next. Leaving the loop stops what is running, and so does the end of the process; what `input` throws stops it and is thrown.
   *
   * The tasks are linked, so a failure ends the process unless it traps exits; then it is an outcome as any other.
   *
   * @throws {TaskTimeoutError} A task took longer than `timeoutMs`, and `onTimeout` is `'exit'`. All tasks were stopped.
   */
  static asyncStream<I, T>(
    self: ProcessHandle,
    input: StreamInput<I>,
    work: (item: I, signal: AbortSignal) => T | PromiseLike<T>,
    options: TaskStreamOptions = {},
  ): AsyncIterableIterator<TaskStreamOutcome<I, T>> {
    const owner = serverOf(self);
    const relations = { owner, isLinked: !owner.trapsExits, endsWithOwner: true };
    return streamTasks(owner.runtime, owner, input, options, (item) =>
      Task.controlOf(startTask(owner.runtime, (signal) => work(item, signal), relations)),
    );
  }

  /** A task in the hands of who started it on behalf of its owner: nobody else will ask for the result. @internal */
  static controlOf<T>(task: Task<T>): TaskControl<T> {
    task.#claim();
    return {
      pid: task.pid,
      onEnd: (tell) => {
        if (task.#end === null) task.#waiters.add(({ outcome }) => tell(outcome as TaskOutcome<T>));
        else tell(task.#end.outcome);
      },
      kill: async () => {
        if (task.#end !== null) return;
        task.#release();
        task.#process!.signal('kill', null, true);
        await task.#whenEnded();
      },
    };
  }

  then<R1 = T, R2 = never>(
    onDone?: ((value: T) => R1 | PromiseLike<R1>) | null,
    onFail?: ((thrown: unknown) => R2 | PromiseLike<R2>) | null,
  ): Promise<R1 | R2> {
    const stranger = this.#findStranger();
    if (stranger !== undefined) return Promise.reject<T>(stranger).then(onDone, onFail);
    this.#claim();
    return this.#whenEnded()
      .then((end) => {
        if (end.outcome.status === 'ok') return end.outcome.value;
        if (this.#owner?.isFenced === true && typeof onFail !== 'function') return new Promise<T>(() => undefined);
        throw this.#errorOf(end);
      })
      .then(onDone, onFail);
  }

  /**
   * Waits for the result, for `timeoutMs` milliseconds at most. Default: 5 000; `Infinity` waits for ever.
   *
   * @throws {TaskTimeoutError} It took longer. The task goes on, and its result is dropped unless somebody asks for it (K10).
   * @throws {TaskExitError} The task was ended before it gave a result.
   * @throws {TaskOwnerError} The task was started by another process than the one that runs.
   */
  async await(timeoutMs: number = DEFAULT_AWAIT_MS): Promise<T> {
    assertDurationMs(timeoutMs, 'timeoutMs of await', true);
    this.#refuseStrangers();
    this.#claim();
    const end = await this.#endWithin(timeoutMs);
    if (end === undefined) throw new TaskTimeoutError(this.#label, timeoutMs);
    if (end.outcome.status === 'ok') return end.outcome.value;
    throw this.#errorOf(end);
  }

  /**
   * Waits for the end, for `timeoutMs` milliseconds at most, and gives how it ended; undefined when it goes on. May be repeated; 0
   * only looks (K12). A result that comes later, when nobody asks, goes to the owner as a message. Default: 5 000.
   */
  async yield(timeoutMs: number = DEFAULT_AWAIT_MS): Promise<TaskOutcome<T> | undefined> {
    assertDurationMs(timeoutMs, 'timeoutMs of yield', true);
    this.#refuseStrangers();
    const end = await this.#endWithin(timeoutMs);
    return end?.outcome;
  }

  /**
   * Stops the task and resolves when it is gone: with undefined, or with its outcome when it had ended otherwise before (K12). The
   * owner is not taken down. Tasks do not trap exits, so they end at once and never use up the time that OTP would give them;
   * `'brutal_kill'` differs in the reason that others see.
   */
  async shutdown(limit: number | 'brutal_kill' = DEFAULT_SHUTDOWN_MS): Promise<TaskOutcome<T> | undefined> {
    if (limit !== 'brutal_kill') assertDurationMs(limit, 'The time of shutdown', true);
    this.#refuseStrangers();
    this.#claim();
    const isKill = limit === 'brutal_kill';
    if (this.#end === null) {
      this.#release();
      this.#process!.signal(isKill ? 'kill' : 'shutdown', null, isKill);
    }
    const { outcome } = await this.#whenEnded();
    const isAsAsked = outcome.status === 'exit' && outcome.reason === (isKill ? 'killed' : 'shutdown');
    return isAsAsked ? undefined : outcome;
  }

  /**
   * Lets the task go on without us: it is not linked any more, and nobody is told how it ends. Gives the outcome when it has ended
   * already (K12).
   */
  ignore(): TaskOutcome<T> | undefined {
    this.#refuseStrangers();
    this.#claim();
    if (this.#end === null) {
      this.#release();
      if (this.#process!.leash === null) this.#letOwnerGo();
    }
    return this.#end?.outcome;
  }

  get #isAwaited(): boolean {
    return this.#isClaimed || this.#waiters.size > 0;
  }

  /** A promise has no caller to compare with the owner, so this sees only whose handler is running right now. */
  #findStranger(): TaskOwnerError | undefined {
    const running = this.#runtime.current ?? this.#runtime.tracking?.current?.process ?? null;
    // A task speaks for whom it works for.
    const caller = running instanceof TaskProcess ? running.owner : running;
    if (this.#owner === null || caller === null || caller === this.#owner) return undefined;
    return new TaskOwnerError(this.#label, this.#owner.label, caller.label);
  }

  /** For errors: most tasks have none. */
  get #label(): string {
    return `Task ${this.pid.toString()}${this.#owner === null ? '' : ` of ${this.#owner.label}`}`;
  }

  #refuseStrangers(): void {
    const stranger = this.#findStranger();
    if (stranger !== undefined) throw stranger;
  }

  #claim(): void {
    this.#isClaimed = true;
    this.#takeBack();
  }

  /** Takes out of the owner's mailbox what nobody seemed to wait for, as a receive for it would. */
  #takeBack(): void {
    if (!this.#isSent) return;
    this.#isSent = false;
    this.#owner!.forgetMessage(this.ref, (message) => message instanceof TaskResult);
    this.#owner!.forgetMessage(this.ref, (message) => message instanceof Down);
  }

  #release(): void {
    if (this.#owner === null) return;
    unlink(this.#owner, this.#process!);
    demonitor(this.#owner, this.ref);
  }

  #settle(end: End<T>): void {
    this.#end = end;
    const owner = this.#owner;
    if (owner !== null) {
      if (this.#isAwaited) {
        demonitor(owner, this.ref);
      } else {
        // The Down comes from the monitor, right after this.
        this.#isSent = true;
        if (end.outcome.status === 'ok') owner.deliver(INFO_ENVELOPE, new TaskResult(this.ref, end.outcome.value));
      }
    }
    this.#letOwnerGo();
    for (const tell of this.#waiters) tell(end);
    this.#waiters.clear();
  }

  #letOwnerGo(): void {
    if (!this.#needsOwner) return;
    this.#needsOwner = false;
    endWork(this.#owner!);
  }

  #whenEnded(): Promise<End<T>> {
    if (this.#end !== null) return Promise.resolve(this.#end);
    return new Promise((resolve) => {
      this.#waiters.add(resolve as (end: End<unknown>) => void);
    });
  }

  #endWithin(timeoutMs: number): Promise<End<T> | undefined> {
    this.#takeBack();
    if (this.#end !== null) return Promise.resolve(this.#end);
    if (timeoutMs === 0) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const patience = new CallbackDeadline(() => {
        this.#waiters.delete(tell);
        resolve(undefined);
      });
      const tell = (end: End<unknown>): void => {
        patience.cancel();
        resolve(end as End<T>);
      };
      this.#waiters.add(tell);
      this.#runtime.deadlines.add(patience, timeoutMs);
    });
  }

  #errorOf({ outcome, thrown }: End<T>): unknown {
    if (thrown !== null) return thrown.value;
    const { reason } = outcome as { readonly reason: unknown };
    return new TaskExitError(this.#label, this.#runtime.redaction.reason(reason));
  }
}

markAsHandle(Task.prototype);

/** Starts a task with the relations that are asked for. An owner that has ended gets one that was refused. */
export function startTask<T>(runtime: Runtime, work: TaskFunction<T>, relations: TaskRelations): Task<T> {
  const { owner, supervisor, isLinked = false, endsWithOwner = false } = relations;
  if (owner?.isFenced === true) return new Task<T>(runtime, owner, null);
  const process = new TaskProcess(runtime, supervisor?.process ?? owner, owner, work);
  if (supervisor !== undefined) {
    linkToParent(process);
    supervisor.add(process);
    process.onGone = () => supervisor.remove(process);
    if (isLinked) link(owner!, process);
  } else if (isLinked) {
    linkToParent(process);
  }
  if (endsWithOwner) process.leash = watch(owner!, () => process.die('shutdown'));
  runtime.add(process);
  const task = new Task<T>(runtime, owner, process);
  process.begin();
  return task;
}
