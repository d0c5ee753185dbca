import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import { defineHandler } from '../metadata.js';
import type { CallDescriptor, HandlerName, Method } from './handler-types.js';

/** @publicApi */
export interface HandleCallOptions {
  /** How long callers wait for this handler, in milliseconds, queueing included. Default: the server's `callTimeoutMs`. */
  readonly timeoutMs?: number;
}

/**
 * Answers a call: on the client, the method returns a promise of the reply. Return `reply(value, state?)`,
 * `replyError(error)`, `this.from().later()` or `stop(reason).reply(value)`; the method may be async, and nothing else runs
 * in this process until it is done.
 *
 * @publicApi
 */
export function HandleCall(
  options: HandleCallOptions = {},
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any server, whatever its state
): <T extends GenServerBase<any>, const K extends string | symbol, F extends Method>(
  target: T,
  key: HandlerName<K>,
  descriptor: CallDescriptor<T, F>,
) => void {
  return (target, key) => defineHandler(target, key, { kind: 'call', timeoutMs: options.timeoutMs });
}
