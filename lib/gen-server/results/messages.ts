import { Down } from '../../runtime/exits/messages.js';
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

/** The ref that a message of the system belongs to, and by which it can be taken back; undefined for any other. Never throws. */
export function refOf(message: unknown): Ref | undefined {
  try {
    return message instanceof Down || message instanceof TaskResult ? message.ref : undefined;
  } catch {
    return undefined; // a proxy of the user's that was sent by a timer
  }
}
