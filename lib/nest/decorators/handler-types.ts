import type {
  CallResult,
  CastResult,
  Later,
  PromiseInside,
  Reply,
  ReplyError,
  StopReply,
} from '../../gen-server/results/callback-result.js';
import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import type { ArgumentSchemas, OutputsOf, TakenBy } from '../../gen-server/schema/standard-schema.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- types that match any handler */

export type MaybePromise<T> = T | Promise<T>;

/** Any method, with its parameters and result available for inspection. */
export type Method = (...args: any[]) => unknown;

/** The state type of a server class. */
export type StateOf<T> = T extends GenServerBase<infer S> ? S : never;

/** The results of a call handler that answer the caller, now or later. */
export type Answering<T> = Extract<T, Reply<any, any> | ReplyError<any> | Later<any, any> | StopReply<any, any>>;

/** Names that no handler may have, because a client or Nest would give them another meaning. */
export type ReservedName =
  | 'init'
  | 'terminate'
  | 'codeChange'
  | 'formatStatus'
  | 'onConfigChange'
  | 'with'
  | 'then'
  | 'catch'
  | 'finally'
  | 'constructor'
  | 'toJSON'
  | keyof typeof Object.prototype
  | 'onModuleInit'
  | 'onModuleDestroy'
  | 'onApplicationBootstrap'
  | 'beforeApplicationShutdown'
  | 'onApplicationShutdown';

export type HandlerName<K> = K extends ReservedName ? 'a handler cannot have this name: it is reserved' : K;

// What is wrong with a handler is said by the type that its descriptor would have to have: the compiler quotes it. Only when
// the results are of the right kind are they compared with the state, since that message names the property that differs.

export type CallDescriptor<T, F extends Method, S extends ArgumentSchemas | undefined = undefined> = DescriptorOf<
  F,
  CallFault<Awaited<ReturnType<F>>>,
  CallResult<any, StateOf<T>>
> &
  TakesOutputsOf<F, S>;

export type CastDescriptor<T, F extends Method, S extends ArgumentSchemas | undefined = undefined> = DescriptorOf<
  F,
  CastFault<Awaited<ReturnType<F>>>,
  CastResult<StateOf<T>>
> &
  TakesOutputsOf<F, S>;

/** A handler receives its schema's output, and nothing else. */
type TakesOutputsOf<F extends Method, S extends ArgumentSchemas | undefined> = [S] extends [ArgumentSchemas]
  ? OutputsOf<S> extends infer Outputs extends unknown[]
    ? ((...args: Taken<Parameters<F>>) => void) extends (...args: Outputs) => void
      ? unknown
      : 'the parameters of the handler do not take what its schema gives'
    : unknown
  : unknown;

type Taken<P extends unknown[]> = { [I in keyof P]: TakenBy<P[I]> };

/** A method that returns `any`, even because other code in it does not compile, is not rejected. */
type DescriptorOf<F extends Method, Fault, Results> = TypedPropertyDescriptor<F> &
  (0 extends 1 & Awaited<ReturnType<F>> ? unknown : [Fault] extends [never] ? Returning<Results> : Fault);

interface Returning<R> {
  readonly value?: ((...args: any[]) => MaybePromise<R>) | undefined;
}

type CallFault<R> = [Exclude<R, CallResult<any, any>>] extends [never]
  ? [Answering<R>] extends [never]
    ? 'a call handler must be able to reply'
    : never
  : [Extract<R, PromiseInside>] extends [never]
    ? 'a call handler returns reply(value, state?), replyError(error), from.later() or stop(reason).reply(value)'
    : PromiseInside;

type CastFault<R> = [Exclude<R, CastResult<any>>] extends [never]
  ? never
  : 'it has nobody to answer: return noReply(state?) or stop(reason, state?)';
