import { GenServerError } from '../runtime/errors.js';
import { type ExitReason, formatReason } from '../runtime/exits/exit-reason.js';
import { describeKey } from '../runtime/secrets/inspect-safely.js';
import { print, printArguments } from '../runtime/secrets/print.js';

/** The request made to a server. */
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
  override name = 'ServerExitedError';
  readonly code = 'SERVER_EXITED';

  constructor(
    /** The server, by its display name. */
    readonly server: string,
    readonly request: RequestDescription,
    /** Why it ended. `'normal'` and `'shutdown'` reject a waiting caller as well (R5). */
    readonly reason: ExitReason,
    cause: unknown,
    /** The reason in words, where many callers are told. */
    reasonInWords = formatReason(reason),
  ) {
    super(`${server} ended while ${formatRequest(request)} was waiting for an answer: ${reasonInWords}`, {
      cause,
    });
  }
}

/**
 * The state of a call: in the queue, in its handler, handled but not yet answered, or with a server that is in its
 * `terminate` and handles nothing more.
 */
export type CallPhase = 'waiting' | 'running' | 'answered_later' | 'terminating';

/**
 * No answer within the call's timeout, which covers waiting in the queue and running (C2). The server was not told: it
 * handles the request all the same, and what the handler changes stays.
 *
 * @publicApi
 */
export class CallTimeoutError extends GenServerError {
  override name = 'CallTimeoutError';
  readonly code = 'CALL_TIMEOUT';

  constructor(
    readonly server: string,
    readonly request: RequestDescription,
    readonly timeoutMs: number,
    /**
     * `waiting` in the queue, `running`, `answered_later` when the handler has deferred the answer, or `terminating` when the
     * server is in its `terminate`: the request is then no longer handled.
     */
    readonly phase: CallPhase,
    /** How many messages were queued at that moment. */
    readonly queueLength: number,
  ) {
    const when = {
      waiting: `still waiting in a queue of ${queueLength} message(s)`,
      running: 'still running',
      answered_later: 'handled, but not answered yet',
      terminating: 'with a server that is in its terminate',
    }[phase];
    super(
      `${server} did not answer ${formatRequest(request)} within ${timeoutMs} ms: it is ${when}. ` +
        (phase === 'terminating'
          ? 'The request is not handled any more: the server is about to end.'
          : 'The request is handled all the same; raise timeoutMs if it needs longer.'),
    );
  }
}

/**
 * There is no such process (C4): it was never started, has ended, or is being restarted. Nothing waits for it to come back.
 *
 * @publicApi
 */
export class NoProcessError extends GenServerError {
  override name = 'NoProcessError';
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
  override name = 'CallingSelfError';
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
 * The call closed a circle of servers that wait for each other, and none of them has moved for half of its timeout, one second at
 * most: it could only ever time out. It was not handled and never will be. Noticed where handlers are tracked (`tracking`).
 *
 * @publicApi
 */
export class CallCycleError extends GenServerError {
  override name = 'CallCycleError';
  readonly code = 'CALL_CYCLE';

  constructor(
    /** The servers in the order in which each waits for the next; the first is the last as well. */
    readonly chain: readonly string[],
  ) {
    super(
      `${chain.at(-2)} may not call ${chain.at(-1)}, which waits for it: ${chain.join(' -> ')}. ` +
        'Let one of them cast, or answer later (from.later) and call when its handler has returned.',
    );
  }
}

/**
 * There was no room for the call in a mailbox that has a limit, or a later message took its place (`maxMailbox`). The request
 * was not handled and never will be.
 *
 * @publicApi
 */
export class OverloadedError extends GenServerError {
  override name = 'OverloadedError';
  readonly code = 'OVERLOADED';

  constructor(
    readonly server: string,
    readonly request: RequestDescription,
    /** How many messages may wait. */
    readonly limit: number,
    /** How many messages waited, those of the system included. */
    readonly queueLength: number,
  ) {
    super(
      `${server} is overloaded and did not take ${formatRequest(request)}: its mailbox has a limit of ${limit}, and ` +
        `${queueLength} message(s) are waiting. Try again later, send less, or raise maxMailbox.`,
    );
  }
}

/**
 * The server has no handler of that name, or it is of the other kind. Refused at the sender; nothing was sent.
 *
 * @publicApi
 */
export class UnknownHandlerError extends GenServerError {
  override name = 'UnknownHandlerError';
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
 * A callback returned an invalid result (R2, R3). The process ended with `{ badReturnValue }`.
 *
 * @publicApi
 */
export class BadReturnValueError extends GenServerError {
  override name = 'BadReturnValueError';
  readonly code = 'BAD_RETURN_VALUE';

