import { type CastResult, noReply, type Ok, ok, stop } from '../gen-server/results/callback-result.js';
import { NoProcessError } from '../gen-server/errors.js';
import { GenServerBase } from '../gen-server/gen-server-base.js';
import type { GenServerProcess } from '../gen-server/process/gen-server-process.js';
import type { StartOutcome } from '../gen-server/process/start-observer.js';
import type { InitArguments } from '../gen-server/definition/start-options.js';
import type { StartObserver } from '../gen-server/process/start-observer.js';
import { spawnAsPlanned } from '../gen-server/client/start.js';
import { INFO_ENVELOPE } from '../runtime/mailbox/envelope.js';
import { AlreadyStartedError } from '../runtime/errors.js';
import { type ExitReason, reasonOfThrown } from '../runtime/exits/exit-reason.js';
import { keepShape } from '../runtime/keep-shape.js';
import type { Exit } from '../runtime/exits/messages.js';
import { Pid } from '../runtime/pid.js';
import { processOf } from '../runtime/process.js';
import type { ServerName } from '../runtime/server-name.js';
import { childrenOf } from '../runtime/relations/relations.js';
import { withResolvers } from '../runtime/with-resolvers.js';
import type { ChildCounts, ChildStatus, ChildView, SupervisorStatus } from './child.js';
import { isPassivation } from '../gen-server/process/quiet-time.js';
import { DynamicChild, DynamicChildPlan, noteIdleEnd } from './dynamic-child.js';
import { argumentsOf, type CompleteDynamicSupervisorOptions } from './dynamic-child-spec.js';
import { ChildStateError, MaxChildrenError } from './errors.js';
import { RestartIntensity } from './restart-intensity.js';
import { shouldRestart } from './restart-policy.js';
import { formatDestination } from '../gen-server/client/destination.js';
import { isInstanceOf } from '../runtime/secrets/inspect-safely.js';
import { beginShutdown } from './shutdown.js';
import { SupervisorReports } from './supervisor-reports.js';

/** One dynamic child, as `whichChildren` shows it (D4). @publicApi */
export interface DynamicChildInfo {
  /** While the child is `restarting`: the incarnation that is in `init`, or the last that ended. */
  readonly pid: Pid;
  /** The name or key it was started under, as printed; absent for an anonymous child. */
  readonly name: string | undefined;
  readonly status: Exclude<ChildStatus, 'stopped'>;
}

/** How many children `formatStatus` shows: there may be a hundred thousand. */
const MOST_SHOWN = 100;

/** Tells first the supervisor, then the caller that asked for the child, how its start went. */
class ChildStart implements StartObserver {
  constructor(
    private readonly supervisor: DynamicSupervisorServer,
    /** Null for the first start of a child. */
    private readonly child: DynamicChild | null,
    private readonly starter: StartObserver | null,
  ) {}

  started(process: GenServerProcess, outcome: StartOutcome): void {
    this.supervisor.childStarted(this.child, process, outcome);
    this.starter?.started(process, outcome);
  }
}

keepShape(new ChildStart(null as never, null, null));

/** Tells the supervisor, in its own turn, to try a failed restart again. */
export class DynamicRetry {
  constructor(readonly child: unknown) {}
}

/**
 * Supervises children that come and go (D1–D8). Unlike OTP's, it starts them side by side: a child that is long in `init` holds
 * nobody up. Starting is synchronous up to the child's own `init`, so a name or key is taken the moment it is asked for.
 */
export class DynamicSupervisorServer extends GenServerBase<null> {
  /** How many there are. They are found by their pids and by their processes: a table of them would cost more than they do. */
  private count = 0;
  /** Counts of the children without those that are being stopped. */
  private readonly present = { children: 0, supervisors: 0, restarting: 0 };
  /** Those that have no process, until the next attempt to start one. */
  private readonly waiting = new Set<DynamicChild>();
  private readonly intensity: RestartIntensity;
  private server!: GenServerProcess;
  private reports!: SupervisorReports;

  constructor(
    private readonly label: string,
    private readonly options: CompleteDynamicSupervisorOptions,
  ) {
    super();
    this.intensity = new RestartIntensity(options);
  }

  override init(): Ok<null> {
    this.server = processOf(this.self.pid) as GenServerProcess;
    this.reports = new SupervisorReports(this.server, this.label);
    this.reports.started(0, 0);
    return ok(null);
  }

