import type { ExitReason } from '../runtime/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { RuntimeEvent } from '../runtime/ports.js';

/** A server ended abnormally, or its `init` failed. */
export interface CrashReport extends RuntimeEvent {
  readonly type: 'gen_server.crashed';
  readonly pid: Pid;
  readonly label: string;
  readonly reason: ExitReason;
  /** What was thrown, where something was. */
  readonly cause: unknown;
  /** What was being handled; `init` when it did not get past that. */
  readonly message: string | undefined;
  /** The state as `formatStatus` shows it. */
  readonly state: unknown;
  readonly queueLength: number;
}

/** An info arrived that no handler takes. The process lives on (R8). */
export interface UnexpectedMessage extends RuntimeEvent {
  readonly type: 'gen_server.unexpected_message';
  readonly pid: Pid;
  readonly label: string;
  readonly message: unknown;
}

/** Somebody else holds the live, mutable state of a server and could change it behind its back (P4). */
export interface LiveStateShared extends RuntimeEvent {
  readonly type: 'gen_server.live_state_shared';
  readonly pid: Pid;
  readonly label: string;
  /** How it came out: a reply, or an argument of `init`. */
  readonly what: string;
}

/** A result asked for hibernation. */
export interface Hibernated extends RuntimeEvent {
  readonly type: 'gen_server.hibernated';
  readonly pid: Pid;
  readonly label: string;
}

/** A cast had no receiver, or could not be copied. It is lost, as casts may be (C8). */
export interface CastDropped extends RuntimeEvent {
  readonly type: 'gen_server.cast_dropped';
  readonly destination: string;
  readonly handler: string | symbol;
  readonly why: string;
}
