import { markAsHandle } from '../../runtime/isolation/handle.js';
import { CallbackDeadline } from '../../runtime/time/callback-deadline.js';
import { INFO_ENVELOPE } from '../../runtime/mailbox/envelope.js';
import { assertDurationMs } from '../../runtime/errors.js';
import { link, linkToParent, unlink } from '../../runtime/relations/links.js';
import { Down } from '../../runtime/exits/messages.js';
import { demonitor, monitor, watch } from '../../runtime/relations/monitors.js';
import { Pid, type Ref } from '../../runtime/pid.js';
import type { Runtime } from '../../runtime/runtime.js';
import { isInstanceOf } from '../../runtime/secrets/inspect-safely.js';
import { NoProcessError, TaskExitError, TaskOwnerError, TaskTimeoutError } from '../errors.js';
import type { GenServerProcess } from '../process/gen-server-process.js';
import { TaskResult } from '../results/messages.js';
import { type ProcessHandle, serverOf } from '../process/process-handle.js';
import { beginWork, endWork } from '../process/quiet-time.js';
import { type TaskFunction, type TaskObserver, type TaskOutcome, TaskProcess, type Thrown } from './task-process.js';
import {
  type StreamInput,
  streamTasks,
  type TaskControl,
  type TaskStreamOptions,
  type TaskStreamOutcome,
} from './task-stream.js';

/** How long to wait for a task by default (K10). */
const DEFAULT_AWAIT_MS = 5_000;
const DEFAULT_SHUTDOWN_MS = 5_000;

/** The processes that a task is related to, and how. */
export interface TaskRelations {
  /** The process that gets the result; null for code outside of any process. */
  readonly owner: GenServerProcess | null;
  /** Whether the task and its owner are linked. Default: false. */
  readonly isLinked?: boolean;
  /** Whether the task is stopped when its owner ends, even with reason `'normal'`. Default: false. */
  readonly endsWithOwner?: boolean;
  readonly supervisor?: TaskParent;
}

/** A supervisor of tasks. */
export interface TaskParent {
  readonly process: GenServerProcess;
  add(task: TaskProcess): void;
  remove(task: TaskProcess): void;
}

/** The end of a task, with the thrown value if its function threw. */
interface End<T> {
  readonly outcome: TaskOutcome<T>;
  readonly thrown: Thrown | null;
}

/**
 * A running task: a process that runs one function, and access to its result. As in OTP, only the process that started the task may ask for
 * the result; a call from another known process gets a `TaskOwnerError`.
 *
 * A task can be awaited like a promise, without a timeout. Unlike in OTP, awaiting does not consume the result: awaiting twice gives the
 * same result twice (K10). If the function threw, the result is that error; if the task was ended otherwise, a `TaskExitError`. It becomes
 * an unhandled rejection only if code asked for the result and did not handle the failure. A `then` without a second argument never settles
 * if the owner has ended, because no process is left to handle the failure.
 *
 * Do not return a task from an `async` function to its caller: like every thenable, it is awaited there.
 *
 * @publicApi
 */
export class Task<T> implements PromiseLike<T> {
  readonly pid: Pid;
  /** The reference in the `TaskResult` and `Down` messages of this task. */
  readonly ref: Ref;

  readonly #runtime: Runtime;
  readonly #owner: GenServerProcess | null;
  /** Null if the task was refused because its owner had ended. */
  readonly #process: TaskProcess | null;
  readonly #waiters = new Set<(end: End<unknown>) => void>();
  #end: End<T> | null = null;
  /** Code asked for the result, or declared that it does not want it: either way, no message is sent. */
  #isClaimed = false;
  /** The result was sent to the owner's mailbox. */
  #isSent = false;
  /** The task keeps its owner from becoming idle. */
  #needsOwner = false;

  /**
   * `spawn` makes the process that tells this task how it ended; null refuses the task.
   *
   * @internal
   */
  constructor(
    runtime: Runtime,
    owner: GenServerProcess | null,
    spawn: ((observer: TaskObserver) => TaskProcess) | null,
  ) {
    this.#runtime = runtime;
    this.#owner = owner;
    if (spawn === null) {
      this.#process = null;
      this.pid = new Pid(runtime.nextProcessId(), 0);
      this.ref = runtime.newRef();
      const refused = new NoProcessError(owner!.label, 'It has ended, so it can start no tasks.');
      this.#end = { outcome: { status: 'exit', reason: 'noproc' }, thrown: { value: refused } };
      return;
    }
    const isAwaited = (): boolean => this.#isAwaited;
    const process = spawn({
      caller: runtime.tracking?.current ?? null,
      get isSettled() {
        return !isAwaited();
      },
      ended: (outcome, thrown) => this.#settle({ outcome: outcome as TaskOutcome<T>, thrown }),
    });
    this.#process = process;
    this.pid = process.pid;
    this.ref = owner === null ? runtime.newRef() : monitor(owner, process, process.pid);
    this.#needsOwner = owner !== null;
    if (owner !== null) beginWork(owner);
    process.begin();
  }

  /**
   * Starts a task that is linked to, and monitored by, the process with the given `self` (K10). If the task fails, the process ends with
   * the same reason, unless it traps exits; if the process ends abnormally, so does the task (K11).
   */
  static async<T>(self: ProcessHandle, work: TaskFunction<T>): Task<T> {
    const owner = serverOf(self);
    return startTask(owner.runtime, work, { owner, isLinked: true });
  }

  /**
   * Like {@link async}, without the link: a failure goes to the code that waits for the result, and does not end the process (K11). The
   * task is stopped when the process ends. The same as `self.task`.
   */
  static asyncNolink<T>(self: ProcessHandle, work: TaskFunction<T>): Task<T> {
    const owner = serverOf(self);
    return startTask(owner.runtime, work, { owner, endsWithOwner: true });
  }

