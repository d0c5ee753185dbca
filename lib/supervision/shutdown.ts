import { stop } from '../gen-server/client/client.js';
import type { Deadline, DeadlineQueue } from '../runtime/time/deadline.js';
import { type ExitReason, isCleanExit } from '../runtime/exits/exit-reason.js';
import { keepShape } from '../runtime/keep-shape.js';
import { unlink } from '../runtime/relations/links.js';
import { watch } from '../runtime/relations/monitors.js';
import { Monitor, relationsOf } from '../runtime/relations/relations.js';
import type { Clock } from '../runtime/ports.js';
import type { Process } from '../runtime/process.js';
import type { Shutdown } from './child-spec.js';

/** How a child ended that was asked to. */
export interface ShutdownReport {
  readonly reason: ExitReason;
  readonly tookMs: number;
  /** Messages that were not handled because the time was up. */
  readonly undrained: number;
}

/**
 * The end of a child that was asked for: kills the child when its time is up, and tells how it has ended. The watch and the deadline
 * are one object, since a hundred thousand children may be stopped at a time.
 */
class EndOfChild extends Monitor<Process> implements Deadline, ShutdownReport {
  expiresAt: number | null = null;
  queue: DeadlineQueue | null = null;
  previous: Deadline | null = null;
  next: Deadline | null = null;

  reason: ExitReason = undefined;
  undrained = 0;
  /** The child was asked to end before it is killed. */
  wasSignalled = false;

  constructor(
    child: Process,
    private readonly clock: Clock,
    private readonly begin: number,
    private readonly onEnd: (report: ShutdownReport) => void,
  ) {
    super(child);
  }

  get tookMs(): number {
    return this.clock.now() - this.begin;
  }

  get isPending(): boolean {
    return this.queue !== null;
  }

  cancel(): void {
    this.queue?.remove(this);
  }

  expire(): void {
    const { target: child } = this;
    // The shutdown itself waits in the queue as well, until its turn has come.
    const isWaiting = child.status !== 'exiting' && this.wasSignalled;
    this.undrained = Math.max(0, child.queueLength - (isWaiting ? 1 : 0));
    child.signal('kill', null, true);
  }

  report(reason: ExitReason): void {
    this.cancel();
    this.reason = reason;
    this.onEnd(this);
  }
}

// A time of the clock is a number that needs a fraction: with a whole one it would be another hidden class.
keepShape(new EndOfChild(null as never, null as never, 0.5, null as never));

/**
 * Stops a child that is alive as OTP does (S6): the signal `shutdown`, the time it has, then the kill that cannot be trapped.
 * `onEnd` is called in the turn of its end, and must read the report before it returns; the promise of an abandoned handler is not waited
 * for. The parent hears of the exit in no other way.
 */
export function beginShutdown(
  parent: Process,
  child: Process,
  shutdownMs: Shutdown,
  onEnd: (report: ShutdownReport) => void,
): void {
  const { clock, deadlines } = child.runtime;
  const end = new EndOfChild(child, clock, clock.now(), onEnd).start();
  // Linked until it is gone: when the parent is killed meanwhile, the child goes with it.
  relationsOf(child).isStoppedByParent = true;
  if (shutdownMs === 'brutal_kill') {
    end.expire();
    return;
  }
  deadlines.add(end, shutdownMs);
  end.wasSignalled = true;
  child.signal('shutdown', parent);
}

/** The same as a promise, also for a child that is dead already. */
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
