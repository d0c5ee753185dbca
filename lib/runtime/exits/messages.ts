import type { ExitReason } from './exit-reason.js';
import { keepShape } from '../keep-shape.js';
import type { Pid, Ref } from '../pid.js';

/**
 * Tells a monitoring process that the monitored one has ended (M1). Handle it with `@HandleInfo(Down)`.
 *
 * @publicApi
 */
export class Down {
  constructor(
    /** What `monitor` returned. */
    readonly ref: Ref,
    /** The process that ended; `undefined` when the name had no holder when it was monitored. */
    readonly pid: Pid | undefined,
    /** What was monitored, as it was given: a pid or a name. */
    readonly object: unknown,
    /** Why it ended; `'noproc'` when it was gone before it was monitored. */
    readonly reason: ExitReason,
  ) {}
}

/**
 * An exit signal that a process with `trapExit` received from somebody else than its parent (E4). Handle it with
 * `@HandleInfo(Exit)`.
 *
 * @publicApi
 */
export class Exit {
  constructor(
    /** Who ended, or who sent the signal; `undefined` when it came from outside of any process. */
    readonly from: Pid | undefined,
    readonly reason: ExitReason,
  ) {}
}

keepShape(new Exit(undefined, undefined));
