import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { keepShape } from '../../runtime/keep-shape.js';
import type { CallRequest } from './call-request.js';
import type { DeadLetters } from './dead-letters.js';
import type { Debugging } from './debugging.js';
import type { Invocation } from '../definition/server-definition.js';
import type { LoadShedding } from './load-shedding.js';
import type { SystemRequest } from './system-request.js';

/** The process is to exit with this reason, though a `catch` of the user's may have swallowed the exit. */
export interface ExitMark {
  readonly reason: ExitReason;
}

/** A callback that a result asked for, with its arguments. */
export interface Continuation {
  readonly invocation: Invocation;
  readonly payload: unknown;
}

/** Why a process ended, as its callers may know it. */
export interface ToldOfExit {
  readonly reason: ExitReason;
  readonly cause: unknown;
}

/**
 * What a server has going on besides the message in hand. Most processes of a hundred thousand have nothing of it, so it is made with
 * the first such thing, and a message costs them one look.
 */
export class ProcessExtras {
  /** Calls whose answer was left for later. */
  unanswered: Set<CallRequest> | null = null;
  /** What a result asked to be run before the next message. */
  continuation: Continuation | null = null;
  exitMark: ExitMark | null = null;
  /** Made once, however many callers wait. */
  toldOfExit: ToldOfExit | null = null;
  /** What was accepted and will not be handled; made while the process ends. */
  deadLetters: DeadLetters | null = null;
  shedding: LoadShedding | null = null;
  /** Called when a request to end the process arrives. */
  stopQueued: (() => void) | null = null;
  /** What `sys` has turned on; null while nothing is. */
  debugging: Debugging | null = null;
  /** A request of the system that takes more than one turn. */
  systemRequest: SystemRequest | null = null;
}

keepShape(new ProcessExtras());
