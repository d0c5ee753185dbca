import { availableParallelism } from 'node:os';
import { Deadline } from '../../runtime/time/deadline.js';
import { assertDurationMs, InvalidArgumentError } from '../../runtime/errors.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { watch } from '../../runtime/relations/monitors.js';
import { print } from '../../runtime/secrets/print.js';
import type { Pid } from '../../runtime/pid.js';
import type { Runtime } from '../../runtime/runtime.js';
import { NoProcessError, TaskTimeoutError } from '../errors.js';
import type { GenServerProcess } from '../process/gen-server-process.js';
import type { TaskOutcome } from './task-process.js';
import { whenSettled } from '../results/thenable.js';

/** As many tasks as the machine can run in parallel. More make sense for tasks that wait for I/O. */
const DEFAULT_CONCURRENCY = availableParallelism();
const DEFAULT_TIMEOUT_MS = 5_000;

/** The input of a stream of tasks. */
export type StreamInput<I> = Iterable<I> | AsyncIterable<I>;

/**
 * The options of `asyncStream` (K13). An invalid one throws `InvalidArgumentError`.
 *
 * @publicApi
 */
export interface TaskStreamOptions {
  /** How many tasks may run at a time: a whole number, 1 or more, or `Infinity`. Default: the number of processors of the machine. */
  readonly maxConcurrency?: number | undefined;
  /**
   * Whether outcomes come in the order of the input; those that are ready early wait in memory. With false, each comes as soon as it is
   * ready. Default: true.
   */
  readonly ordered?: boolean | undefined;
  /** How long each task may take, in milliseconds, 0 or more. `Infinity` waits for ever. Default: 5 000. */
  readonly timeoutMs?: number | undefined;
  /**
   * What happens when a task takes too long: `'exit'` stops all tasks and ends the stream with `TaskTimeoutError`; `'kill_task'` kills that
   * task only, whose outcome is then the exit reason `'timeout'`. Default: `'exit'`.
   */
  readonly onTimeout?: 'exit' | 'kill_task' | undefined;
  /** Whether the outcome of a failed task includes its `input`. Default: false. */
  readonly zipInputOnExit?: boolean | undefined;
}

/**
 * How one task of a stream ended. `input` is the item of the task, present with `zipInputOnExit`.
 *
 * @publicApi
 */
export type TaskStreamOutcome<I, T> =
  | { readonly status: 'ok'; readonly value: T }
  | { readonly status: 'exit'; readonly reason: ExitReason; readonly input?: I };

/** A task as the stream that started it controls it. */
export interface TaskControl<T> {
  readonly pid: Pid;
  /** Calls `tell` with the outcome in the turn in which the task ends; at once if it has ended. */
  onEnd(tell: (outcome: TaskOutcome<T>) => void): void;
  /** Kills the task without ending its owner, and resolves when the task has ended. */
  kill(): Promise<void>;
}

/** One item of the input and its task. Expires when the task takes too long. */
class Entry<I, T> extends Deadline {
  outcome: TaskOutcome<T> | null = null;
  hasEnded = false;

  constructor(
    readonly input: I,
    readonly task: TaskControl<T>,
    private readonly onTimeout: (entry: Entry<I, T>) => void,
  ) {
    super();
  }

  expire(): void {
    this.onTimeout(this);
  }
}

/** Takes items, runs a task for each, and keeps outcomes until the reader asks for them. */
class TaskStream<I, T> {
  /** The entries whose task was started and whose outcome was not read yet, in the order of the input. */
  private readonly entries = new Set<Entry<I, T>>();
  /** The entries whose task has ended, in the order of their ends. Used only if the stream is not `ordered`. */
  private readonly ready: Entry<I, T>[] = [];
  private running = 0;
  private isExhausted = false;
  private isPulling = false;
  /** An item of an async input whose task was not started yet. */
  private pulled: { readonly item: I } | null = null;
  private failure: { readonly error: unknown } | null = null;
  private wake: (() => void) | null = null;

