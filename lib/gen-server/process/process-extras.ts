import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { keepShape } from '../../runtime/keep-shape.js';
import type { CallRequest } from './call-request.js';
import type { Debugging } from './debugging.js';
import type { Invocation } from '../definition/server-definition.js';
import type { Shedding } from './load-shedding.js';
import type { SystemRequest } from './system-request.js';

/**
 * What a server has going on besides the message in hand. Most processes of a hundred thousand have nothing of it, so it is made with
 * the first such thing, and a message costs them one look.
 */
export class ProcessExtras {
  /** Calls whose answer was left for later. */
  unanswered: Set<CallRequest> | null = null;
  /** What a result asked to be run before the next message. */
  continuation: { readonly invocation: Invocation; readonly payload: unknown } | null = null;
  /** The process is to exit: a `catch` of the user's may have swallowed it. */
  exitMark: { readonly reason: ExitReason } | null = null;
  /** Why it ended, as callers may know it: made once, however many wait. */
  toldOfExit: { readonly reason: ExitReason; readonly cause: unknown } | null = null;
  shedding: Shedding | null = null;
  /** Called when a request to end the process arrives. */
  stopQueued: (() => void) | null = null;
  /** What `sys` has turned on; null while nothing is. */
  debugging: Debugging | null = null;
  /** A request of the system that takes more than one turn. */
  systemRequest: SystemRequest | null = null;
}

keepShape(new ProcessExtras());
