import { INFO_ENVELOPE, SYSTEM } from '../../runtime/mailbox/envelope.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Mailbox } from '../../runtime/mailbox/mailbox.js';
import type { Process } from '../../runtime/process.js';
import { Deadline } from '../../runtime/time/deadline.js';
import type { StartPlan } from '../definition/start-plan.js';
import { Timeout } from '../results/messages.js';
import type { CallRequest } from './call-request.js';
import type { Debugging } from './debugging.js';

/** A process that can become idle. */
export interface QuietServer extends Process {
  readonly plan: StartPlan;
  readonly debugging: Debugging | null;
  readonly isSuspended: boolean;
  readonly unanswered: ReadonlySet<CallRequest> | null;
  readonly mailbox: Mailbox | null;
  readonly hasContinuation: boolean;
  quiet: QuietTime | null;
  terminate(reason: ExitReason, cause: unknown): void;
}

/** The exit reason of a process that was idle for `idleMs`. It is a clean one, so a transient child is not restarted. */
const PASSIVATED = Object.freeze({ shutdown: 'idle' });

/** Whether a process ended because of its `idleMs`, and not because somebody stopped it with a reason that looks the same. */
export function isPassivation(reason: ExitReason): boolean {
  return reason === PASSIVATED;
}

const TIMEOUT = Object.freeze(new Timeout());

/** The timeout that a result requested (T1). */
class IdleDeadline extends Deadline {
  lengthMs = 0;
  /** It expired while a system request was waiting, which will start it again (T4). */
  hasLapsed = false;
  /** The current message cut it short. */
  private wasCutShort = false;
  /** The previous message also cut it short, and did not count. */
  private isDisregarded = false;

  constructor(private readonly server: QuietServer) {
    super();
  }

  expire(): void {
    idleTimeIsOver(this.server, this);
  }

  /** Cancels the timeout, because a message is being handled (T1). */
  interrupt(): void {
    this.wasCutShort = this.isPending || this.hasLapsed || (this.wasCutShort && this.isDisregarded);
    this.isDisregarded = false;
    this.cancel();
  }

  /** Called if the current message does not count. Returns whether the timeout must start again. */
  disregardMessage(): boolean {
    return (this.isDisregarded = this.wasCutShort);
  }

  override cancel(): void {
    this.hasLapsed = false;
    super.cancel();
  }
}

/** Ends a process that has been idle for `idleMs`. */
class Passivation extends Deadline {
  constructor(private readonly server: QuietServer) {
    super();
  }

  expire(): void {
    passivate(this.server);
  }
}

/** The deadlines of a process without messages: the timeout of a result, and the passivation after `idleMs`. */
export class QuietTime {
  idle: IdleDeadline | null = null;
  passivation: Passivation | null = null;
  /** The number of running tasks of the process, plus the number of its streams that are being read. */
  workCount = 0;

  /** Called for each message that is handled. A system request does not cancel the timeout of a result. */
  interrupt(isSystem: boolean): void {
    if (this.passivation !== null) this.passivation.cancel();
    if (this.idle !== null && !isSystem) this.idle.interrupt();
  }

  cancel(): void {
    this.idle?.cancel();
    this.passivation?.cancel();
  }
}

/** Starts to count `idleMs`, because the process has nothing to do for now. */
export function beginQuiet(server: QuietServer): void {
  const { idleMs } = server.plan;
  if (idleMs === Infinity || server.status !== 'running' || server.isSuspended) return;
  const quiet = quietTimeOf(server);
  if (quiet.workCount > 0) return;
  const passivation = (quiet.passivation ??= new Passivation(server));
  if (!passivation.isPending) server.runtime.deadlines.add(passivation, idleMs);
}

/** Keeps the process from being idle until {@link endWork}, because a task or a stream needs it. */
export function beginWork(server: QuietServer): void {
  const quiet = quietTimeOf(server);
  quiet.workCount++;
  quiet.passivation?.cancel();
}

export function endWork(server: QuietServer): void {
  quietTimeOf(server).workCount--;
  if (!server.isBusy && server.queueLength === 0) beginQuiet(server);
}

/**
 * Ends a process whose mailbox has been empty for `idleMs`, unless it is still needed: by a caller that waits for an answer, or by a timer
 * that will bring a message.
 */
function passivate(server: QuietServer): void {
  const isNeeded = server.isFenced || server.isBusy || server.hasContinuation || server.queueLength > 0;
  if (server.status !== 'running' || isNeeded) return;
  if (isExpectingSomething(server)) beginQuiet(server);
  else server.inLoop(() => server.terminate(PASSIVATED, undefined));
}

/** Whether a caller waits for an answer, or a timer of this incarnation will bring a message. */
function isExpectingSomething({ unanswered, relations, quiet }: QuietServer): boolean {
  if (unanswered !== null && unanswered.size > 0) return true;
  if (relations !== null && (hasTimer(relations.timers) || hasTimer(relations.timersToOwnName))) return true;
  const idle = quiet === null ? null : quiet.idle;
  return idle !== null && idle.isPending && idle.lengthMs !== Infinity;
}

function hasTimer(timers: ReadonlySet<Deadline> | null): boolean {
  return timers !== null && timers.size > 0;
}

/** Starts the timeout that a result requested. */
export function armIdle(server: QuietServer, lengthMs: number): void {
  const quiet = quietTimeOf(server);
  quiet.idle?.cancel();
  if (hasMessage(server)) return; // T2
  if (lengthMs === 0 && server.queueLength === 0) {
    server.deliver(INFO_ENVELOPE, TIMEOUT);
    return;
  }
  const idle = (quiet.idle ??= new IdleDeadline(server));
  idle.lengthMs = lengthMs;
  server.runtime.deadlines.add(idle, lengthMs);
}

/** Starts a pending timeout again in full after a system request, which neither cancels it nor lets it expire (T4). */
export function rearmIdle(server: QuietServer): void {
  const idle = server.quiet === null ? null : server.quiet.idle;
  if (idle !== null && (idle.isPending || idle.hasLapsed)) armIdle(server, idle.lengthMs);
}

/** Starts the timeout again that the current message cut short, because the message was refused before any code of the user saw it. */
export function disregardMessage(server: QuietServer): void {
  const idle = server.quiet === null ? null : server.quiet.idle;
  if (idle !== null && idle.disregardMessage()) armIdle(server, idle.lengthMs);
}

/** Delivers the `Timeout`, unless a message came in time, even if it has not been handled yet (T1). */
function idleTimeIsOver(server: QuietServer, idle: IdleDeadline): void {
  if (hasMessage(server)) return;
  if (server.queueLength === 0 && !server.isSuspended) server.deliver(INFO_ENVELOPE, TIMEOUT);
  else idle.hasLapsed = true;
}

/** Whether a message is waiting whose turn comes before any system request. */
function hasMessage(server: QuietServer): boolean {
  const { debugging } = server;
  if (debugging !== null && debugging.heldBackLength > 0) return true;
  return server.queueLength > 0 && server.mailbox!.peek().kind !== SYSTEM;
}

function quietTimeOf(server: QuietServer): QuietTime {
  return (server.quiet ??= new QuietTime());
}
