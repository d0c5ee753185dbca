import {
  type CastResult,
  type InitResult,
  noReply,
  ok,
  type Reply,
  reply,
  stop,
} from '../gen-server/results/callback-result.js';
import { GenServerBase } from '../gen-server/gen-server-base.js';
import type { GenServerProcess } from '../gen-server/process/gen-server-process.js';
import type { StartOutcome } from '../gen-server/process/start-observer.js';
import type { Spawned } from '../gen-server/client/start.js';
import { CallbackDeadline } from '../runtime/time/callback-deadline.js';
import { INFO_ENVELOPE } from '../runtime/mailbox/envelope.js';
import { AlreadyStartedError } from '../runtime/errors.js';
import { type ExitReason, formatReason, reasonOfThrown } from '../runtime/exits/exit-reason.js';
import { Exit } from '../runtime/exits/messages.js';
import type { Pid } from '../runtime/pid.js';
import { processOf } from '../runtime/process.js';
import { cancelTimer, sendAfter } from '../runtime/timers.js';
import { formatName } from '../runtime/server-name.js';
import { Child, type ChildCounts, type ChildInfo, RetryRestart, type SupervisorStatus } from './child.js';
import { type ChildId, type ChildSpec, completeChildSpec, type CompleteChildSpec } from './child-spec.js';
import { ChildTable } from './child-table.js';
import { ChildStartError, ChildStateError } from './errors.js';
import { backoffMs, type RestartBackoff } from './restart-backoff.js';
import { RestartIntensity } from './restart-intensity.js';
import { shouldRestart } from './restart-policy.js';
import { shutDown } from './shutdown.js';
import { childrenToRestart } from './strategies.js';
import type { CompleteSupervisorOptions } from './supervisor-options.js';
import { SupervisorReports } from './supervisor-reports.js';

/** How long `init` may take before a log line names it. */
const SLOW_START_MS = 10_000;

/** The options and first children of a supervisor. */
export interface SupervisorSetup {
  readonly label: string;
  readonly options: CompleteSupervisorOptions;
  readonly children: readonly CompleteChildSpec[];
}

/**
 * A server whose state is its children. It traps exits, acts on them before anything else runs, and does one thing at a time:
 * while a child is in `init`, everything else waits (I11), except its own shutdown.
 */
export class SupervisorServer extends GenServerBase<null> {
  private readonly children = new ChildTable();
  private readonly intensity: RestartIntensity;
  private starting: Child | null = null;
  private server!: GenServerProcess;
  private reports!: SupervisorReports;

  constructor(private readonly setup: SupervisorSetup) {
    super();
    this.intensity = new RestartIntensity(setup.options);
  }

  /** This supervisor is to end, or has ended: it starts nothing any more, and does not report starts that fail. */
  private get isStopping(): boolean {
    return this.server.isStopQueued || this.server.isFenced;
  }

  override async init(): Promise<InitResult<null>> {
    this.server = processOf(this.self.pid) as GenServerProcess;
    this.reports = new SupervisorReports(this.server, this.setup.label);
    const begin = this.server.runtime.clock.now();
    this.server.whenStopQueued(() => this.interruptStart());
    for (const spec of this.setup.children) this.children.add(new Child(spec));
    for (const child of this.children.all()) {
      const outcome = await this.start(child);
      if (outcome.status === 'error') {
        this.reportFailedStart(child, outcome.reason, false);
        await this.stopAll(this.children.all());
        return stop({ shutdown: { failedToStartChild: { id: child.spec.id, reason: outcome.reason } } }); // S4
      }
      if (outcome.status === 'ignore' && child.spec.restart === 'temporary') this.children.remove(child); // S3
    }
    this.reports.started(this.children.size, this.elapsedSince(begin));
    return ok(null);
  }

  /** Stops the children in reverse, one after the other (S5). */
  override async terminate(reason: ExitReason): Promise<void> {
    const begin = this.server.runtime.clock.now();
    await this.stopAll(this.children.all());
    this.reports.stopped(reason, this.elapsedSince(begin));
  }

  override formatStatus(): SupervisorStatus {
    return {
      children: this.children.all().map((child) => ({
        id: child.printedId,
        pid: child.pid,
        status: child.status,
        type: child.spec.type,
      })),
      notShown: 0,
    };
  }

  // --- exits --------------------------------------------------------------------------------------------------------------

  onExit(exit: Exit): CastResult<null> | Promise<CastResult<null>> {
    // A pid that belongs to no child is that of a linked process, or of an incarnation whose end was handled already (S15, S21). A
    // child that is alive has sent an exit signal itself.
    const child = this.children.withPid(exit.from);
    if (child === undefined || child.process?.isAlive) return noReply();
    this.children.setProcess(child, null);
    this.children.setStatus(child, 'stopped');
    this.resetBackoff(child);
    const { from: pid, reason } = exit as Exit & { from: Pid };
    this.reports.childExited(child, pid, reason);
    if (shouldRestart(child.spec.restart, reason)) return this.restart(child, reason);
    if (child.spec.restart === 'temporary') this.children.remove(child);
    return child.spec.significant && this.isEndOfSignificant() ? stop('shutdown') : noReply();
  }

