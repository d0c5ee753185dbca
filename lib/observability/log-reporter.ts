import { formatIssue } from '../gen-server/arguments-refused-error.js';
import type {
  ArgumentsRefused,
  CastDropped,
  CrashReport,
  DeadLettersLeft,
  LastMessage,
  LiveStateShared,
  MailboxHighWater,
  MessageShed,
  UnexpectedMessage,
} from '../gen-server/events.js';
import type { TaskCrashed } from '../gen-server/tasks/task-process.js';
import type { Pid } from '../runtime/pid.js';
import type { BroadcastDropped, RegistryListenerDetached } from '../registry/events.js';
import type { ProcessExited } from '../runtime/runtime.js';
import type {
  ChildExited,
  ChildRestarted,
  ChildStartFailed,
  ChildStartSlow,
  ChildStopped,
  ChildSuperseded,
  RestartsExceeded,
  SupervisorStarted,
  SupervisorStopped,
} from '../supervision/events.js';
import type { EventBus } from './event-bus.js';
import type { GenServerEvent, ListenerDetached } from './events.js';
import { excerpt, excerptOfReason, oneLine, stackOf } from './excerpt.js';
import { describeKey, isError } from '../runtime/secrets/inspect-safely.js';

/** Where the lines go. Nest's own logger is one. */
export interface Logger {
  error(message: string, stack?: string): void;
  warn(message: string): void;
  log(message: string): void;
  debug(message: string): void;
}

/** What is told once is remembered, up to so many: names and pids are without end, the memory of a reporter is not. */
const MOST_REMEMBERED = 1_000;
const LONGEST_MESSAGE = 1_000;

/**
 * Writes what happened to a log: fixed titles to search for, one line of summary, then details. An abnormal exit gives one
 * report, by whoever saw most of it: the server itself where code of its own failed, else its supervisor. Starts and clean
 * ends are not logged (E14). Never throws, whatever the values look like and whatever the logger does.
 */
export class LogReporter {
  private readonly toldOnce = new Set<string>();
  private readonly crashed = new WeakSet<Pid>();
  private lastReason: unknown = undefined;

  /** @param isRead  Whether lines go anywhere now. While they do not, none is put into words: a stack alone takes microseconds. */
  constructor(
    private readonly logger: Logger,
    private readonly isRead: () => boolean = () => true,
  ) {}

  /** Begins to report. Answers how to stop. */
  subscribe(events: EventBus): () => void {
    const { isRead } = this;
    type Report<T> = (event: Extract<GenServerEvent, { type: T }>) => void;
    const on = <T extends GenServerEvent['type']>(type: T, report: Report<T>): (() => void) =>
      events.on(type, (event) => this.write(() => report(event)), isRead);
    const onTrouble = <T extends GenServerEvent['type']>(type: T, report: Report<T>): (() => void) =>
      events.onTrouble(type, (event) => this.write(() => report(event)), isRead);
    const subscriptions = [
      on('gen_server.crashed', (event) => this.onCrash(event)),
      on('gen_server.unexpected_message', (event) => this.onUnexpectedMessage(event)),
      on('gen_server.live_state_shared', (event) => this.onLiveStateShared(event)),
      on('gen_server.arguments_refused', (event) => this.onArgumentsRefused(event)),
      on('gen_server.cast_dropped', (event) => this.onCastDropped(event)),
      on('gen_server.dead_letters', (event) => this.onDeadLetters(event)),
      on('gen_server.mailbox_high_water', (event) => this.onHighWater(event)),
      on('gen_server.message_shed', (event) => this.onMessageShed(event)),
      on('task.crashed', (event) => this.onTaskCrashed(event)),
      onTrouble('process.exited', (event) => this.onExit(event)),
      on('supervisor.started', (event) => this.onSupervisorStarted(event)),
      on('supervisor.stopped', (event) => this.onSupervisorStopped(event)),
      onTrouble('supervisor.child_exited', (event) => this.onChildExited(event)),
      on('supervisor.child_restarted', (event) => this.onChildRestarted(event)),
      on('supervisor.child_start_failed', (event) => this.onStartFailed(event)),
      on('supervisor.child_superseded', (event) => this.onChildSuperseded(event)),
      on('supervisor.child_start_slow', (event) => this.onStartSlow(event)),
      onTrouble('supervisor.child_stopped', (event) => this.onChildStopped(event)),
      on('supervisor.restarts_exceeded', (event) => this.onRestartsExceeded(event)),
      on('registry.listener_detached', (event) => this.onRegistryListenerDetached(event)),
      on('registry.broadcast_dropped', (event) => this.onBroadcastDropped(event)),
      on('observability.listener_detached', (event) => this.onListenerDetached(event)),
    ];
    return () => {
      for (const unsubscribe of subscriptions) unsubscribe();
    };
  }

