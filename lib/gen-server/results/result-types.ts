import type * as results from './callback-result.js';

// The types that are common in decorated signatures, each with a value of the same name. Nest's default tsconfig emits the types of
// parameters and return values as metadata, and reports TS1272 for an import that is only a type.

/** What a call handler may return. @publicApi */
export type CallResult<R, S> = results.CallResult<R, S>;
export const CallResult = Object;

/** What a cast, info or continue handler may return. @publicApi */
export type CastResult<S> = results.CastResult<S>;
export const CastResult = Object;

/** What `init` may return. @publicApi */
export type InitResult<S> = results.InitResult<S>;
export const InitResult = Object;
