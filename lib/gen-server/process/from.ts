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
 * The caller of a request, which can be answered at any time and from any code: another handler, a timer, a task, after the server has
 * handled other messages (C9). The first answer counts. Later ones are ignored, as is an answer after the caller's timeout (C10). Without
 * an answer, the caller waits until its timeout or the end of the server (C12).
 *
 * The functions need no receiver, so `.then(from.reply, from.replyError)` works. A promise is not an answer: `reply` throws
 * `InvalidArgumentError`, and the call keeps waiting.
 *
 * @publicApi
 */
export interface From<R> {
  /** Fulfils the caller's promise with `value`. */
  reply: (value: R) => void;
  /** Rejects the caller's promise with `error` itself. */
  replyError: (error: unknown) => void;
  /** The result to return from a call handler that leaves the answer for later. Replaces the state if one is given. */
  later(): Later<R, never> & Modifiers<Later<R, never>>;
  later<S>(state: Literal<S>): Later<R, S> & Modifiers<Later<R, S>>;
  later<S>(state: S): Later<R, S> & Modifiers<Later<R, S>>;
}

/**
 * The default type of an answer: anything but a promise. (`toString` is there because a type with only optional members would not accept
 * types that share none of them.)
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

/** Creates the `From` of a request, only when a handler asks for it: most calls are answered by what their handler returns. */
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

/** The refused promise will never be awaited, so its rejection must not become an unhandled one. */
function promiseRefused(server: string, promise: PromiseLike<unknown>): InvalidArgumentError {
  void Promise.resolve(promise).catch(() => undefined);
  return new InvalidArgumentError(
    `from.reply of ${server} got a promise, which is no answer: await it first, or pass the two on: ` +
      'promise.then(from.reply, from.replyError). The call is still waiting.',
  );
}
