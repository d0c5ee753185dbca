/**
 * Arrives when a result asked for `.timeout(ms)` and no message came in that time (T1). Handle it with
 * `@HandleInfo(Timeout)`.
 *
 * @publicApi
 */
export class Timeout {}