  /** Stops all children at once and waits for each within its budget (D6). */
  override async terminate(reason: ExitReason): Promise<void> {
    const { clock } = this.server.runtime;
    const begin = clock.now();
    const stops: Promise<void>[] = [];
    for (const { process } of this.children()) {
      const child = this.keep(process.pid);
      if (child !== undefined) stops.push(this.stopAndForget(child)); // else forgotten while another was stopped
    }
    await Promise.all(stops);
    this.reports.stopped(reason, clock.now() - begin);
  }

  override formatStatus(): SupervisorStatus {
    const all = this.children();
    const children = all.slice(0, MOST_SHOWN).map(({ printedId: id, process: { pid }, status, isSupervisor }) => {
      const type = isSupervisor ? 'supervisor' : 'worker';
      return { id, pid, status, type } satisfies ChildView;
    });
    return { children, notShown: all.length - children.length };
  }

  /**
   * Starts a child. It exists, with its name taken, when this returns. Throws `MaxChildrenError`, `AlreadyStartedError`, or
   * `NoProcessError` when the supervisor is on its way out.
   */
  startChild(
    plan: DynamicChildPlan,
    name: ServerName | undefined,
    givenArgs: InitArguments,
    starter: StartObserver | null,
  ): GenServerProcess {
    const { server } = this;
    if (server.isEnding || server.isStopQueued) {
      throw new NoProcessError(this.label, 'It is stopping and takes no more children.');
    }
    const { maxChildren, extraArguments } = this.options;
    if (this.count >= maxChildren) throw new MaxChildrenError(this.label, maxChildren);
    const args = argumentsOf(givenArgs, extraArguments);
    const observer = new ChildStart(this, null, starter);
    const process = spawnAsPlanned(server.runtime, plan.server, name, args, observer, { parent: server });
    Pid.setSupervisorRecord(process.pid, plan);
    this.count++;
    this.present.children++;
    if (plan.isSupervisor) this.present.supervisors++;
    return process;
  }

  /** Stops a child and forgets it (D4). One that is being restarted goes by the pid that crashed as well as by the next. */
  terminateChild(pid: Pid): Promise<void> {
    const child = isInstanceOf(pid, Pid) ? this.keep(pid) : undefined;
    if (child?.leaving !== null) {
      return Promise.reject(new ChildStateError(this.label, formatDestination(pid), 'not_found'));
    }
    return this.stopAndForget(child);
  }

  /** The children in the order they were first started. */
  whichChildren(): readonly DynamicChildInfo[] {
    // Children that are being stopped count as gone.
    const present = this.children().filter(({ leaving }) => leaving === null);
    return present.map(({ process: { pid }, name, status }) => ({ pid, name, status }));
  }

  countChildren(): ChildCounts {
    const { children: specs, supervisors, restarting } = this.present;
    return { specs, active: specs - restarting, supervisors, workers: specs - supervisors };
  }

  // --- exits --------------------------------------------------------------------------------------------------------------

  onExit({ from: pid, reason }: Exit): CastResult<null> {
    const child = pid === undefined ? undefined : this.find(pid);
    if (pid === undefined || child === undefined || !this.isNews(child, pid)) return noReply();
    this.cameUp(child); // its starter may not have heard of that yet
    this.reports.childExited(child, pid, reason);
    if (!shouldRestart(child.plan.restart, reason)) {
      this.forget(child); // D5
      if (isPassivation(reason)) noteIdleEnd(pid);
      return noReply();
    }
    this.putOff(child);
    child.comeback = { crashed: pid, reason };
    this.present.restarting++;
    return this.restart(child, reason);
  }

  onRetry({ child }: DynamicRetry): CastResult<null> {
    const { comeback } = child as DynamicChild;
    // It may have been stopped in the meantime, and is forgotten then.
    if (comeback === null) return noReply();
    return this.restart(child as DynamicChild, comeback.reason);
  }

  /**
   * Whether an exit signal means the end of a child that was up. Others are a stranger's, an incarnation's that was dealt with, or
   * sent by a child that lives on. A start that failed is decided by its outcome.
   */
  private isNews({ process, phase }: DynamicChild, pid: Pid): boolean {
    return process.pid === pid && process.hasStarted && !process.isAlive && phase !== 'waiting';
  }

  private restart(child: DynamicChild, reason: ExitReason): CastResult<null> {
    if (!this.intensity.record(this.server.runtime.clock.now())) {
      this.reports.restartsExceeded(child, 'one_for_one', this.options, reason);
      return stop('shutdown'); // D7
    }
    try {
      const { plan, registeredName, process } = child;
      const observer = new ChildStart(this, child, null);
      const lineage = { parent: this.server, predecessor: process.pid };
      child.process = spawnAsPlanned(this.server.runtime, plan.server, registeredName, process.args, observer, lineage);
    } catch (thrown) {
      if (thrown instanceof AlreadyStartedError) this.giveWay(child, thrown);
      else this.retryLater(child, reasonOfThrown(thrown));
      return noReply();
    }
    this.waiting.delete(child);
    child.phase = 'starting';
    return noReply();
  }