  // --- servers --------------------------------------------------------------------------------------------------------

  private onCrash(event: CrashReport): void {
    const { pid, label, reason, cause, message, lastMessage, former, state, queueLength } = event;
    this.crashed.add(pid);
    this.lastReason = reason;
    const where = message === undefined ? '' : ` in ${oneLine(message)}`;
    const details = [`state: ${excerpt(state)}`];
    if (lastMessage !== undefined) details.push(`last message: ${excerptOfMessage(lastMessage)}`);
    if (former !== undefined) details.unshift(`terminate had run for: ${excerptOfReason(former)}`);
    // A result that is none says in its cause what would have been one.
    if (isError(cause) && cause !== reason) details.unshift(`cause: ${excerptOfReason(cause)}`);
    if (queueLength > 0) details.push(`lost with it: ${messages(queueLength)} still queued`);
    this.error(
      'CRASH REPORT',
      `${label} ${pid.toString()} crashed${where}: ${excerptOfReason(reason)}`,
      details,
      cause ?? reason,
    );
  }

  private onUnexpectedMessage({ pid, label, message }: UnexpectedMessage): void {
    this.logger.warn(
      `UNEXPECTED MESSAGE ${label} ${pid.toString()} got a message that no handler takes: ${excerpt(message)}\n` +
        '  Handle it with @HandleInfo(tag), or find out who sends it. The server lives on.',
    );
  }

  private onLiveStateShared({ pid, label, what }: LiveStateShared): void {
    if (!this.isNews(`live state ${label} ${what}`)) return;
    this.logger.warn(
      `LIVE STATE SHARED ${label} ${pid.toString()}: ${what} is its live state, which others can now change behind its back.\n` +
        "  Hand out a copy, freeze the state, or start the server with isolation: 'clone'. Told once.",
    );
  }

  /** Who called was told; who cast never hears of it. */
  private onArgumentsRefused({ label, kind, handler, issues }: ArgumentsRefused): void {
    const what = `${label}.${describeKey(handler)}`;
    if (kind === 'call' || !this.isNews(`arguments ${what}`)) return;
    this.logger.warn(
      `ARGUMENTS REFUSED a cast to ${oneLine(what)} was dropped: ${oneLine(issues.slice(0, 3).map(formatIssue).join('; '))}\n` +
        '  More of the same are dropped silently. Told once.',
    );
  }

  private onCastDropped({ destination, handler, why }: CastDropped): void {
    const cast = `${describeKey(handler)} to ${destination}`;
    if (!this.isNews(`cast ${cast}`)) return;
    this.logger.warn(
      `CAST DROPPED ${oneLine(cast)}: ${oneLine(why)}\n  More of the same are dropped silently. Told once.`,
    );
  }

  private onDeadLetters({ pid, label, reason, casts, infos, handlers }: DeadLettersLeft): void {
    const names = [...handlers].map(([name, count]) => `${String(name)} × ${count}`);
    this.logger.warn(
      `DEAD LETTERS ${label} ${pid.toString()} ended (${excerptOfReason(reason)}) with ${casts} cast(s) and ${infos} sent message(s) ` +
        `not handled\n  ${oneLine(names.join(', '))}`,
    );
  }

