import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import type { ArgumentSchemas } from '../../gen-server/schema/standard-schema.js';
import { defineHandler } from '../discovery/gen-server-metadata.accessor.js';
import type { CallDescriptor, HandlerName, Method } from './handler-types.js';

/** @publicApi */
export interface HandleCallOptions<S extends ArgumentSchemas | undefined = ArgumentSchemas | undefined> {
  /** How long callers wait for this handler, in milliseconds, queueing included. Default: the server's `callTimeoutMs`. */
  readonly timeoutMs?: number;
  /**
   * What the arguments must be: a Standard Schema for a single argument, or one for each. It runs in the process before the handler, which
   * receives the schema's output. A call that it refuses rejects with `ArgumentsRefusedError`. Default: no validation.
   */
  readonly schema?: S;
}

/**
 * Answers a call: on the client, the method returns a promise of the reply. Return `reply(value, state?)`,
 * `replyError(error)`, `this.from().later()` or `stop(reason).reply(value)`; the method may be async, and nothing else runs
 * in this process until it is done.
 *
 * @publicApi
 */
export function HandleCall<const S extends ArgumentSchemas | undefined = undefined>(
  options: HandleCallOptions<S> = {},
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any server, whatever its state
): <T extends GenServerBase<any>, const K extends string | symbol, F extends Method>(
  target: T,
  key: HandlerName<K>,
  descriptor: CallDescriptor<T, F, S>,
) => void {
  const { timeoutMs, schema } = options;
  return (target, key) => defineHandler(target, key, { kind: 'call', timeoutMs, schema });
}
