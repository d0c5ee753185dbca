import { type CastResult, noReply, type Ok, ok } from '../gen-server/results/callback-result.js';
import { type Destination, formatDestination, resolve } from '../gen-server/client/destination.js';
import { NoProcessError } from '../gen-server/errors.js';
import { GenServerBase } from '../gen-server/gen-server-base.js';
import type { GenServerProcess } from '../gen-server/process/gen-server-process.js';
import { serverOf } from '../gen-server/process/process-handle.js';
import type { Self } from '../gen-server/self.js';
import {
  Handler,
  type HandlerMethod,
  InfoHandlers,
  type ServerDefinition,
} from '../gen-server/definition/server-definition.js';
import { type Lineage, spawn, type Spawned } from '../gen-server/client/start.js';
import { startErrorOf } from '../gen-server/process/start-observer.js';
import { startTask, Task, type TaskParent } from '../gen-server/tasks/task.js';
import type { TaskFunction, TaskProcess } from '../gen-server/tasks/task-process.js';
import {
  type StreamInput,
  streamTasks,
  type TaskStreamOptions,
  type TaskStreamOutcome,
} from '../gen-server/tasks/task-stream.js';
import { Exit } from '../runtime/exits/messages.js';
import type { Pid } from '../runtime/pid.js';
import type { ServerName } from '../runtime/server-name.js';
import type { Runtime } from '../runtime/runtime.js';
import { checkRestartAndShutdown, type ChildSpec, type Shutdown, WORKER_SHUTDOWN_MS } from './child-spec.js';
import { ChildStateError, MaxChildrenError, SupervisorConfigError } from './errors.js';
import { shutDown } from './shutdown.js';
import { print } from '../runtime/secrets/print.js';

/** A supervisor of tasks that is to be started. */
export interface TaskSupervisorSpec {
  /** The name for people. Default: `'Task.Supervisor'`. */
  readonly label?: string | undefined;
  readonly name?: ServerName | undefined;
  /** The most tasks at a time: a whole number, 0 or more, or Infinity. One more is refused (K14). Default: Infinity. */
  readonly maxChildren?: number | undefined;
  /** What a task is given when it is stopped with its supervisor. Tasks end at once, so only `'brutal_kill'` differs. Default: 5 000. */
  readonly shutdownMs?: Shutdown | undefined;
}

/** The tasks of one incarnation of a supervisor. */
export class TaskTable implements TaskParent {
  process!: GenServerProcess;
  private readonly tasks = new Map<Pid, TaskProcess>();

  constructor(
    readonly label: string,
    private readonly maxChildren: number,
    private readonly shutdownMs: Shutdown,
  ) {}

  add(task: TaskProcess): void {
    this.tasks.set(task.pid, task);
  }

  remove(task: TaskProcess): void {
    this.tasks.delete(task.pid);
  }

  /** Throws unless one more task may be started. */
  admit(): void {
    const { process } = this;
    if (process.isEnding || process.isStopQueued) {
      throw new NoProcessError(this.label, 'It is stopping and takes no more tasks.');
    }
    if (this.size >= this.maxChildren) throw new MaxChildrenError(this.label, this.maxChildren);
  }

  get size(): number {
    return this.tasks.size;
  }

  pids(): readonly Pid[] {
    return [...this.tasks.keys()];
  }

  find(pid: Pid): TaskProcess | undefined {
    return this.tasks.get(pid);
  }

  async stop(task: TaskProcess): Promise<void> {
    await shutDown(this.process, task, this.shutdownMs);
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.tasks.values()].map((task) => this.stop(task)));
  }
}

/** The server that stands behind its tasks: it starts first and ends last. */
class TaskSupervisorServer extends GenServerBase<null> {
  constructor(private readonly table: TaskTable) {
    super();
  }

  override init(): Ok<null> {
    return ok(null);
  }

  override async terminate(): Promise<void> {
    await this.table.stopAll();
  }

  override formatStatus(): unknown {
    return { tasks: this.table.size };
  }

  /** A stranger's: tasks are looked after without messages. */
  onExit(): CastResult<null> {
    return noReply();
  }
}

const INFOS = new InfoHandlers();
INFOS.add(
  Exit,
  new Handler('Exit', (TaskSupervisorServer.prototype as unknown as Record<'onExit', HandlerMethod>).onExit),
);

/** The supervisors of tasks, by their processes. */
const tables = new WeakMap<GenServerProcess, TaskTable>();

/** The tasks of a supervisor that runs. Throws when there is none, or it is none. */
export function getTaskTable(runtime: Runtime, destination: Destination): TaskTable {
  const process = resolve(runtime, destination);
  const table = process === undefined ? undefined : tables.get(process);
  if (table === undefined) {
    throw new NoProcessError(formatDestination(destination), 'It is no task supervisor that runs.');
  }
  return table;
}

/** Makes a supervisor of tasks, which takes them from now on. Refuses options that make no sense. */
export function spawnTaskSupervisor(runtime: Runtime, spec: TaskSupervisorSpec = {}, lineage?: Lineage): Spawned {
  const table = makeTable(spec);
  const definition: ServerDefinition = {
    label: table.label,
    calls: new Map(),
    casts: new Map(),
    infos: INFOS,
    continues: new Map(),
    isReplyError: () => false,
  };
  const blueprint = { definition, create: () => new TaskSupervisorServer(table) };
  const spawned = spawn(runtime, blueprint, { name: spec.name, trapExit: true }, lineage);
  table.process = spawned.process;
  tables.set(spawned.process, table);
  return spawned;
}

