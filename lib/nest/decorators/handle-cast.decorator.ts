import type { GenServerBase } from '../../gen-server/gen-server-base.js';
import type { ArgumentSchemas } from '../../gen-server/schema/standard-schema.js';
import { defineHandler } from '../discovery/gen-server-metadata.accessor.js';
import type { CastDescriptor, HandlerName, Method } from './handler-types.js';

/** @publicApi */
export interface HandleCastOptions<S extends ArgumentSchemas | undefined = ArgumentSchemas | undefined> {
  /**
   * What the arguments must be: a Standard Schema for a single argument, or one for each. It runs in the process before the handler, which
   * receives the schema's output. A cast that it refuses is reported and dropped. Default: no validation.
   */
  readonly schema?: S;
}

/**
 * Handles a cast: on the client, the method returns nothing, at once. Return `noReply(state?)` or `stop(reason, state?)`.
 *
 * @publicApi
 */
export function HandleCast<const S extends ArgumentSchemas | undefined = undefined>(
  options: HandleCastOptions<S> = {},
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- any server, whatever its state
): <T extends GenServerBase<any>, const K extends string | symbol, F extends Method>(
  target: T,
  key: HandlerName<K>,
  descriptor: CastDescriptor<T, F, S>,
) => void {
  return (target, key) => defineHandler(target, key, { kind: 'cast', schema: options.schema });
}
