import { stop } from '../gen-server/client.js';
import { Deadline } from '../runtime/deadline.js';
import type { ExitReason } from '../runtime/exit-reason.js';
import { unlink } from '../runtime/links.js';
import { Monitor, watch } from '../runtime/monitors.js';
import type { Process } from '../runtime/process.js';
import type { Shutdown } from './child-spec.js';

/** How a child ended that was asked to. */
export interface ShutdownReport {
  readonly reason: ExitReason;
  readonly tookMs: number;
  /** Messages that nobody handled because the time was up. */
  readonly undrained: number;
}

/** Kills a child that uses up its time. */
class ShutdownDeadline extends Deadline {
  undrained = 0;
  /** The child was asked to end before it is killed. */
  wasSignalled = false;

  constructor(private readonly child: Process) {
    super();
  }

  expire(): void {
    const { child } = this;
    // The shutdown itself waits in the queue as well, until its turn has come.
    const isWaiting = child.status !== 'exiting' && this.wasSignalled;
    this.undrained = Math.max(0, child.queueLength - (isWaiting ? 1 : 0));
    child.signal('kill', null, true);
  }
}

/** Waits for the end of a child that was asked to. */
class EndOfChild extends Monitor {
  readonly deadline: ShutdownDeadline;
  private readonly begin: number;

  constructor(
    private readonly child: Process,
    private readonly onEnd: ((report: ShutdownReport) => void) | undefined,
    private readonly resolve: (report: ShutdownReport) => void,
  ) {
    super(child);
    this.deadline = new ShutdownDeadline(child);
    this.begin = child.runtime.clock.now();
  }

  report(reason: ExitReason): void {
    const { deadline, child } = this;
    deadline.cancel();
    const report = { reason, tookMs: child.runtime.clock.now() - this.begin, undrained: deadline.undrained };
    this.onEnd?.(report);
    this.resolve(report);
  }
}

/**
 * Stops a child as OTP does (S6): the signal `shutdown`, the time it has, then the kill that cannot be trapped. Resolves when
 * it is gone; the promise of an abandoned handler is not waited for. The parent hears of the exit only from here: in the turn of
 * the exit by `onEnd`.
 */
export function shutDown(
  parent: Process,
  child: Process,
  shutdownMs: Shutdown,
  onEnd?: (report: ShutdownReport) => void,
): Promise<ShutdownReport> {
  unlink(parent, child);
  if (!child.isAlive) return Promise.resolve({ reason: 'noproc', tookMs: 0, undrained: 0 });
  return new Promise((resolve) => {
    const { deadline } = new EndOfChild(child, onEnd, resolve);
    if (shutdownMs === 'brutal_kill') {
      deadline.expire();
      return;
    }
    child.runtime.deadlines.add(deadline, shutdownMs);
    deadline.wasSignalled = true;
    child.signal('shutdown', parent);
  });
}

/** How long a process that no supervisor stops has to end. */
const STRAY_SHUTDOWN_MS = 5_000;

/** Stops a process that belongs to no supervisor: the reason `shutdown` and five seconds, then the kill. Never rejects. */
export async function shutDownStray(process: Process): Promise<void> {
  await stop(process.runtime, process.pid, 'shutdown', STRAY_SHUTDOWN_MS).catch(() => undefined);
  await kill(process);
}

/** Kills a process that may be dead already; resolves when it is gone. */
export function kill(process: Process): Promise<unknown> {
  if (!process.isAlive) return Promise.resolve();
  return new Promise((resolve) => {
    watch(process, resolve);
    process.signal('kill', null, true);
  });
}