  private onHighWater({ pid, label, queueLength }: MailboxHighWater): void {
    this.logger.warn(
      `MAILBOX HIGH WATER ${label} ${pid.toString()} has ${messages(queueLength)} waiting\n` +
        '  It handles them more slowly than they come. Call instead of casting, spread the work, or set maxMailbox.',
    );
  }

  /** The first, and then every tenfold: an overload is no time for one line per message. */
  private onMessageShed({ pid, label, kind, overflow, limit, totals }: MessageShed): void {
    const { calls, casts, infos } = totals;
    if (!/^10*$/.test(String(calls + casts + infos))) return;
    this.logger.warn(
      `MESSAGE SHED ${label} ${pid.toString()} is overloaded: a ${kind} did not fit its mailbox (limit ${limit}, ${overflow})\n` +
        `  Shed so far: ${calls} call(s), ${casts} cast(s), ${infos} info(s).`,
    );
  }

  /** Whoever waits for the result is told, and it is theirs to report. */
  private onTaskCrashed({ pid, label, reason, cause, isAwaited }: TaskCrashed): void {
    this.crashed.add(pid);
    const summary = `${label} ${pid.toString()} failed: ${excerptOfReason(reason)}`;
    if (isAwaited) this.logger.debug(`TASK REPORT ${summary}`);
    else this.error('TASK REPORT', summary, ['Nobody waited for its result.'], cause);
  }

  /** Whoever was killed or died with a linked process has not said so itself. */
  private onExit({ pid, label, reason }: ProcessExited): void {
    if (this.crashed.has(pid)) return;
    this.logger.debug(`PROCESS EXIT ${label} ${pid.toString()}: ${excerptOfReason(reason)}`);
  }

  // --- supervisors ----------------------------------------------------------------------------------------------------

  private onSupervisorStarted({ supervisor, pid, isRoot, children, tookMs }: SupervisorStarted): void {
    const summary = `PROGRESS REPORT ${supervisor} ${pid.toString()} is up: ${children} child(ren) in ${round(tookMs)} ms`;
    if (isRoot) this.logger.log(summary);
    else this.logger.debug(summary);
  }

  private onSupervisorStopped({ supervisor, pid, isRoot, reason, tookMs }: SupervisorStopped): void {
    const summary = `PROGRESS REPORT ${supervisor} ${pid.toString()} is down after ${round(tookMs)} ms: ${excerptOfReason(reason)}`;
    if (isRoot) this.logger.log(summary);
    else this.logger.debug(summary);
  }

  private onChildExited({ supervisor, childId, pid, reason }: ChildExited): void {
    if (this.crashed.has(pid)) return;
    this.lastReason = reason;
    this.error(
      'SUPERVISOR REPORT',
      `${supervisor}: child ${oneLine(childId)} ${pid.toString()} ended: ${excerptOfReason(reason)}`,
      ['It ended by an exit signal: it was killed, or a process it is linked to ended.'],
      reason,
    );
  }

  private onChildRestarted({ supervisor, childId, pid, reason }: ChildRestarted): void {
    this.logger.debug(
      `SUPERVISOR REPORT ${supervisor}: child ${oneLine(childId)} was started again as ${pid.toString()} after ${excerptOfReason(reason)}`,
    );
  }

  private onStartFailed({ supervisor, childId, reason, isRestart }: ChildStartFailed): void {
    const next = isRestart
      ? 'It is tried again; each attempt counts as a restart.'
      : 'The children before it are stopped, and the supervisor does not start.';
    const cause = this.lastReason === reason ? undefined : reason; // its stack was printed by its own report
    this.error(
      'SUPERVISOR REPORT',
      `${supervisor}: child ${oneLine(childId)} did not start${isRestart ? ' again' : ''}: ${excerptOfReason(reason)}`,
      [next],
      cause,
    );
  }

  private onChildSuperseded({ supervisor, childId, holder }: ChildSuperseded): void {
    this.logger.warn(
      `SUPERVISOR REPORT ${supervisor}: child ${oneLine(childId)} was not started again: ${holder} has its name\n` +
        '  It is forgotten. Start it anew under another name, or when the other has ended.',
    );
  }

