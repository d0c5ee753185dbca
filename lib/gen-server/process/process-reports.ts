import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Pid } from '../../runtime/pid.js';
import type { Runtime } from '../../runtime/runtime.js';
import type { CallRequest } from './call-request.js';
import { BadReturnValueError } from '../errors.js';
import type { CrashReport, Hibernated, LiveStateShared, MailboxHighWater, UnexpectedMessage } from '../events.js';
import type { InitArguments } from '../definition/start-options.js';

// What a server process has to tell. Events are built only when somebody listens: nobody does most of the time.

/** The process that something is told of. */
export interface ReportedServer {
  readonly runtime: Runtime;
  readonly pid: Pid;
  readonly label: string;
  readonly queueLength: number;
  readonly clonesMessages: boolean;
  /** The state as logs and inspection may show it (E14). */
  visibleState(): unknown;
}

/** It ends with a reason that is not clean. `message` is the handler that was running, where one was. */
export function reportCrash(
  server: ReportedServer,
  reason: ExitReason,
  cause: unknown,
  message: string | undefined,
): void {
  const { runtime, pid, label, queueLength } = server;
  if (!runtime.events.wants('gen_server.crashed')) return;
  const state = server.visibleState();
  const event: CrashReport = { type: 'gen_server.crashed', pid, label, reason, cause, message, state, queueLength };
  runtime.events.emit(event);
}

/** Its queue has become long. */
export function reportHighWater({ runtime, pid, label }: ReportedServer, queueLength: number): void {
  if (!runtime.events.wants('gen_server.mailbox_high_water')) return;
  const event: MailboxHighWater = { type: 'gen_server.mailbox_high_water', pid, label, queueLength };
  runtime.events.emit(event);
}

/** No handler takes the message. */
export function reportUnexpectedMessage({ runtime, pid, label }: ReportedServer, message: unknown): void {
  if (!runtime.events.wants('gen_server.unexpected_message')) return;
  const event: UnexpectedMessage = { type: 'gen_server.unexpected_message', pid, label, message };
  runtime.events.emit(event);
}

/** A result asked it to give its mailbox's memory back (T7). */
export function reportHibernated({ runtime, pid, label }: ReportedServer): void {
  if (!runtime.events.wants('gen_server.hibernated')) return;
  const event: Hibernated = { type: 'gen_server.hibernated', pid, label };
  runtime.events.emit(event);
}

/** A reply is the live state: whoever gets it could change it behind the server's back. */
export function warnOfSharedReply(server: ReportedServer, value: unknown, { invocation }: CallRequest): void {
  if (mayBeShared(server, value)) warnOfSharedState(server, `the reply of ${String(invocation.handler.name)}`);
}

/** An argument of `init` has become the live state, as {@link warnOfSharedReply}. */
export function warnOfSharedArguments(server: ReportedServer, state: unknown, args: InitArguments): void {
  if (!mayBeShared(server, state)) return;
  if (typeof args !== 'function' && args.includes(state)) warnOfSharedState(server, 'an argument of init');
}

/** What a callback returned is no result for it (R2, R3). */
export function badReturnValue(
  { label, runtime }: ReportedServer,
  callback: string | symbol,
  result: unknown,
  fault: string,
): BadReturnValueError {
  return new BadReturnValueError(label, callback, runtime.redaction.shown(result), fault);
}

function mayBeShared({ runtime, clonesMessages }: ReportedServer, value: unknown): boolean {
  if (!runtime.warnsOfSharedState || clonesMessages) return false;
  return typeof value === 'object' && value !== null && !Object.isFrozen(value);
}

function warnOfSharedState({ runtime, pid, label }: ReportedServer, what: string): void {
  if (!runtime.events.wants('gen_server.live_state_shared')) return;
  const event: LiveStateShared = { type: 'gen_server.live_state_shared', pid, label, what };
  runtime.events.emit(event);
}
