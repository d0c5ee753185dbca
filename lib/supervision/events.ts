import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { RuntimeEvent } from '../runtime/ports.js';
import type { Strategy } from './strategies.js';

interface SupervisorEvent extends RuntimeEvent {
  /** The supervisor, as people call it. */
  readonly supervisor: string;
}

interface ChildEvent extends SupervisorEvent {
  /** The child's id, as printed. */
  readonly childId: string;
}

/** A supervisor and all its children are up. */
export interface SupervisorStarted extends SupervisorEvent {
  readonly type: 'supervisor.started';
  readonly pid: Pid;
  /** It has no supervisor itself: it is the top of a tree. */
  readonly isRoot: boolean;
  readonly children: number;
  readonly tookMs: number;
}

/** A supervisor has stopped its children and is about to end. */
export interface SupervisorStopped extends SupervisorEvent {
  readonly type: 'supervisor.stopped';
  readonly pid: Pid;
  readonly isRoot: boolean;
  readonly reason: ExitReason;
  readonly tookMs: number;
}

/** A child ended without having been asked to by its supervisor. */
export interface ChildExited extends ChildEvent {
  readonly type: 'supervisor.child_exited';
  readonly pid: Pid;
  readonly reason: ExitReason;
  readonly isClean: boolean;
}

/** A child was started again after it had ended. */
export interface ChildRestarted extends ChildEvent {
  readonly type: 'supervisor.child_restarted';
  readonly pid: Pid;
  readonly reason: ExitReason;
}

/** A child did not start, at first or again. */
export interface ChildStartFailed extends ChildEvent {
  readonly type: 'supervisor.child_start_failed';
  readonly reason: ExitReason;
  /** Whether it had run before, so that it is tried again. */
  readonly isRestart: boolean;
}

/** A child was not restarted, because another process had taken its name in the meantime. Its supervisor has forgotten it. */
export interface ChildSuperseded extends ChildEvent {
  readonly type: 'supervisor.child_superseded';
  /** The process that holds the name, as printed. */
  readonly holder: string;
}

/** A child has been in `init` for a while, and everything behind it waits (I11). */
export interface ChildStartSlow extends ChildEvent {
  readonly type: 'supervisor.child_start_slow';
  readonly waitedMs: number;
}

/** A supervisor stopped a child. */
export interface ChildStopped extends ChildEvent {
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
export interface RestartsExceeded extends ChildEvent {
  readonly type: 'supervisor.restarts_exceeded';
  readonly strategy: Strategy;
  readonly maxRestarts: number;
  readonly withinMs: number;
  readonly reason: ExitReason;
}

export type SupervisionEvent =
  | SupervisorStarted
  | SupervisorStopped
  | ChildExited
  | ChildRestarted
  | ChildStartFailed
  | ChildSuperseded
  | ChildStartSlow
  | ChildStopped
  | RestartsExceeded;
