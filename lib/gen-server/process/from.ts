import { InvalidArgumentError } from '../../runtime/errors.js';
import { isThenable } from '../results/thenable.js';
import type { CallRequest } from './call-request.js';
import { markAsHandle } from '../../runtime/isolation/handle.js';
import {
  CallbackResult,
  KEEP_STATE,
  type Later,
  type Literal,
  type Modifiers,
  NO_ANSWER,
} from '../results/callback-result.js';

/**
 * The caller of the request in hand, to be answered whenever and from wherever: from another handler, a timer, a task, after
 * the server has gone on (C9). The first answer wins, later ones are silent, as is one that comes after the caller's timeout
 * (C10). When nobody answers, the caller waits for its timeout or the server's end (C12).
 *
 * The functions are bound: `.then(from.reply, from.replyError)` works. A promise is no answer: `reply` throws
 * `InvalidArgumentError`, and the call goes on waiting.
 *
 * @publicApi
 */
export interface From<R> {
  reply: (value: R) => void;
  /** Rejects the caller's promise with `error` itself. */
  replyError: (error: unknown) => void;
  /** The result of a call handler that leaves the answer for later. */
  later(): Later<R, never> & Modifiers<Later<R, never>>;
  later<S>(state: Literal<S>): Later<R, S> & Modifiers<Later<R, S>>;
  later<S>(state: S): Later<R, S> & Modifiers<Later<R, S>>;
}

/**
 * What an answer may be where nobody says of which type: anything but a promise. (Everything has a `toString`; with nothing but an
 * optional member, types that share none would not fit.)
 */
export type NoPromise =
  string | number | bigint | boolean | symbol | null | undefined | { readonly then?: never; toString(): string };

/** A value of the same name, so that decorated signatures may mention the type under `isolatedModules` (TS1272). */
export const From = Object;

/** The process that answers. */
export interface Answerer {
  readonly label: string;
  answer(request: CallRequest, value: unknown): void;
  refuse(request: CallRequest, error: unknown): void;
}

/** Made only when a handler asks for it: most calls are answered by what their handler returns. */
export function makeFrom(server: Answerer, request: CallRequest): From<unknown> {
  return new Caller(server, request);
}

/** A class, so that all callers share one mark of a handle. */
class Caller implements From<unknown> {
  readonly reply: (value: unknown) => void;
  readonly replyError: (error: unknown) => void;
  readonly later: From<unknown>['later'];

  constructor(server: Answerer, request: CallRequest) {
    this.reply = (value) => answerCaller(server, request, value);
    this.replyError = (error) => server.refuse(request, error);
    this.later = ((...state: [] | [unknown]) =>
      new CallbackResult('later', request, state.length === 0 ? KEEP_STATE : state[0], null, NO_ANSWER)) as never;
  }
}

markAsHandle(Caller.prototype);

function answerCaller(server: Answerer, request: CallRequest, value: unknown): void {
  if (isThenable(value)) throw promiseRefused(server.label, value);
  server.answer(request, value);
}

/** The promise is nobody's any more, so a rejection of it must not become Node's business. */
function promiseRefused(server: string, promise: PromiseLike<unknown>): InvalidArgumentError {
  void Promise.resolve(promise).catch(() => undefined);
  return new InvalidArgumentError(
    `from.reply of ${server} got a promise, which is no answer: await it first, or pass the two on: ` +
      'promise.then(from.reply, from.replyError). The call is still waiting.',
  );
}
