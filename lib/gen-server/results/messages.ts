import { Down } from '../../runtime/exits/messages.js';
import type { Ref } from '../../runtime/pid.js';

/**
 * The message that a server gets if its last result requested `.timeout(ms)` and no message came within that time (T1). Handle it with
 * `@HandleInfo(Timeout)`.
 *
 * @publicApi
 */
export class Timeout {}

/**
 * The message with the result of a task, sent to its owner if no code waits for the result when the task ends (K15). A `Down` with the same
 * `ref` and reason `'normal'` follows. A task that failed sends only a `Down`. Handle it with `@HandleInfo(TaskResult)`.
 *
 * @publicApi
 */
export class TaskResult<T = unknown> {
  constructor(
    /** The `ref` of the task. */
    readonly ref: Ref,
    /** What the function of the task returned. */
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