  /** A significant child has ended for good: is that the end of its supervisor (S20)? */
  private isEndOfSignificant(): boolean {
    if (this.setup.options.autoShutdown === 'any_significant') return true;
    return !this.children.hasSignificant;
  }

  onRetry(retry: RetryRestart): CastResult<null> | Promise<CastResult<null>> {
    const { child } = retry;
    // The child may have been stopped, deleted or restarted by request in the meantime.
    if (child.retry !== retry || child.status !== 'restarting') return noReply();
    child.retry = child.retryTimer = null;
    return retry.isCounted ? this.startGroup(child, retry.reason) : this.restart(child, retry.reason);
  }

  /** Counts the incident; then starts the child anew, at once or after the back-off. */
  private restart(failed: Child, reason: ExitReason): CastResult<null> | Promise<CastResult<null>> {
    const { options } = this.setup;
    if (!this.intensity.record(this.server.runtime.clock.now())) {
      this.reports.restartsExceeded(failed, options.strategy, options, reason);
      return stop('shutdown');
    }
    if (options.restartBackoff === undefined) return this.startGroup(failed, reason);
    return this.startAfterBackoff(failed, reason, options.restartBackoff);
  }

  /** Stops the siblings that the strategy takes along at once, as without a back-off: they depend on the child that failed. */
  private startAfterBackoff(
    failed: Child,
    reason: ExitReason,
    backoff: RestartBackoff,
  ): CastResult<null> | Promise<CastResult<null>> {
    const { server } = this;
    const retry = new RetryRestart(failed, reason, true);
    failed.attempts++;
    this.children.setStatus(failed, 'restarting');
    failed.retry = retry;
    failed.retryTimer = sendAfter(server.runtime, server, retry, backoffMs(backoff, failed.attempts));
    const others = this.groupOf(failed).filter((child) => child !== failed);
    return others.length === 0 ? noReply() : this.stopAll(others).then(() => noReply());
  }

  /** A child that has run for long enough begins anew. */
  private resetBackoff(child: Child): void {
    const { restartBackoff } = this.setup.options;
    if (restartBackoff !== undefined && this.elapsedSince(child.upSince) > restartBackoff.maxMs) child.attempts = 0;
  }

  /** Starts a child and the siblings that the strategy takes along. The name of a single child is taken before this first awaits. */
  private async startGroup(failed: Child, reason: ExitReason): Promise<CastResult<null>> {
    const group = this.groupOf(failed);
    if (group.length > 1) await this.stopAll(group);
    for (const child of group) {
      if (!this.children.has(child)) continue; // a temporary sibling, stopped and forgotten (S10)
      if (this.isStopping) break;
      const outcome = await this.start(child);
      if (outcome.status === 'error') {
        this.reportFailedStart(child, outcome.reason, true);
        this.retryLater(child, reason);
        break;
      }
      if (outcome.status === 'ok') this.reports.childRestarted(child, child.pid!, reason);
    }
    return noReply();
  }

  private groupOf(failed: Child): readonly Child[] {
    return childrenToRestart(this.setup.options.strategy, failed, this.children);
  }

  /** Tries again in a later turn, after whatever else is waiting; each attempt counts (S13). */
  private retryLater(child: Child, reason: ExitReason): void {
    const retry = new RetryRestart(child, reason, false);
    this.children.setStatus(child, 'restarting');
    child.retry = retry;
    const { server } = this;
    server.runtime.clock.nextTurn(() => server.deliver(INFO_ENVELOPE, retry));
  }

  // --- requests -----------------------------------------------------------------------------------------------------------

  /** Adds a child behind the others and starts it (S17). */
  async startChild(spec: ChildSpec): Promise<Reply<Pid | undefined, null>> {
    const complete = completeChildSpec(spec, this.setup.label, this.setup.options.autoShutdown);
    const present = this.children.get(complete.id);
    if (present !== undefined) {
      if (present.status === 'restarting') throw this.problem(present.spec.id, 'restarting');
      if (present.process === null) throw this.problem(present.spec.id, 'already_present');
      throw new AlreadyStartedError(present.printedId, present.process.pid.toString());
    }
    const child = new Child(complete);
    this.children.add(child);
    const outcome = await this.start(child);
    if (outcome.status === 'error') {
      this.children.remove(child);
      throw this.startError(child, outcome.reason);
    }
    if (outcome.status === 'ignore' && complete.restart === 'temporary') this.children.remove(child);
    return reply<Pid | undefined, null>(child.process?.pid as never, null);
  }

