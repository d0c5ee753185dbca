import type { ExitReason } from '../../runtime/exits/exit-reason.js';

/**
 * What a process runs: an instance of a server class, or of the class that stands for a plain behaviour. The process knows no more of
 * it than its optional callbacks.
 */
/* eslint-disable @typescript-eslint/no-explicit-any -- every server has its own arguments and state */
export interface ServerInstance {
  init?(...args: any[]): unknown;
  terminate?(reason: ExitReason): unknown;
  codeChange?(oldVersion: any, state: any, extra: any): unknown;
  formatStatus?(state: any): unknown;
}
/* eslint-enable @typescript-eslint/no-explicit-any */

/** The method by which an instance is told its process. A symbol, so that it collides with nothing a user may declare. */
export const ATTACH: unique symbol = Symbol('nestjs-genserver.attach');

/** Tells an instance which process runs it. Only then does the instance have a state and a `self`. */
export function attachProcess(instance: ServerInstance, process: object): void {
  // Protected in the class, so that it is on no client.
  (instance as { [ATTACH](process: object): void })[ATTACH](process);
}
