import { stop } from '../gen-server/client.js';
import { Deadline } from '../runtime/deadline.js';
import { type ExitReason, isCleanExit } from '../runtime/exit-reason.js';
import { unlink } from '../runtime/links.js';
import { Monitor, watch } from '../runtime/monitors.js';
import type { Clock } from '../runtime/ports.js';
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

/** Tells how a child that was asked to end has ended. */
class EndOfChild extends Monitor implements ShutdownReport {
  reason: ExitReason = undefined;
  readonly deadline: ShutdownDeadline;
  private readonly clock: Clock;
  private readonly begin: number;

  constructor(
    child: Process,
    private readonly onEnd: (report: ShutdownReport) => void,
  ) {
    super(child);
    this.deadline = new ShutdownDeadline(child);
    this.clock = child.runtime.clock;
    this.begin = this.clock.now();
  }

  get undrained(): number {
    return this.deadline.undrained;
  }

  get tookMs(): number {
    return this.clock.now() - this.begin;
  }

  report(reason: ExitReason): void {
    this.deadline.cancel();
    this.reason = reason;
    this.onEnd(this);
  }
}

/**
 * Stops a child that is alive as OTP does (S6): the signal `shutdown`, the time it has, then the kill that cannot be trapped.
 * `onEnd` is called in the turn of its end, and reads the report there and then; the promise of an abandoned handler is not waited
 * for. The parent hears of the exit in no other way.
 */
export function beginShutdown(
  parent: Process,
  child: Process,
  shutdownMs: Shutdown,
  onEnd: (report: ShutdownReport) => void,
): void {
  unlink(parent, child);
  const { deadline } = new EndOfChild(child, onEnd);
  if (shutdownMs === 'brutal_kill') {
    deadline.expire();
    return;
  }
  child.runtime.deadlines.add(deadline, shutdownMs);
  deadline.wasSignalled = true;
  child.signal('shutdown', parent);
}

/** The same, for a child that may be dead already, and whoever waits for its end. */
export function shutDown(parent: Process, child: Process, shutdownMs: Shutdown): Promise<ShutdownReport> {
  if (!child.isAlive) {
    unlink(parent, child);
    return Promise.resolve({ reason: 'noproc', tookMs: 0, undrained: 0 });
  }
  return new Promise((resolve) => {
    beginShutdown(parent, child, shutdownMs, ({ reason, tookMs, undrained }) => resolve({ reason, tookMs, undrained }));
  });
}

/** Whether a child ended otherwise than it was asked to (S7). */
export function isUnexpectedEnd(reason: ExitReason, shutdownMs: Shutdown): boolean {
  return !isCleanExit(reason) && !(reason === 'killed' && shutdownMs === 'brutal_kill');
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
