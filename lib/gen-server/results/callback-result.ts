/**
 * The result of a callback: the reply, the next state, and what comes next. Results are made by the functions below and are immutable. A
 * state that is left out is kept. The number of arguments decides that: `noReply(undefined)` sets the state to undefined.
 */

import { hasProperty } from '../../runtime/secrets/inspect-safely.js';

declare const brand: unique symbol;

type Primitive = string | number | bigint | boolean | symbol | null | undefined;

/**
 * Infers literal types, so that `noReply({ status: 'ready' })` fits a state that is a union. A type parameter is not assignable to it, so
 * each function below that takes a state has a last overload for the state of a generic server.
 */
export type Literal<A> =
  | (A extends [] ? [] : never)
  | (A extends Primitive ? A : never)
  // eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- any function, whatever its form
  | { [K in keyof A]: A[K] extends Function ? A[K] : Literal<A[K]> };

/** The type of a result with a promise as its reply. No handler may return it, and the compiler prints the text. */
export type PromiseInside = 'a promise is no reply: await it first';

/**
 * Matches promises only, for an overload that rejects them. A type that excluded promises instead would also exclude the reply of a generic
 * server, because a type parameter may stand for anything. `any` does not count as a promise.
 */
type Promised<P> = 0 extends 1 & P ? never : P extends PromiseLike<unknown> ? P : never;
/** The result for `never`, which the compiler takes for a promise because it is assignable to every type. */
type UnlessNever<P, Result> = [P] extends [never] ? Result : PromiseInside;

/** What a result may request besides a reply and a state: at most one of these, as in OTP. */
export interface Modifiers<Self> {
  /**
   * Delivers `Timeout` if no message comes within `ms` milliseconds, 0 or more (T1). It fires at most once: the next message cancels it,
   * and it does not start while a message is waiting (T2). 0 fires at once if the mailbox is empty; `Infinity` never fires.
   */
  timeout(ms: number): Self;
  /** Releases the memory of the mailbox until the next message (T7). Changes nothing else. */
  hibernate(): Self;
  /** Runs the `@HandleContinue(tag)` handler with `args` next, before any waiting message (T5). */
  continue(tag: string | symbol, ...args: unknown[]): Self;
}

export interface Reply<R, S> {
  readonly [brand]: 'reply';
  readonly value: R;
  readonly state: S;
}
export interface ReplyError<S> {
  readonly [brand]: 'replyError';
  readonly state: S;
}
export interface NoReply<S> {
  readonly [brand]: 'noReply';
  readonly state: S;
}
export interface Later<R, S> {
  readonly [brand]: 'later';
  readonly value: R;
  readonly state: S;
}
export interface Stop<S> {
  readonly [brand]: 'stop';
  readonly state: S;
  /** Answers the call as well: `terminate` runs first, then the caller gets the reply, even if `terminate` fails (R6). */
  reply<P>(value: Promised<P>): UnlessNever<P, StopReply<never, S>>;
  reply<R>(value: R): StopReply<R, S>;
}
export interface StopReply<R, S> {
  readonly [brand]: 'stopReply';
  readonly value: R;
  readonly state: S;
}
export interface Ok<S> {
  readonly [brand]: 'ok';
  readonly state: S;
}
export interface InitError {
  readonly [brand]: 'error';
}
export interface Ignore {
  readonly [brand]: 'ignore';
}

/** What a call handler may return. @publicApi */
export type CallResult<R, S> = Reply<R, S> | ReplyError<S> | Later<R, S> | StopReply<R, S> | Stop<S>;
/** What a cast, info or continue handler may return. @publicApi */
export type CastResult<S> = NoReply<S> | Stop<S>;
/** What `init` may return. @publicApi */
export type InitResult<S> = Ok<S> | Stop<S> | InitError | Ignore;
/** What `codeChange` may return. @publicApi */
export type CodeChangeResult<S> = Ok<S> | InitError;

export type ResultKind =
  'reply' | 'replyStream' | 'replyError' | 'noReply' | 'later' | 'stop' | 'ok' | 'error' | 'ignore';

// The three symbols are registered globally, so that results made by a second installed copy of the package are recognized.
/** Represents a state that was left out. */
export const KEEP_STATE: unique symbol = Symbol.for('nestjs-genserver.keep_state');
/** Represents the missing reply of a stop that answers no call. */
export const NO_ANSWER: unique symbol = Symbol.for('nestjs-genserver.no_answer');

export type Modifier =
  | { readonly type: 'timeout'; readonly ms: number }
  | { readonly type: 'hibernate' }
  | { readonly type: 'continue'; readonly tag: string | symbol; readonly args: readonly unknown[] }
  | { readonly type: 'more_than_one' };

const RESULT_MARK = Symbol.for('nestjs-genserver.result');

/** The class of all results at run time. The interfaces above are its types at compile time. */
export class CallbackResult {
  constructor(
    readonly kind: ResultKind,
    /** The reply, the error, the stop reason or the request that will be answered later. */
    readonly value: unknown,
    readonly state: unknown,
    readonly modifier: Modifier | null,
    /** The reply that goes with a stop. */
    readonly answer: unknown,
  ) {}