  private onStartSlow({ supervisor, childId, waitedMs }: ChildStartSlow): void {
    this.logger.warn(
      `SLOW START ${supervisor}: child ${oneLine(childId)} has been in init for ${round(waitedMs)} ms\n` +
        '  Everything behind it waits. Give it a startTimeoutMs, or do the work in a @HandleContinue.',
    );
  }

  private onChildStopped({ supervisor, childId, pid, reason, tookMs, undrained }: ChildStopped): void {
    const details = [`after: ${round(tookMs)} ms`];
    if (undrained > 0) details.push(`lost with it: ${messages(undrained)} still queued`);
    if (reason === 'killed')
      details.push('It took longer than its shutdownMs; give it more time, or less to do in terminate.');
    this.error(
      'SUPERVISOR REPORT',
      `${supervisor}: child ${oneLine(childId)} ${pid.toString()} did not stop as it was asked to: ${excerptOfReason(reason)}`,
      details,
      this.crashed.has(pid) ? undefined : reason,
    );
  }

  private onRestartsExceeded(event: RestartsExceeded): void {
    const { supervisor, childId, strategy, maxRestarts, withinMs, reason } = event;
    this.error(
      'SUPERVISOR REPORT',
      `${supervisor} gives up: more than ${maxRestarts} restart(s) within ${withinMs} ms`,
      [
        `last child: ${oneLine(childId)}, which ended with ${excerptOfReason(reason)}`,
        `strategy: ${strategy}`,
        'It stops its children and exits; its own supervisor decides what comes next.',
      ],
      this.lastReason === reason ? undefined : reason,
    );
  }

  private onListenerDetached({ during, error }: ListenerDetached): void {
    this.logger.warn(
      `LISTENER DETACHED a listener threw on ${during} and hears nothing any more: ${excerptOfReason(error)}` +
        detailsOf([stackOf(error)]),
    );
  }

  private onRegistryListenerDetached({ source, error }: RegistryListenerDetached): void {
    this.logger.warn(
      `LISTENER DETACHED a listener of ${oneLine(source)} threw and hears nothing any more: ${excerptOfReason(error)}` +
        detailsOf([stackOf(error)]),
    );
  }

  private onBroadcastDropped({ topic, error }: BroadcastDropped): void {
    const summary = `BROADCAST DROPPED what another node broadcast on '${oneLine(topic)}' was not delivered: ${excerptOfReason(error)}`;
    if (this.isNews(summary)) this.logger.warn(`${summary}\n  More of the same are dropped silently. Told once.`);
  }

  // --- lines ----------------------------------------------------------------------------------------------------------

  private error(title: string, summary: string, details: readonly string[], cause: unknown): void {
    this.logger.error(`${title} ${summary}${detailsOf(details)}`, stackOf(cause));
  }

  private isNews(what: string): boolean {
    if (this.toldOnce.has(what)) return false;
    if (this.toldOnce.size >= MOST_REMEMBERED) this.toldOnce.clear();
    this.toldOnce.add(what);
    return true;
  }

  private write(line: () => void): void {
    try {
      line();
    } catch {
      // The logger itself is broken. There is nowhere to say so, and the servers must not suffer for it.
    }
  }
}

function detailsOf(details: readonly (string | undefined)[]): string {
  return details.map((detail) => (detail === undefined ? '' : `\n  ${detail}`)).join('');
}

function messages(count: number): string {
  return count === 1 ? '1 message' : `${count} messages`;
}

function round(ms: number): number {
  return Math.round(ms);
}

/** A message as it was sent: `call add('milk', 2)`; what has no handler of its own as it is. */
function excerptOfMessage({ kind, handler, args }: LastMessage): string {
  const list = args.map(excerpt).join(', ');
  return oneLine(`${kind} ${handler === undefined ? list : `${String(handler)}(${list})`}`, LONGEST_MESSAGE);
}
