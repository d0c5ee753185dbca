import type { Job } from '../job.js';
import type { ProcessModel } from './process-model.js';

/** How a call has to settle. */
export type Settlement =
  | { readonly type: 'answer'; readonly value: unknown }
  | { readonly type: 'error'; readonly value: unknown }
  | { readonly type: 'exited'; readonly reason: unknown }
  | { readonly type: 'timeout' }
  | { readonly type: 'noproc' }
  | { readonly type: 'overloaded' }
  | { readonly type: 'self' }
  | { readonly type: 'named'; readonly name: string };

/** A call that somebody made. It settles once, as the model says (P4). */
export class CallModel {
  /** The first thing that happens to it counts (P5). */
  expected: Settlement | undefined;
  isSettled = false;
  /** The request of the runtime, once it was seen in a mailbox. */
  request: { readonly isSettled: boolean } | undefined;

  constructor(
    readonly id: number,
    readonly job: Job | undefined,
    readonly target: ProcessModel | undefined,
    readonly due: number,
  ) {}

  expect(settlement: Settlement): void {
    this.expected ??= settlement;
  }
}