  /** Stops a child and keeps its spec, unless it is temporary (S18). Stopping a stopped one is fine. */
  async terminateChild(id: ChildId): Promise<Reply<undefined, never>> {
    const child = this.getChild(id);
    await this.stopAll([child]);
    return reply(undefined);
  }

  /** Starts a stopped child again, in its old place (S18). */
  async restartChild(id: ChildId): Promise<Reply<Pid | undefined, null>> {
    const child = this.getChild(id);
    if (child.status !== 'stopped') throw this.problem(id, child.status);
    child.attempts = 0;
    const outcome = await this.start(child);
    if (outcome.status === 'error') throw this.startError(child, outcome.reason);
    return reply<Pid | undefined, null>(child.process?.pid as never, null);
  }

  /** Forgets a stopped child (S18). */
  deleteChild(id: ChildId): Reply<undefined, never> {
    const child = this.getChild(id);
    if (child.status !== 'stopped') throw this.problem(id, child.status);
    this.children.remove(child);
    return reply(undefined);
  }

  /** The children in the order they are started. */
  whichChildren(): Reply<readonly ChildInfo[], never> {
    return reply(
      this.children.all().map(({ spec: { id, type }, process, status }) => ({
        id,
        pid: process?.pid,
        status,
        type,
      })) as never,
    );
  }

  countChildren(): Reply<ChildCounts, never> {
    return reply(this.children.count());
  }

  // --- one child ----------------------------------------------------------------------------------------------------------

  /** Starts a child and waits for its `init`. Its name is taken when this first awaits. */
  private async start(child: Child): Promise<StartOutcome> {
    const { server } = this;
    if (this.isStopping) return { status: 'error', reason: 'shutdown', cause: undefined };
    let spawned: Spawned;
    try {
      spawned = child.spec.start(server, child.pid);
    } catch (thrown) {
      return { status: 'error', reason: reasonOfThrown(thrown), cause: thrown };
    }
    if (!isSpawned(spawned)) return { status: 'error', reason: spawned, cause: undefined }; // S24
    this.children.setProcess(child, spawned.process);
    this.starting = child;
    if (this.isStopping) this.interruptStart();
    const slow = new CallbackDeadline(() => this.reports.childStartSlow(child, SLOW_START_MS));
    server.runtime.deadlines.add(slow, SLOW_START_MS);
    const outcome = await spawned.outcome;
    slow.cancel();
    this.starting = null;
    this.children.setStatus(child, outcome.status === 'ok' ? 'running' : 'stopped');
    if (outcome.status === 'ok') child.upSince = server.runtime.clock.now();
    else this.children.setProcess(child, null);
    return outcome;
  }

  /** This supervisor is to end while a child is in `init`: the child gets the time to end that its spec gives it, and no more. */
  private interruptStart(): void {
    const { starting } = this;
    if (starting?.process != null) void this.stopOne(starting, starting.process);
  }

  /** Stops children in reverse order. Temporary ones are forgotten. */
  private async stopAll(children: readonly Child[]): Promise<void> {
    for (const child of children.toReversed()) {
      const { process } = child;
      this.children.setProcess(child, null);
      this.children.setStatus(child, 'stopped');
      if (child.retryTimer !== null) cancelTimer(this.server.runtime, child.retryTimer);
      child.retry = child.retryTimer = null;
      if (process !== null) await this.stopOne(child, process);
      if (child.spec.restart === 'temporary') this.children.remove(child);
    }
  }

  private async stopOne(child: Child, process: GenServerProcess): Promise<void> {
    const wasAlive = process.isAlive;
    const { shutdownMs } = child.spec;
    const end = await shutDown(this.server, process, shutdownMs);
    if (wasAlive) this.reports.childStopped(child, process.pid, end, shutdownMs);
  }

  private getChild(id: ChildId): Child {
    const child = this.children.get(id);
    if (child === undefined) throw this.problem(id, 'not_found');
    return child;
  }

  private problem(id: ChildId, problem: ChildStateError['problem']): ChildStateError {
    return new ChildStateError(this.setup.label, formatName(id), problem);
  }

  private startError(child: Child, reason: ExitReason): ChildStartError {
    const told = this.server.runtime.redaction.reason(reason);
    return new ChildStartError(this.setup.label, child.printedId, told, formatReason(told));
  }

  private reportFailedStart(child: Child, reason: ExitReason, isRestart: boolean): void {
    if (this.isStopping) return;
    this.reports.childStartFailed(child, reason, isRestart);
  }

  private elapsedSince(begin: number): number {
    return this.server.runtime.clock.now() - begin;
  }
}

function isSpawned(value: unknown): value is Spawned {
  return typeof value === 'object' && value !== null && 'process' in value && 'outcome' in value;
}