  /**
   * Waits for several tasks, and resolves to their results in the order of `tasks`. Rejects as soon as one fails, or with
   * `TaskTimeoutError` if they take longer than `timeoutMs` milliseconds; the other tasks go on. Default: 5 000; `Infinity` waits for ever.
   */
  static async awaitMany<T extends readonly Task<unknown>[]>(
    tasks: T,
    timeoutMs: number = DEFAULT_AWAIT_MS,
  ): Promise<{ -readonly [K in keyof T]: T[K] extends Task<infer R> ? R : never }> {
    return (await Promise.all(tasks.map((task) => task.await(timeoutMs)))) as never;
  }

  /**
   * Runs `work` on every item of `input`, at most `maxConcurrency` at a time, and yields the outcome of each: in the order of the input,
   * unless `ordered` is false (K13). Nothing is taken from the input, and no task is started, until the reader asks for the first outcome;
   * a reader that pauses holds back the input. Leaving the loop stops the running tasks, and so does the end of the process. An error
   * thrown by `input` stops the tasks and ends the stream with that error.
   *
   * The tasks are linked, so a failure ends the process, unless it traps exits: then a failure is an outcome like any other.
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

  /** The control of a task by the library code that started it for its owner. Claims the result, so no message is sent. @internal */
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
   * Waits for the result, for `timeoutMs` milliseconds at most. Default: 5 000; `Infinity` waits for ever. If the function of the task
   * threw, rejects with that error.
   *
   * @throws {TaskTimeoutError} It took longer. The task goes on, and its result is dropped unless code asks for it again (K10).
   * @throws {TaskExitError} The task was ended before its function returned.
   * @throws {TaskOwnerError} The calling process is not the owner of the task. The task goes on.
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
   * Waits for the end of the task, for `timeoutMs` milliseconds at most. Resolves to the outcome, or to undefined if the task still runs.
   * It may be called repeatedly; 0 checks without waiting (K12). If the task ends later while no code waits, the owner gets the result as a
   * message. Default: 5 000.
   *
   * @throws {TaskOwnerError} The calling process is not the owner of the task.
   */
  async yield(timeoutMs: number = DEFAULT_AWAIT_MS): Promise<TaskOutcome<T> | undefined> {
    assertDurationMs(timeoutMs, 'timeoutMs of yield', true);
    this.#refuseStrangers();
    const end = await this.#endWithin(timeoutMs);
    return end?.outcome;
  }

  /**
   * Stops the task, and resolves when it has ended: to undefined, or to its outcome if it had already ended in another way (K12). The owner
   * goes on. Tasks do not trap exits, so they end at once, and a `limit` in milliseconds is never used up. With `'brutal_kill'` the exit
   * reason is `'killed'` instead of `'shutdown'`.
   *
   * @throws {TaskOwnerError} The calling process is not the owner of the task. The task goes on.
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
   * Detaches the task from its owner: the task goes on, the link is removed, and its outcome is not reported. Returns the outcome if the
   * task has already ended, else undefined (K12).
   *
   * @throws {TaskOwnerError} The calling process is not the owner of the task.
   */
  ignore(): TaskOutcome<T> | undefined {
    this.#refuseStrangers();
    this.#claim();
    if (this.#end === null) {
      this.#release();
      if (this.#process!.ownerMonitor === null) this.#releaseOwner();
    }
    return this.#end?.outcome;
  }

  get #isAwaited(): boolean {
    return this.#isClaimed || this.#waiters.size > 0;
  }

  /** The error if a process other than the owner asks. Only a process whose handler is running now, or is tracked, is known. */
  #findStranger(): TaskOwnerError | undefined {
    const running = this.#runtime.current ?? this.#runtime.tracking?.current?.process ?? null;
    // A task acts on behalf of its owner.
    const caller = running instanceof TaskProcess ? running.owner : running;
    if (this.#owner === null || caller === null || caller === this.#owner) return undefined;
    return new TaskOwnerError(this.#label, this.#owner.label, caller.label);
  }

  /** The name of the task in errors. Computed on demand, because most tasks have none. */
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

  /**
   * Removes the messages with the result from the owner's mailbox, as a selective receive in OTP would, because code asks for it after all.
   */
  #takeBack(): void {
    if (!this.#isSent) return;
    this.#isSent = false;
    this.#owner!.forgetMessage(this.ref, (message) => isInstanceOf(message, TaskResult));
    this.#owner!.forgetMessage(this.ref, (message) => isInstanceOf(message, Down));
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
    this.#releaseOwner();
    for (const tell of this.#waiters) tell(end);
    this.#waiters.clear();
  }

  /** Lets the owner become idle again. */
  #releaseOwner(): void {
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
      const deadline = new CallbackDeadline(() => {
        this.#waiters.delete(tell);
        resolve(undefined);
      });
      const tell = (end: End<unknown>): void => {
        deadline.cancel();
        resolve(end as End<T>);
      };
      this.#waiters.add(tell);
      this.#runtime.deadlines.add(deadline, timeoutMs);
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
  return new Task<T>(runtime, owner, (observer) => {
    const process = new TaskProcess(runtime, supervisor?.process ?? owner, owner, work, observer);
    if (supervisor !== undefined) {
      linkToParent(process);
      supervisor.add(process);
      process.onGone = () => supervisor.remove(process);
      if (isLinked) link(owner!, process);
    } else if (isLinked) {
      linkToParent(process);
    }
    if (endsWithOwner) process.ownerMonitor = watch(owner!, () => process.die('shutdown'));
    runtime.add(process);
    return process;
  });
}
