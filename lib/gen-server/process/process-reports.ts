import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Pid } from '../../runtime/pid.js';
import type { Runtime } from '../../runtime/runtime.js';
import { describeKey, isFrozen } from '../../runtime/secrets/inspect-safely.js';
import type { CallRequest } from './call-request.js';
import { BadReturnValueError } from '../errors.js';
import type {
  CrashReport,
  LastMessage,
  Hibernated,
  LiveStateShared,
  MailboxHighWater,
  UnexpectedMessage,
} from '../events.js';
import type { Invocation, ServerDefinition } from '../definition/server-definition.js';
import type { InitArguments } from '../definition/start-options.js';

// The events of a server process. An event is built only if a listener wants it, because most of the time none does.

/** The process that an event is about. */
export interface ReportedServer {
  readonly runtime: Runtime;
  readonly pid: Pid;
  readonly label: string;
  readonly definition: ServerDefinition;
  readonly queueLength: number;
  readonly clonesMessages: boolean;
  /** The state as logs and inspection may show it (E14). */
  visibleState(): unknown;
}

/** The part of the end of a process that a crash report contains. */
interface Crash {
  readonly reason: ExitReason;
  readonly cause: unknown;
  readonly former: unknown;
  readonly invocation: Invocation | undefined;
  readonly payload: unknown;
}

/** Reports that a process that was up ends with a reason that is not clean. */
export function reportCrash(server: ReportedServer, { reason, cause, former, invocation, payload }: Crash): void {
  if (!server.runtime.events.wants('gen_server.crashed')) return;
  const message = invocation === undefined ? undefined : describeKey(invocation.handler.name);
  const lastMessage = invocation === undefined ? undefined : lastMessageOf(server, invocation, payload);
  emitCrash(server, { reason, cause, message, lastMessage, ...(former === undefined ? {} : { former }) });
}

/** Reports that `init` failed with a reason that is not clean. */
export function reportFailedInit(server: ReportedServer, reason: ExitReason, cause: unknown): void {
  if (!server.runtime.events.wants('gen_server.crashed')) return;
  emitCrash(server, { reason, cause, message: 'init', lastMessage: undefined });
}

function emitCrash(
  server: ReportedServer,
  crash: Pick<CrashReport, 'reason' | 'cause' | 'message' | 'lastMessage' | 'former'>,
): void {
  const { runtime, pid, label, queueLength } = server;
  const state = server.visibleState();
  const event: CrashReport = { type: 'gen_server.crashed', pid, label, ...crash, state, queueLength };
  runtime.events.emit(event);
}

/** The message that a process was handling, with redacted arguments. */
function lastMessageOf({ runtime, definition }: ReportedServer, invocation: Invocation, payload: unknown): LastMessage {
  const { handler } = invocation;
  const { calls, casts, continues, anyCall, anyCast, anyContinue } = definition;
  const { name, secrets } = handler;
  const args = runtime.redaction.arguments(invocation.argumentsOf(payload), secrets);
  // A plain behaviour takes all requests with one callback, whose name would say nothing about the message.
  if (handler === anyCall) return { kind: 'call', handler: undefined, args };
  if (handler === anyCast) return { kind: 'cast', handler: undefined, args };
  if (handler === anyContinue) return { kind: 'continue', handler: undefined, args };
  if (calls.get(name) === handler) return { kind: 'call', handler: name, args };
  if (casts.get(name) === handler) return { kind: 'cast', handler: name, args };
  if (continues.get(name) === handler) return { kind: 'continue', handler: name, args };
  return { kind: 'info', handler: undefined, args };
}

/** Reports that the backlog has reached a high-water mark. */
export function reportHighWater({ runtime, pid, label }: ReportedServer, queueLength: number): void {
  if (!runtime.events.wants('gen_server.mailbox_high_water')) return;
  const event: MailboxHighWater = { type: 'gen_server.mailbox_high_water', pid, label, queueLength };
  runtime.events.emit(event);
}

/** Reports an info that no handler takes. */
export function reportUnexpectedMessage({ runtime, pid, label }: ReportedServer, message: unknown): void {
  if (!runtime.events.wants('gen_server.unexpected_message')) return;
  const event: UnexpectedMessage = { type: 'gen_server.unexpected_message', pid, label, message };
  runtime.events.emit(event);
}

/** Reports that a process has hibernated (T7). */
export function reportHibernated({ runtime, pid, label }: ReportedServer): void {
  if (!runtime.events.wants('gen_server.hibernated')) return;
  const event: Hibernated = { type: 'gen_server.hibernated', pid, label };
  runtime.events.emit(event);
}

/** Warns if a reply is the live state, which the caller could then change without the server's knowledge. */
export function warnOfSharedReply(server: ReportedServer, value: unknown, { invocation }: CallRequest): void {
  if (mayBeShared(server, value)) warnOfSharedState(server, `the reply of ${describeKey(invocation.handler.name)}`);
}

/** Warns if an argument of `init` has become the live state, for the same reason as {@link warnOfSharedReply}. */
export function warnOfSharedArguments(server: ReportedServer, state: unknown, args: InitArguments): void {
  if (!mayBeShared(server, state)) return;
  if (typeof args !== 'function' && args.includes(state)) warnOfSharedState(server, 'an argument of init');
}

/** Makes the error for a return value that is not a valid result of the callback (R2, R3). */
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
  return typeof value === 'object' && value !== null && !isFrozen(value);
}

function warnOfSharedState({ runtime, pid, label }: ReportedServer, what: string): void {
  if (!runtime.events.wants('gen_server.live_state_shared')) return;
  const event: LiveStateShared = { type: 'gen_server.live_state_shared', pid, label, what };
  runtime.events.emit(event);
}
