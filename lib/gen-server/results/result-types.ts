import type * as results from './callback-result.js';

// Types that are likely in a decorated signature, each with a value of the same name: Nest's own tsconfig emits the types of
// parameters and returns as metadata, and refuses to import a mere type there (TS1272).

/** What a call handler may return. @publicApi */
export type CallResult<R, S> = results.CallResult<R, S>;
export const CallResult = Object;

/** What a cast, info or continue handler may return. @publicApi */
export type CastResult<S> = results.CastResult<S>;
export const CastResult = Object;

/** What `init` may return. @publicApi */
export type InitResult<S> = results.InitResult<S>;
export const InitResult = Object;
