import type { ExitReason } from '../runtime/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { RuntimeEvent } from '../runtime/ports.js';
import type { Strategy } from './strategies.js';

interface SupervisorEvent extends RuntimeEvent {
  /** The supervisor, as people call it. */
  readonly supervisor: string;
  /** The child's id, as printed. */
  readonly childId: string;
}

/** A child was started again after it had ended. */
export interface ChildRestarted extends SupervisorEvent {
  readonly type: 'supervisor.child_restarted';
  readonly pid: Pid;
  readonly reason: ExitReason;
}

/** A child did not start, at first or again. */
export interface ChildStartFailed extends SupervisorEvent {
  readonly type: 'supervisor.child_start_failed';
  readonly reason: ExitReason;
  /** Whether it had run before, so that it is tried again. */
  readonly isRestart: boolean;
}

/** A child has been in `init` for a while, and everything behind it waits (I11). */
export interface ChildStartSlow extends SupervisorEvent {
  readonly type: 'supervisor.child_start_slow';
  readonly waitedMs: number;
}

/** A supervisor stopped a child. */
export interface ChildStopped extends SupervisorEvent {
  readonly type: 'supervisor.child_stopped';
  readonly pid: Pid;
  readonly reason: ExitReason;
  readonly tookMs: number;
  /** Messages that were still queued when it was killed for taking too long. */
  readonly undrained: number;
  /** It ended otherwise than it was asked to (S7). */
  readonly isUnexpected: boolean;
}

/** More restarts than the budget allows: the supervisor stops its children and exits (S12). */
export interface RestartsExceeded extends SupervisorEvent {
  readonly type: 'supervisor.restarts_exceeded';
  readonly strategy: Strategy;
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly reason: ExitReason;
}

export type SupervisionEvent =
  | ChildRestarted
  | ChildStartFailed
  | ChildStartSlow
  | ChildStopped
  | RestartsExceeded;
