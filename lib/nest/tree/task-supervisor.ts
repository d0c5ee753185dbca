import { markAsHandle } from '../../runtime/isolation/handle.js';
import { Injectable } from '@nestjs/common';
import type { Task } from '../../gen-server/tasks/task.js';
import type { TaskFunction } from '../../gen-server/tasks/task-process.js';
import type { StreamInput, TaskStreamOptions, TaskStreamOutcome } from '../../gen-server/tasks/task-stream.js';
import type { Pid } from '../../runtime/pid.js';
import { startSupervisedTask, streamSupervisedTasks, terminateTask } from '../../supervision/task-supervisor.js';
import { GenServerOrchestrator } from './gen-server.orchestrator.js';

/**
 * Runs work in tasks for controllers, services and other code that is not a process. A task has a pid, can be stopped, and ends with the
 * application, before the servers do. A task that fails rejects and takes no other process down (K11). In a server use `self.task`: it ends
 * with that server.
 *
 * @example A report that no request waits for longer than a second
 * ```ts no-run: a fragment of a controller, which needs an application around it
 * constructor(private readonly tasks: TaskSupervisor) {}
 *
 * @Get('report')
 * async report() {
 *   const task = this.tasks.async((signal) => this.reports.make(signal));
 *   const outcome = (await task.yield(1_000)) ?? (await task.shutdown());
 *   return outcome?.status === 'ok' ? outcome.value : 'too slow';
 * }
 * ```
 *
 * @publicApi
 */
@Injectable()
export class TaskSupervisor {
  constructor(private readonly orchestrator: GenServerOrchestrator) {}

  /**
   * Starts a task. The returned task gives the result; a result that is never requested is dropped, and a failure is reported. Throws
   * `NoProcessError` before the servers start and when the application shuts down.
   */
  async<T>(work: TaskFunction<T>): Task<T> {
    return startSupervisedTask(this.orchestrator.tasks.table, null, work);
  }

  /**
   * Runs `work` on every item of `input`, a limited number at a time, and yields outcomes (K13). A failure is an outcome like any other.
   * Leaving the loop stops what is running.
   */
  asyncStream<I, T>(
    input: StreamInput<I>,
    work: (item: I, signal: AbortSignal) => T | PromiseLike<T>,
    options: TaskStreamOptions = {},
  ): AsyncIterableIterator<TaskStreamOutcome<I, T>> {
    return streamSupervisedTasks(this.orchestrator.tasks.table, null, input, work, options, false);
  }

  /** Starts a task for its effects only: the result is dropped, a failure is reported, and it is not started again (K14). */
  startChild(work: TaskFunction<unknown>): Pid {
    return this.async(work).pid;
  }

  /** The tasks that run, in the order they were started. */
  children(): readonly Pid[] {
    return this.orchestrator.tasks.table.pids();
  }

  /** Stops a task, and resolves when it is gone. Rejects with `ChildStateError` when it is not there. */
  async terminateChild(pid: Pid): Promise<void> {
    await terminateTask(this.orchestrator.tasks.table, pid);
  }
}

markAsHandle(TaskSupervisor.prototype);
