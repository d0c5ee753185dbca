import type { CastResult } from '../../gen-server/callback-result.js';
import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import { defineHandler } from '../metadata.js';
import type { HandlerName, MaybePromise, StateOf } from './handler-types.js';

/**
 * Handles a cast: on the client, the method returns nothing, at once. Return `noReply(state?)` or `stop(reason, state?)`.
 *
 * @publicApi
 */
export function HandleCast(): <
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any server, whatever its state
  T extends GenServerBase<any>,
  const K extends string | symbol,
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any arguments
  F extends (...args: any[]) => MaybePromise<CastResult<StateOf<T>>>,
>(
  target: T,
  key: HandlerName<K>,
  descriptor: TypedPropertyDescriptor<F>,
) => void {
  return (target, key) => defineHandler(target, key, { kind: 'cast' });
}
