import type { ExitReason } from './exit-reason.js';
import { keepShape } from '../keep-shape.js';
import type { Pid, Ref } from '../pid.js';

/**
 * The message that a process gets when a process that it monitors has ended (M1). Handle it with `@HandleInfo(Down)`.
 *
 * @publicApi
 */
export class Down {
  constructor(
    /** What `monitor` returned. */
    readonly ref: Ref,
    /** The process that ended; `undefined` if the monitored name had no holder. */
    readonly pid: Pid | undefined,
    /** The monitored destination as it was passed to `monitor`: a pid or a name. */
    readonly object: unknown,
    /** The exit reason; `'noproc'` if there was no such process when it was monitored. */
    readonly reason: ExitReason,
  ) {}
}

/**
 * An exit signal that a process with `trapExit` received from a process other than its parent (E4). Handle it with `@HandleInfo(Exit)`.
 *
 * @publicApi
 */
export class Exit {
  constructor(
    /** The linked process that ended, or the sender of the signal; `undefined` if it came from outside of any process. */
    readonly from: Pid | undefined,
    /** The reason that the sender ended with, or passed to `exit`. */
    readonly reason: ExitReason,
  ) {}
}

keepShape(new Exit(undefined, undefined));
