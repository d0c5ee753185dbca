import type { GenServerProcess } from '../gen-server/process/gen-server-process.js';
import { type ExitReason, isCleanExit } from '../runtime/exits/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { Shutdown } from './child-spec.js';
import type { SupervisionEvent } from './events.js';
import type { RestartBudget } from './restart-intensity.js';
import { isUnexpectedEnd, type ShutdownReport } from './shutdown.js';
import type { Strategy } from './strategies.js';

/** A child as events name it. `printedId` is a getter: printing takes longer than most of what is reported, and is left to listeners. */
interface ReportedChild {
  readonly printedId: string;
}

/** The events of one supervisor, whatever kind of supervisor it is. An event is made only when a listener wants it. */
export class SupervisorReports {
  constructor(
    private readonly server: GenServerProcess,
    private readonly supervisor: string,
  ) {}

  started(children: number, tookMs: number): void {
    if (!this.wants('supervisor.started')) return;
    this.emit({ type: 'supervisor.started', ...this.aboutItself(), children, tookMs });
  }

  stopped(reason: ExitReason, tookMs: number): void {
    if (!this.wants('supervisor.stopped')) return;
    this.emit({ type: 'supervisor.stopped', ...this.aboutItself(), reason, tookMs });
  }

  childExited(child: ReportedChild, pid: Pid, reason: ExitReason): void {
    const isClean = isCleanExit(reason);
    if (!this.wants('supervisor.child_exited', isClean)) return;
    this.emit({ type: 'supervisor.child_exited', ...this.about(child), pid, reason, isClean });
  }

  /** `reason` is why the incarnation before had ended. */
  childRestarted(child: ReportedChild, pid: Pid, reason: ExitReason): void {
    if (!this.wants('supervisor.child_restarted')) return;
    this.emit({ type: 'supervisor.child_restarted', ...this.about(child), pid, reason });
  }

  childStartFailed(child: ReportedChild, reason: ExitReason, isRestart: boolean): void {
    if (!this.wants('supervisor.child_start_failed')) return;
    this.emit({ type: 'supervisor.child_start_failed', ...this.about(child), reason, isRestart });
  }

  childStartSlow(child: ReportedChild, waitedMs: number): void {
    if (!this.wants('supervisor.child_start_slow')) return;
    this.emit({ type: 'supervisor.child_start_slow', ...this.about(child), waitedMs });
  }

  childSuperseded(child: ReportedChild, holder: string): void {
    if (!this.wants('supervisor.child_superseded')) return;
    this.emit({ type: 'supervisor.child_superseded', ...this.about(child), holder });
  }

  /** Reads `end` before it returns, and the clock only when a listener wants the event. */
  childStopped(child: ReportedChild, pid: Pid, end: ShutdownReport, shutdownMs: Shutdown): void {
    const isUnexpected = isUnexpectedEnd(end.reason, shutdownMs);
    if (!this.wants('supervisor.child_stopped', !isUnexpected)) return;
    const { reason, tookMs, undrained } = end;
    const stopped = { pid, reason, tookMs, undrained, isUnexpected };
    this.emit({ type: 'supervisor.child_stopped', ...this.about(child), ...stopped });
  }

  restartsExceeded(child: ReportedChild, strategy: Strategy, budget: RestartBudget, reason: ExitReason): void {
    if (!this.wants('supervisor.restarts_exceeded')) return;
    const { maxRestarts, withinMs } = budget;
    const exceeded = { strategy, maxRestarts, withinMs, reason };
    this.emit({ type: 'supervisor.restarts_exceeded', ...this.about(child), ...exceeded });
  }

  private about(child: ReportedChild): { supervisor: string; childId: string } {
    return { supervisor: this.supervisor, childId: child.printedId };
  }

  private aboutItself(): { supervisor: string; pid: Pid; isRoot: boolean } {
    return { supervisor: this.supervisor, pid: this.server.pid, isRoot: this.server.parent === null };
  }

  private wants(type: SupervisionEvent['type'], isRoutine = false): boolean {
    return this.server.runtime.events.wants(type, isRoutine);
  }

  private emit(event: SupervisionEvent): void {
    this.server.runtime.events.emit(event);
  }
}
