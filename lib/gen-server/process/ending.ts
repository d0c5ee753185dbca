import { CALL } from '../../runtime/mailbox/envelope.js';
import {
  type ExitReason,
  formatReason,
  isCleanExit,
  isError,
  reasonOfThrown,
} from '../../runtime/exits/exit-reason.js';
import type { Envelope } from '../../runtime/mailbox/mailbox.js';
import type { Invocation } from '../definition/server-definition.js';
import type { ServerInstance } from '../definition/server-instance.js';
import type { CallRequest } from './call-request.js';
import { countDeadLetter } from './dead-letters.js';
import { type CallbackServer, type OwnCallback, runOwnCallback } from './own-callback.js';
import type { ExitMark, ProcessExtras } from './process-extras.js';
import type { ToldOfExit } from './told-of-exit.js';
import { reportCrash, type ReportedServer } from './process-reports.js';
import type { QuietTime } from './quiet-time.js';
import type { Starting } from './starting.js';
import { SystemRequest } from './system-request.js';

/** The `self` of a process, as the process sees it. */
export interface OwnHandle {
  /** Called when the incarnation has ended. */
  close(reason: ExitReason): void;
}

/** A process that is about to end, or runs its `terminate`. */
export interface EndingServer extends CallbackServer, ReportedServer {
  readonly instance: ServerInstance | null;
  readonly exitMark: ExitMark | null;
  readonly starting: Starting | null;
  readonly handle: OwnHandle | null;
  readonly extrasInUse: ProcessExtras;
  extras: ProcessExtras | null;
  quiet: QuietTime | null;
  /** The call that is being handled. */
  request: CallRequest | null;
  ending: Ending | null;
  answer(request: CallRequest, value: unknown): void;
  end(reason: ExitReason): void;
}

/** How a process is going to end, while `terminate` runs. */
export interface Ending {
  reason: ExitReason;
  cause: unknown;
  /** The message that was being handled, if there was one. */
  readonly invocation: Invocation | undefined;
  readonly payload: unknown;
  /** The call that `stop(…).reply(value)` answers after `terminate` (R6). */
  readonly request: CallRequest | null;
  readonly answer: unknown;
  /** The failure that caused `terminate` to run, if `terminate` failed as well. */
  former: unknown;
  /** The thrown value, set once `terminate` has finished: if the process is killed while it runs, the cause is another. */
  exitCause: unknown;
}

/** The `ending` of every process that has ended: the details are no longer needed. */
export const ENDED: Ending = Object.freeze({
  reason: undefined,
  cause: undefined,
  invocation: undefined,
  payload: undefined,
  request: null,
  answer: undefined,
  former: undefined,
  exitCause: undefined,
});

const TERMINATING: OwnCallback<EndingServer, ExitReason> = {
  run: ({ instance }, reason) => instance!.terminate!(reason),
  done: terminated,
  failed: terminateFailed,
};

/** Runs the user's `terminate`, then ends the process. */
export function terminate(server: EndingServer, ending: Ending): void {
  if (server.ending !== null) return;
  server.status = 'exiting';
  server.isBusy = true;
  server.hasContinuation = false;
  server.quiet?.idle?.cancel();
  if (server.extras !== null) server.extras.exitMark = null;
  server.ending = ending;
  if (server.instance?.terminate === undefined) finishTermination(server, ending);
  else runOwnCallback(server, TERMINATING, ending.reason);
}

function terminated(server: EndingServer): void {
  const { exitMark, ending } = server;
  if (exitMark !== null) endInstead(ending!, exitMark.reason, undefined);
  finishTermination(server, ending!);
}

function terminateFailed(server: EndingServer, thrown: unknown): void {
  const { exitMark, ending } = server;
  if (exitMark === null) endInstead(ending!, reasonOfThrown(thrown), thrown);
  else endInstead(ending!, exitMark.reason, undefined);
  finishTermination(server, ending!);
}

/** Replaces the exit reason by the failure of `terminate` (E8). The former reason becomes the cause of the new one, unless it was clean. */
function endInstead(ending: Ending, reason: ExitReason, cause: unknown): void {
  if (!isCleanExit(ending.reason)) {
    ending.former = ending.cause ?? ending.reason;
    keepAsCause(reason, ending.former);
  }
  ending.reason = reason;
  ending.cause = cause;
}

/** Sets the first failure as the `cause` of the second one, so that neither is lost. */
function keepAsCause(reason: ExitReason, former: unknown): void {
  if (!isError(reason) || reason === former) return;
  try {
    if (Object.hasOwn(reason, 'cause') || !Object.isExtensible(reason)) return;
    Object.defineProperty(reason, 'cause', { value: former, configurable: true, writable: true });
  } catch {
    // An error with throwing accessors or traps keeps its own cause; the crash report has both failures.
  }
}

function finishTermination(server: EndingServer, ending: Ending): void {
  const { reason, cause, request, answer } = ending;
  if (request !== null) server.answer(request, answer);
  ending.exitCause = cause;
  if (!isCleanExit(reason)) reportCrash(server, ending);
  server.end(reason);
}

/** Tells the callers that wait for an answer of a process that has just ended, and releases what the process holds. */
export function giveUp(server: EndingServer, reason: ExitReason): void {
  const { starting, ending, request, extras, quiet } = server;
  quiet?.cancel();
  starting?.deadline?.cancel();
  if (ending !== null && ending.request !== null) tellOfExit(server, ending.request, reason);
  if (request !== null) tellOfExit(server, request, reason);
  if (extras !== null) giveUpExtras(server, extras, reason);
  server.request = null;
  starting?.settle(server, {
    status: 'error',
    reason: starting.hasTimedOut ? 'timeout' : reason,
    cause: causeOf(server, reason),
  });
  server.handle?.close(reason);
}

function giveUpExtras(server: EndingServer, extras: ProcessExtras, reason: ExitReason): void {
  extras.deadLetters?.report(server, reason);
  extras.systemRequest?.serverExited(reason);
  if (extras.unanswered !== null) for (const request of extras.unanswered) tellOfExit(server, request, reason);
  extras.unanswered = null;
  extras.continuation = null;
}

/** Counts a message that will never be handled, and tells its sender if it waits for an answer. */
export function discard(server: EndingServer, envelope: Envelope, payload: unknown, reason: ExitReason): void {
  countDeadLetter(server, envelope, payload);
  if (envelope.kind === CALL) tellOfExit(server, envelope as CallRequest, reason);
  else if (envelope instanceof SystemRequest) envelope.serverExited(reason);
}

function tellOfExit(server: EndingServer, request: CallRequest, reason: ExitReason): void {
  const told = (server.extrasInUse.toldOfExit ??= toldOf(server, reason, causeOf(server, reason)));
  request.serverExited(told);
}

function toldOf({ runtime: { redaction } }: EndingServer, reason: ExitReason, cause: unknown): ToldOfExit {
  const told = redaction.reason(reason);
  return { reason: told, cause: cause === reason ? told : redaction.reason(cause), inWords: formatReason(told) };
}

/** The thrown value that caused the exit: from this process, or else the reason itself if it is an error. */
function causeOf({ ending, starting }: EndingServer, reason: ExitReason): unknown {
  const cause = ending === null ? starting?.cause : ending.exitCause;
  if (cause !== undefined) return cause;
  return isError(reason) ? reason : undefined;
}