  /** Another process has taken the name. Trying until that one ends would use up the restart budget of all children. */
  private giveWay(child: DynamicChild, { holder }: AlreadyStartedError): void {
    this.forget(child);
    this.reports.childSuperseded(child, holder);
  }

  /** Tries again in a later turn; each attempt counts (S13). */
  private retryLater(child: DynamicChild, failure: ExitReason): void {
    const { server } = this;
    this.putOff(child);
    this.reports.childStartFailed(child, failure, true);
    server.runtime.clock.nextTurn(() => server.deliver(INFO_ENVELOPE, new DynamicRetry(child)));
  }

  /** It has no process until it is started again. */
  private putOff(child: DynamicChild): void {
    child.phase = 'waiting';
    this.waiting.add(child);
  }

  // --- one child ----------------------------------------------------------------------------------------------------------

  /** How the start of an incarnation went. It may have been asked to leave by now. @internal */
  childStarted(restarted: DynamicChild | null, process: GenServerProcess, outcome: StartOutcome): void {
    const { pid } = process;
    if (outcome.status === 'ok' && Pid.supervisorRecord(pid) instanceof DynamicChildPlan) return; // all is as it should be
    const child = restarted ?? this.find(pid);
    if (child?.process !== process || child.phase !== 'starting' || child.leaving !== null) return;
    // Killed, it tries nothing again.
    if (this.server.isFenced) this.forget(child);
    else this.settle(child, outcome);
  }

  private settle(child: DynamicChild, outcome: StartOutcome): void {
    if (outcome.status === 'ok') this.cameUp(child);
    else if (outcome.status === 'ignore' || child.comeback === null)
      this.forget(child); // D3, D5
    else this.retryLater(child, outcome.reason);
  }

  private cameUp(child: DynamicChild): void {
    const { comeback, process } = child;
    child.phase = 'running';
    child.comeback = null;
    if (comeback === null) return;
    this.present.restarting--;
    this.reports.childRestarted(child, process.pid, comeback.reason);
  }

  /** However many ask for it, a child is stopped once, and each of them waits for its end. */
  private stopAndForget(child: DynamicChild): Promise<void> {
    if (child.leaving !== null) return child.leaving;
    const leaving = this.stopOne(child);
    // It may have ended in that very call.
    if (child.phase !== 'gone') this.uncount(child);
    return (child.leaving = leaving);
  }

  private stopOne(child: DynamicChild): Promise<void> {
    const { process, plan } = child;
    if (!process.isAlive) {
      this.forget(child);
      return Promise.resolve();
    }
    // Forgotten in the turn of its end, as a child that ends by itself: the next process of that name must find its place free.
    const { promise, resolve } = withResolvers<void>();
    beginShutdown(this.server, process, plan.shutdownMs, (end) => {
      this.forget(child);
      this.reports.childStopped(child, process.pid, end, plan.shutdownMs);
      resolve();
    });
    return promise;
  }

  private forget(child: DynamicChild): void {
    if (child.phase === 'gone') return;
    this.count--;
    if (child.leaving === null) this.uncount(child);
    this.waiting.delete(child);
    child.leave();
  }

  private uncount({ isSupervisor, comeback }: DynamicChild): void {
    this.present.children--;
    if (isSupervisor) this.present.supervisors--;
    if (comeback !== null) this.present.restarting--;
  }

  /** A child that something is about to happen to. */
  private keep(pid: Pid): DynamicChild | undefined {
    const child = this.find(pid);
    if (child !== undefined) Pid.setSupervisorRecord(pid, child);
    return child;
  }

  private find(pid: Pid): DynamicChild | undefined {
    const kept = Pid.supervisorRecord(pid);
    const process = processOf(pid) as GenServerProcess | undefined;
    // Once it has ended, it is more than its plan that is kept.
    const child = kept instanceof DynamicChildPlan && process !== undefined ? new DynamicChild(kept, process) : kept;
    return child instanceof DynamicChild && child.process.parent === this.server ? child : undefined;
  }

  /** All of them, in the order they were first started. */
  private children(): DynamicChild[] {
    const children = [...this.waiting];
    for (const { pid } of childrenOf(this.server).members()) {
      const child = this.find(pid);
      if (child !== undefined) children.push(child);
    }
    return children.sort((a, b) => a.process.pid.id - b.process.pid.id);
  }
}
