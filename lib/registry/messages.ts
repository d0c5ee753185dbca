import type { Pid, Ref } from '../runtime/pid.js';

/**
 * A process has registered itself (N11). For listeners of a registry; a server that is one handles it with
 * `@HandleInfo(KeyRegistered)`.
 *
 * @publicApi
 */
export class KeyRegistered {
  constructor(
    /** The name of the registry. */
    readonly registry: string,
    readonly key: unknown,
    readonly pid: Pid,
    readonly value: unknown,
  ) {}
}

/**
 * A process has given up a key, with all its entries there (N11). Not told when it has ended: monitor it to know that.
 *
 * @publicApi
 */
export class KeyUnregistered {
  constructor(
    /** The name of the registry. */
    readonly registry: string,
    readonly key: unknown,
    readonly pid: Pid,
  ) {}
}

/**
 * Processes have joined a group that is monitored. Handle it with `@HandleInfo(GroupJoined)`.
 *
 * @publicApi
 */
export class GroupJoined {
  constructor(
    /** What `monitor` returned. */
    readonly ref: Ref,
    readonly group: unknown,
    readonly pids: readonly Pid[],
  ) {}
}

/**
 * Processes have left a group that is monitored, or have ended: then each as often as it had joined. Handle it with
 * `@HandleInfo(GroupLeft)`.
 *
 * @publicApi
 */
export class GroupLeft {
  constructor(
    /** What `monitor` returned. */
    readonly ref: Ref,
    readonly group: unknown,
    readonly pids: readonly Pid[],
  ) {}
}