  constructor(
    private readonly runtime: Runtime,
    private readonly owner: GenServerProcess | null,
    private readonly iterator: Iterator<I> | AsyncIterator<I>,
    private readonly isAsync: boolean,
    private readonly options: CompleteOptions,
    private readonly start: (item: I) => TaskControl<T>,
  ) {}

  /** The next outcome, or undefined at the end. */
  async next(): Promise<TaskStreamOutcome<I, T> | undefined> {
    for (;;) {
      if (this.isOwnerGone) throw new NoProcessError(this.owner!.label, 'It has ended, and its tasks with it.');
      if (this.failure !== null) throw this.failure.error;
      const entry = this.takeReady();
      if (entry !== undefined) {
        // Count the outcomes that wait for the reader as well, so that a slow reader slows down the input.
        this.fill(() => this.entries.size);
        return this.outcomeOf(entry);
      }
      this.fill(() => this.running);
      if (this.failure !== null) continue;
      if (this.isExhausted && this.entries.size === 0) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = null;
    }
  }

  /** Stops what is running and lets go of the input. Rejects with what the input throws then, when all else is done. */
  async close(): Promise<void> {
    const [stopped, left] = await Promise.allSettled([this.stopAll(), this.leaveInput()]);
    for (const outcome of [stopped, left]) if (outcome.status === 'rejected') throw outcome.reason;
  }

  /** Tells whoever waits for an outcome, and the input, though nobody may be reading. Not in the turn of the exit: that is user code. */
  ownerEnded(): void {
    this.wake?.();
    void Promise.resolve()
      .then(() => this.close())
      .catch(() => undefined);
  }

  private async leaveInput(): Promise<void> {
    if (this.isExhausted) return;
    this.isExhausted = true;
    const { iterator, isPulling } = this;
    const left = (async () => iterator.return?.())();
    // An input that somebody waits for may never come back; it hears of our leaving when it does.
    if (isPulling) void left.catch(() => undefined);
    else await left;
  }

  private get isOwnerGone(): boolean {
    return this.owner?.isFenced === true;
  }

  private fill(occupied: () => number): void {
    const mayLaunch = (): boolean =>
      this.failure === null && !this.isOwnerGone && occupied() < this.options.maxConcurrency;
    if (this.pulled !== null && mayLaunch()) {
      const { item } = this.pulled;
      this.pulled = null;
      this.launch(item);
    }
    while (mayLaunch() && !this.isExhausted && !this.isPulling && this.pulled === null) {
      if (this.isAsync) this.pull();
      else this.take();
    }
  }

  private take(): void {
    let item: I;
    try {
      const result = (this.iterator as Iterator<I, I>).next();
      if (result.done === true) {
        this.isExhausted = true;
        return;
      }
      item = result.value;
    } catch (error) {
      this.inputFailed(error);
      return;
    }
    this.launch(item);
  }

  private pull(): void {
    this.isPulling = true;
    let result: PromiseLike<IteratorResult<I>>;
    try {
      result = (this.iterator as AsyncIterator<I>).next();
    } catch (error) {
      this.isPulling = false;
      this.inputFailed(error);
      return;
    }
    whenSettled(
      result,
      (value) => {
        this.isPulling = false;
        try {
          const { done, value: item } = value as IteratorResult<I, I>;
          if (done === true) this.isExhausted = true;
          else this.pulled = { item };
        } catch (error) {
          this.inputFailed(error);
          return;
        }
        this.wake?.();
      },
      (error) => {
        this.isPulling = false;
        this.inputFailed(error);
      },
    );
  }

  private inputFailed(error: unknown): void {
    this.isExhausted = true;
    this.fail(error);
  }

  private launch(input: I): void {
    let task: TaskControl<T>;
    try {
      task = this.start(input);
    } catch (error) {
      this.fail(error); // the supervisor has ended, or has reached its limit of tasks
      return;
    }
    const entry = new Entry<I, T>(input, task, (late) => this.timedOut(late));
    this.entries.add(entry);
    this.running++;
    this.runtime.deadlines.add(entry, this.options.timeoutMs);
    task.onEnd((outcome) => this.ended(entry, outcome));
  }

