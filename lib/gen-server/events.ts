import type { ExitReason } from '../runtime/exits/exit-reason.js';
import type { Pid } from '../runtime/pid.js';
import type { Overflow } from '../runtime/mailbox/bounded-mailbox.js';
import type { RuntimeEvent } from '../runtime/ports.js';
import type { ArgumentIssue } from './arguments-refused-error.js';

/** The message that a server was handling when it crashed. */
export interface LastMessage {
  readonly kind: 'call' | 'cast' | 'info' | 'continue';
  /** The name of the handler. Undefined for an info and for a request to a plain behaviour: there, the only argument is the message. */
  readonly handler: string | symbol | undefined;
  readonly args: readonly unknown[];
}

/** A server ended abnormally, or its `init` failed. */
export interface CrashReport extends RuntimeEvent {
  readonly type: 'gen_server.crashed';
  readonly pid: Pid;
  readonly label: string;
  readonly reason: ExitReason;
  /** The thrown value, or undefined if nothing was thrown. */
  readonly cause: unknown;
  /** The name of the handler that ran; `init` if the server failed to start. */
  readonly message: string | undefined;
  /** The message that was being handled, with its arguments as errors show them: without secrets, and in production without values. */
  readonly lastMessage: LastMessage | undefined;
  /** The failure that caused `terminate` to run, if `terminate` failed as well. */
  readonly former?: unknown;
  /** The state as `formatStatus` shows it. */
  readonly state: unknown;
  readonly queueLength: number;
}

/** A server received an info that no handler takes, and dropped it. The process goes on (R8). */
export interface UnexpectedMessage extends RuntimeEvent {
  readonly type: 'gen_server.unexpected_message';
  readonly pid: Pid;
  readonly label: string;
  readonly message: unknown;
}

/** Code outside of a server holds the live, mutable state of the server, and could change it without its knowledge (P4). */
export interface LiveStateShared extends RuntimeEvent {
  readonly type: 'gen_server.live_state_shared';
  readonly pid: Pid;
  readonly label: string;
  /** How the state was shared: by a reply, or by an argument of `init`. */
  readonly what: string;
}

/** A server hibernated, because a result asked for it: if its mailbox was empty, its memory was released. */
export interface Hibernated extends RuntimeEvent {
  readonly type: 'gen_server.hibernated';
  readonly pid: Pid;
  readonly label: string;
}

/** The backlog of a server without `maxMailbox` has reached 10 000 messages, or a tenfold, for the first time since it was empty. */
export interface MailboxHighWater extends RuntimeEvent {
  readonly type: 'gen_server.mailbox_high_water';
  readonly pid: Pid;
  readonly label: string;
  readonly queueLength: number;
}

/** A message was shed by a full mailbox (`maxMailbox`): it did not fit, or had to make room for a newer one. It will not be handled. */
export interface MessageShed extends RuntimeEvent {
  readonly type: 'gen_server.message_shed';
  readonly pid: Pid;
  readonly label: string;
  /** The kind of the shed message. The caller of a shed call gets an `OverloadedError`. */
  readonly kind: 'call' | 'cast' | 'info';
  readonly overflow: Overflow;
  readonly limit: number;
  readonly queueLength: number;
  /** How many messages this incarnation has shed, including this one. */
  readonly totals: ShedTotals;
}

/** How many messages of each kind were shed. */
export interface ShedTotals {
  readonly calls: number;
  readonly casts: number;
  readonly infos: number;
}

/** The arguments of a call or cast do not match the `schema` of the handler, which did not run. The caller of a call gets an error. */
export interface ArgumentsRefused extends RuntimeEvent {
  readonly type: 'gen_server.arguments_refused';
  readonly pid: Pid;
  readonly label: string;
  readonly kind: 'call' | 'cast';
  readonly handler: string | symbol;
  readonly issues: readonly ArgumentIssue[];
}

/** A process has ended with casts or sent messages in its queue, which will not be handled. Emitted once per process (C8). */
export interface DeadLettersLeft extends RuntimeEvent {
  readonly type: 'gen_server.dead_letters';
  readonly pid: Pid;
  readonly label: string;
  /** Why the process ended. */
  readonly reason: ExitReason;
  /** How many messages of each kind were left. The callers of the calls get an error. */
  readonly calls: number;
  readonly casts: number;
  readonly infos: number;
  /** The number of messages per handler that would have run. */
  readonly handlers: ReadonlyMap<string | symbol, number>;
}

/** A cast had no receiver, or could not be copied. It is lost: casts are not guaranteed to arrive (C8). */
export interface CastDropped extends RuntimeEvent {
  readonly type: 'gen_server.cast_dropped';
  readonly destination: string;
  readonly handler: string | symbol;
  readonly why: string;
}