  constructor(
    readonly server: string,
    readonly handler: string | symbol,
    readonly value: unknown,
    why: string,
  ) {
    super(`${server}.${describeKey(handler)} returned ${print(value)}: ${why}`);
  }
}

/**
 * A message lacks a required handler: a continue whose tag has no handler (R10), or a call or cast to a plain
 * behaviour without the callback (R8).
 *
 * @publicApi
 */
export class UndefinedCallbackError extends GenServerError {
  override name = 'UndefinedCallbackError';
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
  override name = 'StartError';
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

/**
 * A server did not take over the state for new code (Y6). It keeps the old state, and stays suspended if it was.
 *
 * @publicApi
 */
export class CodeChangeError extends GenServerError {
  override name = 'CodeChangeError';
  readonly code = 'CODE_CHANGE_FAILED';

  constructor(
    readonly server: string,
    /** `'not_suspended'`, what `codeChange` gave to `error(reason)`, or what it threw. */
    readonly reason: unknown,
    cause: unknown,
  ) {
    const why = reason === 'not_suspended' ? 'it is not suspended; call sys.suspend first' : formatReason(reason);
    super(`${server} did not change its code: ${why}`, { cause });
  }
}

/**
 * A task was ended before it gave a result: it was stopped or killed, or a process it is linked to took it down. An error thrown by its
 * function is not wrapped in this error: waiting for the task rejects with it directly.
 *
 * @publicApi
 */
export class TaskExitError extends GenServerError {
  override name = 'TaskExitError';
  readonly code = 'TASK_EXITED';

  constructor(
    /** The task, as printed. */
    readonly task: string,
    readonly reason: ExitReason,
  ) {
    super(`${task} ended before it gave a result: ${formatReason(reason)}`);
  }
}

/**
 * A task took longer than its owner waited for it (K10). It goes on, and its result is dropped. In `asyncStream` with
 * `onTimeout: 'exit'` it was stopped, with all others of the stream.
 *
 * @publicApi
 */
export class TaskTimeoutError extends GenServerError {
  override name = 'TaskTimeoutError';
  readonly code = 'TASK_TIMEOUT';

  constructor(
    readonly task: string,
    readonly timeoutMs: number,
  ) {
    super(
      `${task} gave no result within ${timeoutMs} ms. Wait longer, ask it again with yield, or stop it with shutdown.`,
    );
  }
}

/**
 * A process other than the one that started a task asked for its result (K10). Send that process what it needs instead.
 *
 * @publicApi
 */
export class TaskOwnerError extends GenServerError {
  override name = 'TaskOwnerError';
  readonly code = 'TASK_OWNER';

  constructor(
    readonly task: string,
    /** The owner that started the task, by its display name. */
    readonly owner: string,
    /** The process that asked. */
    readonly caller: string,
  ) {
    super(`${task} belongs to ${owner}; only there can its result be had, not in ${caller}.`);
  }
}

/**
 * A stream can be read once, and it has already had its reader. Nothing was read.
 *
 * @publicApi
 */
export class StreamAlreadyReadError extends GenServerError {
  override name = 'StreamAlreadyReadError';
  readonly code = 'STREAM_ALREADY_READ';

  constructor(
    readonly server: string,
    readonly request: RequestDescription,
  ) {
    super(
      `The stream that ${server} gave for ${formatRequest(request)} is being read, or was. ` +
        'A stream has one reader: ask the server for another, or share the items you read.',
    );
  }
}

/**
 * Reading of a stream began after the stream had stopped waiting for its reader (`beginWithinMs`). Its source was released, and nothing was
 * read.
 *
 * @publicApi
 */
export class StreamNotBegunError extends GenServerError {
  override name = 'StreamNotBegunError';
  readonly code = 'STREAM_NOT_BEGUN';

  constructor(
    readonly server: string,
    readonly request: RequestDescription,
    readonly beginWithinMs: number,
  ) {
    super(
      `Nobody began to read the stream that ${server} gave for ${formatRequest(request)} within ${beginWithinMs} ms. ` +
        'Begin sooner, ask for it again, or let it wait longer: replyStream(source, state, { beginWithinMs }).',
    );
  }
}

/**
 * An Observable emitted more than its reader took: Observables cannot be slowed down. The stream has unsubscribed from it.
 *
 * @publicApi
 */
export class StreamOverflowError extends GenServerError {
  override name = 'StreamOverflowError';
  readonly code = 'STREAM_OVERFLOW';

  constructor(
    readonly server: string,
    readonly request: RequestDescription,
    /** How many items may wait. */
    readonly limit: number,
  ) {
    super(
      `The Observable behind ${formatRequest(request)} of ${server} is more than ${limit} items ahead of its reader. ` +
        'Make it emit less (sample, buffer), or give an async iterable, which waits for the reader.',
    );
  }
}

function formatRequest({ handler, args }: RequestDescription): string {
  return `${describeKey(handler)}(${printArguments(args)})`;
}