  private ended(entry: Entry<I, T>, outcome: TaskOutcome<T>): void {
    entry.cancel();
    this.running--;
    entry.outcome ??= outcome;
    entry.hasEnded = true;
    if (!this.options.ordered) this.ready.push(entry);
    this.wake?.();
  }

  private timedOut(entry: Entry<I, T>): void {
    if (this.options.onTimeout === 'exit') {
      this.fail(new TaskTimeoutError(`Task ${entry.task.pid.toString()} of a stream`, this.options.timeoutMs));
      return;
    }
    entry.outcome = { status: 'exit', reason: 'timeout' };
    void entry.task.kill();
  }

  private fail(error: unknown): void {
    this.failure ??= { error };
    void this.stopAll();
    this.wake?.();
  }

  private takeReady(): Entry<I, T> | undefined {
    const [first] = this.options.ordered ? this.entries : this.ready;
    if (first?.hasEnded !== true) return undefined;
    if (!this.options.ordered) this.ready.shift();
    this.entries.delete(first);
    return first;
  }

  private outcomeOf({ outcome, input }: Entry<I, T>): TaskStreamOutcome<I, T> {
    return this.options.zipInputOnExit && outcome!.status === 'exit' ? { ...outcome!, input } : outcome!;
  }

  private async stopAll(): Promise<void> {
    await Promise.all(
      [...this.entries].map((entry) => {
        entry.cancel();
        return entry.task.kill();
      }),
    );
  }
}

type CompleteOptions = { readonly [K in keyof TaskStreamOptions]-?: Exclude<TaskStreamOptions[K], undefined> };

/** Returns the outcomes of one task per item, each started by `start`. Checks the options at once; everything else happens on demand. */
export function streamTasks<I, T>(
  runtime: Runtime,
  owner: GenServerProcess | null,
  input: StreamInput<I>,
  options: TaskStreamOptions,
  start: (item: I) => TaskControl<T>,
): AsyncIterableIterator<TaskStreamOutcome<I, T>> {
  return generate(runtime, owner, input, complete(options), start);
}

async function* generate<I, T>(
  runtime: Runtime,
  owner: GenServerProcess | null,
  input: StreamInput<I>,
  options: CompleteOptions,
  start: (item: I) => TaskControl<T>,
): AsyncGenerator<TaskStreamOutcome<I, T>, undefined> {
  const isAsync = Symbol.asyncIterator in input;
  const iterator = isAsync ? input[Symbol.asyncIterator]() : input[Symbol.iterator]();
  const stream = new TaskStream(runtime, owner, iterator, isAsync, options, start);
  const monitor = owner?.isFenced === false ? watch(owner, () => stream.ownerEnded()) : undefined;
  try {
    for (let outcome = await stream.next(); outcome !== undefined; outcome = await stream.next()) yield outcome;
  } catch (error) {
    // As in any loop over the input: why it was left comes before what the input says to that.
    await stream.close().catch(() => undefined);
    throw error;
  } finally {
    monitor?.stop();
    await stream.close();
  }
}

function complete(options: TaskStreamOptions): CompleteOptions {
  const { maxConcurrency = DEFAULT_CONCURRENCY, ordered = true, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const { onTimeout = 'exit', zipInputOnExit = false } = options;
  if (maxConcurrency !== Infinity && !(Number.isSafeInteger(maxConcurrency) && maxConcurrency >= 1)) {
    throw new InvalidArgumentError(
      `maxConcurrency of asyncStream must be a whole number of tasks, 1 or more, or Infinity, got: ${print(maxConcurrency)}`,
    );
  }
  assertDurationMs(timeoutMs, 'timeoutMs of asyncStream', true);
  if (onTimeout !== 'exit' && onTimeout !== 'kill_task') {
    throw new InvalidArgumentError(`onTimeout of asyncStream must be 'exit' or 'kill_task', got: ${print(onTimeout)}`);
  }
  return { maxConcurrency, ordered, timeoutMs, onTimeout, zipInputOnExit };
}
