import { stop as stopServer } from '../../gen-server/client/client.js';
import { NoProcessError } from '../../gen-server/errors.js';
import type { GenServerProcess } from '../../gen-server/process/gen-server-process.js';
import type { Runtime } from '../../runtime/runtime.js';
import { getTaskTable, spawnTaskSupervisor, type TaskTable } from '../../supervision/task-supervisor.js';
import type { TreeStatus } from './application-supervisor.js';

const LABEL = 'Task.Supervisor';
/** Tasks end at once, so this is ample. */
const STOP_WITHIN_MS = 5_000;

/**
 * The task supervisor of an application. It starts when it is first needed, while the tree is up, and is stopped before the tree is, so a
 * task never meets a server that has ended because of the shutdown.
 */
export class ApplicationTasks {
  private supervisor: GenServerProcess | undefined;
  private stopping: Promise<void> | undefined;

  constructor(
    private readonly runtime: Runtime,
    private readonly treeStatus: () => TreeStatus,
  ) {}

  /** Where tasks are started. Throws while there is no tree for them to live in. */
  get table(): TaskTable {
    const status = this.treeStatus();
    if (status === 'not_started') {
      throw new NoProcessError(
        LABEL,
        'Tasks can be started when every onModuleInit is done: from onApplicationBootstrap on.',
      );
    }
    if (this.stopping !== undefined || status === 'stopping' || status === 'stopped') {
      throw new NoProcessError(LABEL, 'The application is shutting down.');
    }
    if (this.supervisor?.isAlive !== true)
      this.supervisor = spawnTaskSupervisor(this.runtime, { label: LABEL }).process;
    return getTaskTable(this.runtime, this.supervisor.pid);
  }

  /** Ends all tasks. Never throws. */
  stop(): Promise<void> {
    return (this.stopping ??= this.stopAll());
  }

  private async stopAll(): Promise<void> {
    const { supervisor } = this;
    if (supervisor?.isAlive !== true) return;
    await stopServer(this.runtime, supervisor.pid, 'shutdown', STOP_WITHIN_MS).catch(() => undefined);
  }
}
