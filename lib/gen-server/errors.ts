import { GenServerError } from '../runtime/errors.js';
import { type ExitReason, formatReason } from '../runtime/exit-reason.js';
import { print } from '../runtime/print.js';

/** What was asked of a server. */
export interface RequestDescription {
  /** The handler, or for a plain behaviour the request itself. */
  readonly handler: string | symbol;
  readonly args: readonly unknown[];
}

/**
 * The server ended before it answered (C6). There is one error per caller.
 *
 * @publicApi
 */
export class ServerExitedError extends GenServerError {
  readonly code = 'SERVER_EXITED';

  constructor(
    /** The server, as people call it. */
    readonly server: string,
    readonly request: RequestDescription,
    /** Why it ended. `'normal'` and `'shutdown'` reject a waiting caller as well (R5). */
    readonly reason: ExitReason,
    cause: unknown,
  ) {
    super(`${server} ended while ${formatRequest(request)} was waiting for an answer: ${formatReason(reason)}`, {
      cause,
    });
  }
}

/**
 * No answer within the call's timeout, which covers waiting in the queue and running (C2). The server was not told: it
 * handles the request all the same, and what the handler changes stays.
 *
 * @publicApi
 */
export class CallTimeoutError extends GenServerError {
  readonly code = 'CALL_TIMEOUT';

  constructor(
    readonly server: string,
    readonly request: RequestDescription,
    readonly timeoutMs: number,
    /** `waiting` in the queue, `running`, or `answered_later`: the handler has left the answer to somebody. */
    readonly phase: 'waiting' | 'running' | 'answered_later',
    /** How many messages were queued at that moment. */
    readonly queueLength: number,
  ) {
    const when = {
      waiting: `still waiting in a queue of ${queueLength} message(s)`,
      running: 'still running',
      answered_later: 'handled, but not answered yet',
    }[phase];
    super(
      `${server} did not answer ${formatRequest(request)} within ${timeoutMs} ms: it is ${when}. ` +
        'The request is handled all the same; raise timeoutMs if it needs longer.',
    );
  }
}

/**
 * There is no such process (C4): it was never started, has ended, or is being restarted. Nothing waits for it to come back.
 *
 * @publicApi
 */
export class NoProcessError extends GenServerError {
  readonly code = 'NO_PROCESS';

  constructor(
    /** The destination, as printed. */
    readonly destination: string,
    hint = 'It was never started, or has ended.',
  ) {
    super(`No process: ${destination}. ${hint}`);
  }
}

/**
 * A server called or stopped itself, which could only ever time out (C5).
 *
 * @publicApi
 */
export class CallingSelfError extends GenServerError {
  readonly code = 'CALLING_SELF';

  constructor(
    readonly server: string,
    what: string,
  ) {
    super(
      `${server} tried to ${what} itself and would wait for ever. ` +
        'Call the method directly as a function, or send yourself a message with self.send.',
    );
  }
}

/**
 * The server has no handler of that name, or it is of the other kind. Refused at the sender; nothing was sent.
 *
 * @publicApi
 */
export class UnknownHandlerError extends GenServerError {
  readonly code = 'UNKNOWN_HANDLER';

  constructor(
    readonly server: string,
    readonly kind: 'call' | 'cast',
    readonly handler: string | symbol,
    known: Iterable<string | symbol>,
  ) {
    const decorator = kind === 'call' ? '@HandleCall()' : '@HandleCast()';
    super(
      `${server} has no ${kind} handler named ${print(handler)}. ` +
        `Decorate a method with ${decorator}, or use one of: ${[...known].map((key) => print(key)).join(', ') || '(there is none)'}`,
    );
  }
}

/**
 * A callback returned something that is no result for it (R2, R3). The process ended with `{ badReturnValue }`.
 *
 * @publicApi
 */
export class BadReturnValueError extends GenServerError {
  readonly code = 'BAD_RETURN_VALUE';

  constructor(
    readonly server: string,
    readonly handler: string | symbol,
    readonly value: unknown,
    why: string,
  ) {
    super(`${server}.${String(handler)} returned ${print(value)}: ${why}`);
  }
}

/**
 * A message has no handler where it must have one: a continue whose tag nobody handles (R10), or a call or cast to a plain
 * behaviour without the callback (R8).
 *
 * @publicApi
 */
export class UndefinedCallbackError extends GenServerError {
  readonly code = 'UNDEFINED_CALLBACK';

  constructor(
    readonly server: string,
    readonly callback: string,
  ) {
    super(`${server} defines no ${callback}, but was asked to run it.`);
  }
}

/**
 * A server did not start: `init` returned `stop` or `error`, threw, took too long, or `ignore`d the start.
 *
 * @publicApi
 */
export class StartError extends GenServerError {
  readonly code = 'START_FAILED';

  constructor(
    readonly server: string,
    /** The reason of the failed start; `'timeout'` when `init` took too long, `'ignore'` when it chose not to start. */
    readonly reason: ExitReason,
    cause?: unknown,
  ) {
    super(`${server} did not start: ${formatReason(reason)}`, { cause });
  }
}

function formatRequest({ handler, args }: RequestDescription): string {
  return `${String(handler)}(${args.map((arg) => print(arg)).join(', ')})`;
}
