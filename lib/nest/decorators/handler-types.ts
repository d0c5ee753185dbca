import type { CallResult, Later, Reply, ReplyError, StopReply } from '../../gen-server/callback-result.js';
import type { GenServerBase } from '../../gen-server/gen-server-base.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- types that match any handler */

export type MaybePromise<T> = T | Promise<T>;

/** The state type of a server class. */
export type StateOf<T> = T extends GenServerBase<infer S> ? S : never;

/** Those results of a call handler that answer the caller, now or later. */
export type Answering<T> = Extract<T, Reply<any, any> | ReplyError<any> | Later<any, any> | StopReply<any, any>>;

/** Names that no handler may have: what a client or Nest would take for something else. */
export type ReservedName =
  | 'init'
  | 'terminate'
  | 'codeChange'
  | 'formatStatus'
  | 'with'
  | 'then'
  | 'catch'
  | 'finally'
  | 'constructor'
  | 'onModuleInit'
  | 'onModuleDestroy'
  | 'onApplicationBootstrap'
  | 'beforeApplicationShutdown'
  | 'onApplicationShutdown';

export type HandlerName<K> = K extends ReservedName ? never : K;

export type CallHandler<T> = (...args: any[]) => MaybePromise<CallResult<any, StateOf<T>>>;

/** A descriptor, unless the handler can never answer. */
export type AnsweringDescriptor<F extends (...args: any[]) => unknown> = TypedPropertyDescriptor<F> &
  ([Answering<Awaited<ReturnType<F>>>] extends [never] ? 'a call handler must be able to reply' : unknown);
