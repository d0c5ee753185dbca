import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { Overflow } from '../runtime/mailbox/bounded-mailbox.js';
import type { RuntimeEvent } from '../runtime/ports.js';
import type { ArgumentIssue } from './arguments-refused-error.js';

/** A message that a server was handling. */
export interface LastMessage {
  readonly kind: 'call' | 'cast' | 'info' | 'continue';
  /** Undefined for a request to a plain behaviour and for an info: there the one argument is the message. */
  readonly handler: string | symbol | undefined;
  readonly args: readonly unknown[];
}

/** A server ended abnormally, or its `init` failed. */
export interface CrashReport extends RuntimeEvent {
  readonly type: 'gen_server.crashed';
  readonly pid: Pid;
  readonly label: string;
  readonly reason: ExitReason;
  /** What was thrown, where something was. */
  readonly cause: unknown;
  /** The name of the handler that ran; `init` when the server did not get past that. */
  readonly message: string | undefined;
  /** What was being handled, with its arguments as errors show them: without secrets, and in production without values. */
  readonly lastMessage: LastMessage | undefined;
  /** What `terminate` ran for, when `terminate` failed as well. */
  readonly former?: unknown;
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

/** The queue of a server without `maxMailbox` has reached 10 000 messages, or ten times as many, for the first time since it was empty. */
export interface MailboxHighWater extends RuntimeEvent {
  readonly type: 'gen_server.mailbox_high_water';
  readonly pid: Pid;
  readonly label: string;
  readonly queueLength: number;
}

/** A message did not fit into a mailbox with a limit, or had to make room for another, and is not handled. */
export interface MessageShed extends RuntimeEvent {
  readonly type: 'gen_server.message_shed';
  readonly pid: Pid;
  readonly label: string;
  /** What was shed. The caller of a call was told. */
  readonly kind: 'call' | 'cast' | 'info';
  readonly overflow: Overflow;
  readonly limit: number;
  readonly queueLength: number;
  /** How many this incarnation has shed, this one included. */
  readonly totals: ShedTotals;
}

/** How many messages of each kind were shed. */
export interface ShedTotals {
  readonly calls: number;
  readonly casts: number;
  readonly infos: number;
}

/** The arguments of a call or cast are not what the `schema` of the handler allows. It did not run; the caller of a call was told. */
export interface ArgumentsRefused extends RuntimeEvent {
  readonly type: 'gen_server.arguments_refused';
  readonly pid: Pid;
  readonly label: string;
  readonly kind: 'call' | 'cast';
  readonly handler: string | symbol;
  readonly issues: readonly ArgumentIssue[];
}

/** A process has ended and left casts or sent messages that it had accepted and will not handle. Told once per end (C8). */
export interface DeadLettersLeft extends RuntimeEvent {
  readonly type: 'gen_server.dead_letters';
  readonly pid: Pid;
  readonly label: string;
  /** Why the process ended. */
  readonly reason: ExitReason;
  /** How many of each kind were left. Callers were told by an error. */
  readonly calls: number;
  readonly casts: number;
  readonly infos: number;
  /** How many were meant for which handler. */
  readonly handlers: ReadonlyMap<string | symbol, number>;
}

/** A cast had no receiver, or could not be copied. It is lost, as casts may be (C8). */
export interface CastDropped extends RuntimeEvent {
  readonly type: 'gen_server.cast_dropped';
  readonly destination: string;
  readonly handler: string | symbol;
  readonly why: string;
}
