import type { GenServerProcess } from '../gen-server/process/gen-server-process.js';
import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import { formatName } from '../runtime/server-name.js';
import type { TimerRef } from '../runtime/timers.js';
import type { ChildId, CompleteChildSpec } from './child-spec.js';

/** How a child is doing. `restarting`: its last start failed and is tried again, or it waits for the back-off. */
export type ChildStatus = 'running' | 'stopped' | 'restarting';

/** One child, as `whichChildren` shows it. @publicApi */
export interface ChildInfo {
  readonly id: ChildId;
  /** Absent while the child is not running. */
  readonly pid: Pid | undefined;
  readonly status: ChildStatus;
  readonly type: 'worker' | 'supervisor';
}

/** As OTP counts: `workers` and `supervisors` include those that do not run (S19). @publicApi */
export interface ChildCounts {
  readonly specs: number;
  readonly active: number;
  readonly supervisors: number;
  readonly workers: number;
}

/** A supervisor as its `formatStatus` shows it: readable at any time, also while it is busy. */
export interface SupervisorStatus {
  readonly children: readonly ChildView[];
  /** How many more there are than are listed. */
  readonly notShown: number;
}

/** One child in that status. A child that is being started or stopped has a process although it does not count as running. */
export interface ChildView {
  /** As printed. */
  readonly id: string;
  /** The last incarnation, which may have ended; absent when there was none. */
  readonly pid: Pid | undefined;
  readonly status: ChildStatus;
  readonly type: 'worker' | 'supervisor';
}

/** What a supervisor knows of one child. Its process and its status are changed through the {@link ChildTable} it is in. */
export class Child {
  process: GenServerProcess | null = null;
  status: ChildStatus = 'stopped';
  /** The pid of the last incarnation, which the next one continues. */
  pid: Pid | undefined;
  /** The attempt that is due while it is `restarting`. */
  retry: RetryRestart | null = null;
  /** Brings the attempt after a back-off. */
  retryTimer: TimerRef | null = null;
  /** Restarts in a row, for the back-off. */
  attempts = 0;
  /** When it last came up, on the runtime's clock. */
  upSince = 0;
  /** Neighbours in start order. @internal */
  previous: Child | null = null;
  /** @internal */
  next: Child | null = null;

  constructor(readonly spec: CompleteChildSpec) {}

  get printedId(): string {
    return formatName(this.spec.id);
  }
}

/** Sent by a supervisor to itself, so that others have their turn between two attempts (S13). */
export class RetryRestart {
  constructor(
    /** The child to be started. It may have been stopped or deleted in the meantime. */
    readonly child: Child,
    /** Why the child had ended in the first place. */
    readonly reason: ExitReason,
    /** The incident was counted when it happened, and the waiting is over. */
    readonly isCounted: boolean,
  ) {}
}
