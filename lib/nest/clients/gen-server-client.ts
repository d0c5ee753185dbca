import type { CastResult } from '../../gen-server/results/callback-result.js';
import type { Addressed } from '../../gen-server/client/destination.js';
import type { GivenFor } from '../../gen-server/schema/standard-schema.js';
import type { Answering, ReservedName } from '../decorators/handler-types.js';

/* eslint-disable @typescript-eslint/no-explicit-any -- types that match any handler */

type ReplyOf<T> = T extends { readonly value: infer R } ? R : never;

type ClientMethod<F> = F extends (...args: infer A) => infer Q
  ? [Answering<Awaited<Q>>] extends [never]
    ? Awaited<Q> extends CastResult<any>
      ? (...args: Given<A>) => void
      : never
    : (...args: Given<A>) => Promise<ReplyOf<Awaited<Q>>>
  : never;

/** Where a schema produces the argument, callers pass the schema's input. */
type Given<A extends unknown[]> = { [I in keyof A]: GivenFor<A[I]> };

/**
 * A server as its callers see it, typed from the class: calls return a promise of the reply, casts nothing. Other public
 * methods of the class are `never`, and throw.
 *
 * Known limits: of overloads the last one counts, generic methods collapse to their constraint (make the class generic), and
 * excess keys of object arguments pass.
 *
 * @publicApi
 */
export type GenServerClient<T> = {
  readonly [K in keyof T as K extends ReservedName ? never : K]: ClientMethod<T[K]>;
} & {
  /** The same client with options of its own. Cheap: make one per use. */
  with(options: ClientOptions): GenServerClient<T>;
} & Addressed;

/** A value of the same name, so that decorated constructors may mention the type under `isolatedModules` (TS1272). */
export const GenServerClient = Object;

/** @publicApi */
export interface ClientOptions {
  /** How long calls wait for an answer, in milliseconds. `Infinity` waits for ever. Default: the handler's or the server's. */
  readonly timeoutMs?: number;
}
