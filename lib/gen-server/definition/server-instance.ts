import type { ExitReason } from '../../runtime/exits/exit-reason.js';

/**
 * What a process runs: an instance of a server class, or of the class that runs a plain behaviour. The process knows only its optional
 * callbacks.
 */
/* eslint-disable @typescript-eslint/no-explicit-any -- every server has its own arguments and state */
export interface ServerInstance {
  init?(...args: any[]): unknown;
  terminate?(reason: ExitReason): unknown;
  codeChange?(oldVersion: any, state: any, extra: any): unknown;
  formatStatus?(state: any): unknown;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

/** The method that gives an instance its process. A symbol, so that it cannot collide with a member of a user's class. */
export const ATTACH: unique symbol = Symbol('nestjs-genserver.attach');

/** The method that tells an instance that its process has ended, and gives it the last state. */
export const DETACH: unique symbol = Symbol('nestjs-genserver.detach');

/** Gives an instance the process that runs it. From then on the instance has a state and a `self`. */
export function attachProcess(instance: ServerInstance, process: object): void {
  // A cast, because the method is protected: otherwise it would be part of the type of every client.
  (instance as { [ATTACH](process: object): void })[ATTACH](process);
}

/** Tells an instance that its process has ended and has given up the state: code that the instance still runs may look at it. */
export function detachProcess(instance: ServerInstance, lastState: unknown): void {
  (instance as { [DETACH](lastState: unknown): void })[DETACH](lastState);
}
