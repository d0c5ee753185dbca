import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import { defineHandler } from '../discovery/gen-server-metadata.accessor.js';
import type { CastDescriptor, Method } from './handler-types.js';

/**
 * Runs when a result asked for `.continue(tag, ...args)`, right after the callback that returned it and before any queued
 * message. The method gets the `args`. It need not be public: it is not on the client.
 *
 * @publicApi
 */
export function HandleContinue(tag: string | symbol): <
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any server, whatever its state
  T extends GenServerBase<any>,
  F extends Method,
>(
  target: T,
  key: string | symbol,
  descriptor: CastDescriptor<T, F>,
) => void {
  return (target, key) => defineHandler(target, key, { kind: 'continue', tag });
}
