import type { Ref } from '../../runtime/pid.js';

/**
 * Arrives when a result asked for `.timeout(ms)` and no message came in that time (T1). Handle it with
 * `@HandleInfo(Timeout)`.
 *
 * @publicApi
 */
export class Timeout {}

/**
 * The result of a task that nobody waited for by the time it ended (K15). A `Down` of the same `ref` follows, with reason
 * `'normal'`; a task that failed sends only that. Handle it with `@HandleInfo(TaskResult)`.
 *
 * @publicApi
 */
export class TaskResult<T = unknown> {
  constructor(
    /** The `ref` of the task. */
    readonly ref: Ref,
    readonly value: T,
  ) {}
}