function makeTable({
  label = 'Task.Supervisor',
  maxChildren = Infinity,
  shutdownMs = WORKER_SHUTDOWN_MS,
}: TaskSupervisorSpec): TaskTable {
  const of = `(task supervisor ${label})`;
  if (!(Number.isInteger(maxChildren) || maxChildren === Infinity) || maxChildren < 0) {
    throw new SupervisorConfigError(
      'invalid_max_children',
      `maxChildren must be a whole number of tasks, 0 or more, or Infinity, got: ${print(maxChildren)} ${of}`,
    );
  }
  checkRestartAndShutdown('temporary', shutdownMs, of);
  return new TaskTable(label, maxChildren, shutdownMs);
}

/** Starts a task under a supervisor. */
export function startSupervisedTask<T>(
  table: TaskTable,
  owner: GenServerProcess | null,
  work: TaskFunction<T>,
  relations: { readonly isLinked?: boolean; readonly endsWithOwner?: boolean } = {},
): Task<T> {
  table.admit();
  return startTask(table.process.runtime, work, { owner, supervisor: table, ...relations });
}

/** A stream of tasks under a supervisor. */
export function streamSupervisedTasks<I, T>(
  table: TaskTable,
  owner: GenServerProcess | null,
  input: StreamInput<I>,
  work: (item: I, signal: AbortSignal) => T | PromiseLike<T>,
  options: TaskStreamOptions,
  isLinked: boolean,
): AsyncIterableIterator<TaskStreamOutcome<I, T>> {
  const relations = { isLinked: isLinked && owner?.trapsExits === false, endsWithOwner: owner !== null };
  return streamTasks(table.process.runtime, owner, input, options, (item) =>
    Task.controlOf(startSupervisedTask(table, owner, (signal) => work(item, signal), relations)),
  );
}

/**
 * OTP's `Task.Supervisor`: a place in the tree for tasks, so that none outlives it. Tasks are temporary: none is started again (K14).
 * When it is stopped, the tasks end with `'shutdown'`, and so do the processes that are linked to them.
 */
export const TaskSupervisor = {
  /** Starts a supervisor of tasks of its own, linked to no process. */
  async start(runtime: Runtime, spec: TaskSupervisorSpec = {}): Promise<Pid> {
    const { process, outcome } = spawnTaskSupervisor(runtime, spec);
    const result = await outcome;
    if (result.status === 'ok') return process.pid;
    throw startErrorOf(process, result);
  },
  /** The child spec of one under another supervisor. */
  childSpec(spec: TaskSupervisorSpec = {}, overrides: Partial<Omit<ChildSpec, 'start'>> = {}): ChildSpec {
    const { label } = makeTable(spec);
    return {
      id: label,
      type: 'supervisor',
      start: (parent, predecessor) => spawnTaskSupervisor(parent.runtime, spec, { parent, predecessor }),
      ...overrides,
    };
  },
  /**
   * Starts a task for the process whose `self` is given, linked to it and watched by it, as `Task.async` does. Throws
   * `MaxChildrenError`, or `NoProcessError` when the supervisor is not there.
   */
  async: <T>(self: Self, supervisor: Destination, work: TaskFunction<T>): Task<T> => {
    const owner = serverOf(self);
    return startSupervisedTask(getTaskTable(owner.runtime, supervisor), owner, work, { isLinked: true });
  },
  /** The same without the link: a failure ends no other process, and the task outlives its owner (K11). */
  asyncNolink: <T>(self: Self, supervisor: Destination, work: TaskFunction<T>): Task<T> => {
    const owner = serverOf(self);
    return startSupervisedTask(getTaskTable(owner.runtime, supervisor), owner, work);
  },
  /** As `Task.asyncStream`, under the supervisor. */
  asyncStream: <I, T>(
    self: Self,
    supervisor: Destination,
    input: StreamInput<I>,
    work: (item: I, signal: AbortSignal) => T | PromiseLike<T>,
    options: TaskStreamOptions = {},
  ): AsyncIterableIterator<TaskStreamOutcome<I, T>> => {
    const owner = serverOf(self);
    return streamSupervisedTasks(getTaskTable(owner.runtime, supervisor), owner, input, work, options, true);
  },
  /** The same without the links: a failure is an outcome, and ends no other process. */
  asyncStreamNolink: <I, T>(
    self: Self,
    supervisor: Destination,
    input: StreamInput<I>,
    work: (item: I, signal: AbortSignal) => T | PromiseLike<T>,
    options: TaskStreamOptions = {},
  ): AsyncIterableIterator<TaskStreamOutcome<I, T>> => {
    const owner = serverOf(self);
    return streamSupervisedTasks(getTaskTable(owner.runtime, supervisor), owner, input, work, options, false);
  },
  /** Starts a task without an owner: its result is dropped, its failure reported, and it is not started again (K14). */
  startChild: (runtime: Runtime, supervisor: Destination, work: TaskFunction<unknown>): Pid =>
    startSupervisedTask(getTaskTable(runtime, supervisor), null, work).pid,
  /** The tasks that run, in the order they were started. */
  children: (runtime: Runtime, supervisor: Destination): readonly Pid[] => getTaskTable(runtime, supervisor).pids(),
  /** Stops a task, and resolves when it is gone. Rejects with `ChildStateError` when it is not there. */
  async terminateChild(runtime: Runtime, supervisor: Destination, pid: Pid): Promise<void> {
    await terminateTask(getTaskTable(runtime, supervisor), pid);
  },
} as const;

export async function terminateTask(table: TaskTable, pid: Pid): Promise<void> {
  const task = table.find(pid);
  if (task === undefined) throw new ChildStateError(table.label, formatDestination(pid), 'not_found');
  await table.stop(task);
}