  timeout(ms: number): CallbackResult {
    return this.modified({ type: 'timeout', ms });
  }

  hibernate(): CallbackResult {
    return this.modified({ type: 'hibernate' });
  }

  continue(tag: string | symbol, ...args: unknown[]): CallbackResult {
    return this.modified({ type: 'continue', tag, args });
  }

  reply(value: unknown): CallbackResult {
    return new CallbackResult(this.kind, this.value, this.state, this.modifier, value);
  }

  private modified(modifier: Modifier): CallbackResult {
    // A second modifier is refused when the result is applied (R3): the server to name in the error is unknown here.
    const next: Modifier = this.modifier === null ? modifier : { type: 'more_than_one' };
    return new CallbackResult(this.kind, this.value, this.state, next, this.answer);
  }
}
Object.defineProperty(CallbackResult.prototype, RESULT_MARK, { value: true });

/** Whether a value is a result that was made here: the first question about whatever a callback returns. */
export function isOwnResult(value: unknown): value is CallbackResult {
  try {
    return value instanceof CallbackResult;
  } catch {
    return false;
  }
}

/** Whether a callback answered with a result at all. */
export function isResult(value: unknown): value is CallbackResult {
  return isOwnResult(value) || hasProperty(value, RESULT_MARK);
}

function make(kind: ResultKind, value: unknown, state: unknown): CallbackResult {
  return new CallbackResult(kind, value, state, null, NO_ANSWER);
}

const NO_REPLY = Object.freeze(make('noReply', undefined, KEEP_STATE));
const IGNORE = Object.freeze(make('ignore', undefined, KEEP_STATE));

/**
 * Answers a call with `value`, and replaces the state if one is given. `value` must not be a promise: await it first.
 *
 * @publicApi
 */
export function reply<P>(
  value: Promised<P>,
  ...state: unknown[]
): UnlessNever<P, Reply<never, never> & Modifiers<Reply<never, never>>>;
export function reply<R>(value: R): Reply<R, never> & Modifiers<Reply<R, never>>;
export function reply<R, S>(value: R, state: Literal<S>): Reply<R, S> & Modifiers<Reply<R, S>>;
export function reply<R, S>(value: R, state: S): Reply<R, S> & Modifiers<Reply<R, S>>;
export function reply(value: unknown, ...state: unknown[]): unknown {
  return make('reply', value, state.length === 0 ? KEEP_STATE : state[0]);
}

/**
 * Answers a call with a business error, and replaces the state if one is given. The caller's promise rejects with `error` itself, and the
 * process goes on.
 *
 * @publicApi
 */
export function replyError(error: unknown): ReplyError<never> & Modifiers<ReplyError<never>>;
export function replyError<S>(error: unknown, state: Literal<S>): ReplyError<S> & Modifiers<ReplyError<S>>;
export function replyError<S>(error: unknown, state: S): ReplyError<S> & Modifiers<ReplyError<S>>;
export function replyError(error: unknown, ...state: [] | [unknown]): unknown {
  return make('replyError', error, state.length === 0 ? KEEP_STATE : state[0]);
}

/**
 * Continues without an answer, after a cast, an info or a continue, and replaces the state if one is given.
 *
 * @publicApi
 */
export function noReply(): NoReply<never> & Modifiers<NoReply<never>>;
export function noReply<S>(state: Literal<S>): NoReply<S> & Modifiers<NoReply<S>>;
export function noReply<S>(state: S): NoReply<S> & Modifiers<NoReply<S>>;
export function noReply(...state: [] | [unknown]): unknown {
  return state.length === 0 ? NO_REPLY : make('noReply', undefined, state[0]);
}

/**
 * Ends the process with `reason` after `terminate` has run, and replaces the state first if one is given. In `init`, the start fails with
 * `reason`, and `terminate` does not run.
 *
 * @publicApi
 */
export function stop(reason: unknown): Stop<never>;
export function stop<S>(reason: unknown, state: Literal<S>): Stop<S>;
export function stop<S>(reason: unknown, state: S): Stop<S>;
export function stop(reason: unknown, ...state: [] | [unknown]): unknown {
  return make('stop', reason, state.length === 0 ? KEEP_STATE : state[0]);
}

/**
 * Completes the start with `state` as the first state; in `codeChange`, replaces the state. Only from `init` and `codeChange`.
 *
 * @publicApi
 */
export function ok<S>(state: Literal<S>): Ok<S> & Modifiers<Ok<S>>;
export function ok<S>(state: S): Ok<S> & Modifiers<Ok<S>>;
export function ok(state: unknown): unknown {
  return make('ok', undefined, state);
}

/**
 * Refuses the start: it fails with `reason`, but the process ends with `'normal'`, so a linked parent lives and no crash is logged (I2). In
 * `codeChange`, keeps the old state. Only from `init` and `codeChange`.
 *
 * @publicApi
 */
export function error(reason: unknown): InitError;
export function error(reason: unknown): unknown {
  return make('error', reason, KEEP_STATE);
}

/**
 * Declines the start deliberately: there is no process, and a supervisor keeps the child without one (I4). Only from `init`.
 *
 * @publicApi
 */
export function ignore(): Ignore;
export function ignore(): unknown {
  return IGNORE;
}
