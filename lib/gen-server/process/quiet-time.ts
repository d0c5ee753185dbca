import { INFO_ENVELOPE, SYSTEM } from '../../runtime/mailbox/envelope.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Mailbox } from '../../runtime/mailbox/mailbox.js';
import type { Process } from '../../runtime/process.js';
import { Deadline } from '../../runtime/time/deadline.js';
import type { StartPlan } from '../definition/start-plan.js';
import { Timeout } from '../results/messages.js';
import type { CallRequest } from './call-request.js';
import type { Debugging } from './debugging.js';

/** A process that may have nothing to do for a while. */
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

/** The reason of a process that ended for want of work. Clean, so a transient child is not restarted. */
const PASSIVATED = Object.freeze({ shutdown: 'idle' });

/** Whether a process ended because of its `idleMs`, and not because somebody stopped it with a reason that looks the same. */
export function isPassivation(reason: ExitReason): boolean {
  return reason === PASSIVATED;
}

const TIMEOUT = Object.freeze(new Timeout());

/** The timeout that a result asked for (T1). */
class IdleDeadline extends Deadline {
  lengthMs = 0;
  /** It ran out while a request of the system was waiting, which starts it again (T4). */
  hasLapsed = false;
  /** The message in hand cut it short. */
  private wasCutShort = false;
  /** The previous message also cut it short, and did not count. */
  private isDisregarded = false;

  constructor(private readonly server: QuietServer) {
    super();
  }

  expire(): void {
    idleTimeIsOver(this.server, this);
  }

  /** A message has come (T1). */
  interrupt(): void {
    this.wasCutShort = this.isPending || this.hasLapsed || (this.wasCutShort && this.isDisregarded);
    this.isDisregarded = false;
    this.cancel();
  }

  /** The message does not count. Answers whether the timeout is to start again. */
  disregardMessage(): boolean {
    return (this.isDisregarded = this.wasCutShort);
  }

  override cancel(): void {
    this.hasLapsed = false;
    super.cancel();
  }
}

/** Ends a process that nobody needed for a while. */
class Passivation extends Deadline {
  constructor(private readonly server: QuietServer) {
    super();
  }

  expire(): void {
    passivate(this.server);
  }
}

/** What a process waits for while nothing comes: the timeout of a result, and the end of its usefulness. */
export class QuietTime {
  idle: IdleDeadline | null = null;
  passivation: Passivation | null = null;
  /** How many tasks of the process run, and how many of its streams are being read. */
  workCount = 0;

  /** A message has come; one of the system leaves the timeout alone. */
  interrupt(isSystem: boolean): void {
    if (this.passivation !== null) this.passivation.cancel();
    if (this.idle !== null && !isSystem) this.idle.interrupt();
  }

  cancel(): void {
    this.idle?.cancel();
    this.passivation?.cancel();
  }
}

/** There is nothing to do for now: from here on counts what `idleMs` allows. */
export function beginQuiet(server: QuietServer): void {
  const { idleMs } = server.plan;
  if (idleMs === Infinity || server.status !== 'running' || server.isSuspended) return;
  const quiet = quietTimeOf(server);
  if (quiet.workCount > 0) return;
  const passivation = (quiet.passivation ??= new Passivation(server));
  if (!passivation.isPending) server.runtime.deadlines.add(passivation, idleMs);
}

/** Something besides messages needs this process: until {@link endWork} it is not idle. */
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
 * The mailbox has been empty for `idleMs`. A caller who waits for an answer still needs the process, though, and so does a timer: what
 * it will send is something to do.
 */
function passivate(server: QuietServer): void {
  const isNeeded = server.isFenced || server.isBusy || server.hasContinuation || server.queueLength > 0;
  if (server.status !== 'running' || isNeeded) return;
  if (isExpectingSomething(server)) beginQuiet(server);
  else server.inLoop(() => server.terminate(PASSIVATED, undefined));
}

/** Whether an answer is owed, or a timer of this incarnation will bring a message. */
function isExpectingSomething({ unanswered, relations, quiet }: QuietServer): boolean {
  if (unanswered !== null && unanswered.size > 0) return true;
  if (relations !== null && (isFilled(relations.timers) || isFilled(relations.timersToOwnName))) return true;
  const idle = quiet === null ? null : quiet.idle;
  return idle !== null && idle.isPending && idle.lengthMs !== Infinity;
}

function isFilled(timers: ReadonlySet<Deadline> | null): boolean {
  return timers !== null && timers.size > 0;
}

/** Starts the timeout that a result asked for. */
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

/** A request of the system neither cancels a pending timeout nor lets it lapse: the timeout starts again in full (T4). */
export function rearmIdle(server: QuietServer): void {
  const idle = server.quiet === null ? null : server.quiet.idle;
  if (idle !== null && (idle.isPending || idle.hasLapsed)) armIdle(server, idle.lengthMs);
}

/** The message in hand was refused and no code of the user's saw it: a timeout that it cut short starts again. */
export function disregardMessage(server: QuietServer): void {
  const idle = server.quiet === null ? null : server.quiet.idle;
  if (idle !== null && idle.disregardMessage()) armIdle(server, idle.lengthMs);
}

/** A message that came in time counts, even when its turn has not come yet (T1). */
function idleTimeIsOver(server: QuietServer, idle: IdleDeadline): void {
  if (hasMessage(server)) return;
  if (server.queueLength === 0 && !server.isSuspended) server.deliver(INFO_ENVELOPE, TIMEOUT);
  else idle.hasLapsed = true;
}

/** Whether the next in the queue is a message, rather than a request of the system. */
function hasMessage(server: QuietServer): boolean {
  const { debugging } = server;
  if (debugging !== null && debugging.heldBackLength > 0) return true;
  return server.queueLength > 0 && server.mailbox!.peek().kind !== SYSTEM;
}

function quietTimeOf(server: QuietServer): QuietTime {
  return (server.quiet ??= new QuietTime());
}
