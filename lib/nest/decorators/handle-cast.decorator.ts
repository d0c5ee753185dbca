import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import { defineHandler } from '../metadata.js';
import type { CastDescriptor, HandlerName, Method } from './handler-types.js';

/**
 * Handles a cast: on the client, the method returns nothing, at once. Return `noReply(state?)` or `stop(reason, state?)`.
 *
 * @publicApi
 */
export function HandleCast(): <
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any server, whatever its state
  T extends GenServerBase<any>,
  const K extends string | symbol,
  F extends Method,
>(
  target: T,
  key: HandlerName<K>,
  descriptor: CastDescriptor<T, F>,
) => void {
  return (target, key) => defineHandler(target, key, { kind: 'cast' });
}
