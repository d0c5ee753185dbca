import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { keepShape } from '../../runtime/keep-shape.js';
import type { CallRequest } from './call-request.js';
import type { DeadLetters } from './dead-letters.js';
import type { Debugging } from './debugging.js';
import type { Invocation } from '../definition/server-definition.js';
import type { LoadShedding } from './load-shedding.js';
import type { SystemRequest } from './system-request.js';
import type { ToldOfExit } from './told-of-exit.js';

/** Marks a process as exiting with this reason, even if the handler has caught the error that `self.exit` throws. */
export interface ExitMark {
  readonly reason: ExitReason;
}

/** The continue that a result requested, with its arguments. */
export interface Continuation {
  readonly invocation: Invocation;
  readonly payload: unknown;
}

/**
 * The rarely needed parts of a server process. Created with the first of them, because most of a hundred thousand processes need none; a
 * message then costs one check for null.
 */
export class ProcessExtras {
  /** The calls whose answer was left for later. */
  unanswered: Set<CallRequest> | null = null;
  /** The continue that runs before the next message. */
  continuation: Continuation | null = null;
  exitMark: ExitMark | null = null;
  /** Created once when the process ends, however many callers wait. */
  toldOfExit: ToldOfExit | null = null;
  /** The count of messages that will not be handled; created while the process ends. */
  deadLetters: DeadLetters | null = null;
  shedding: LoadShedding | null = null;
  /** Called when a request to end the process arrives. */
  stopQueued: (() => void) | null = null;
  /** The debugging that `sys` has turned on; null while it is off. */
  debugging: Debugging | null = null;
  /** A system request that takes more than one turn. */
  systemRequest: SystemRequest | null = null;
}

keepShape(new ProcessExtras());
