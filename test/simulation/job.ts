import type { From } from '../../lib/gen-server/process/from.js';

/** How a callback of a server comes to its end. */
export type Ending =
  | 'reply'
  | 'noReply'
  | 'replyState'
  | 'throw'
  | 'stop'
  | 'stopReply'
  | 'exit'
  | 'badResult'
  | 'replyError'
  | 'later'
  | 'replyTwice'
  | 'throwAfterReply';

export type Modifier = 'none' | 'timeout' | 'timeoutZero' | 'continue' | 'hibernate';

/** What is sent: the receiver does as it says. */
export class Job {
  /** The caller's end, for answers that come later. */
  from: From<unknown> | undefined = undefined;

  constructor(
    readonly id: number,
    readonly ending: Ending,
    /** How many times it awaits before it ends. */
    readonly awaits: number,
    /** Its last await never ends. */
    readonly hangs: boolean,
    readonly modifier: Modifier,
    /** How many operations the handler performs after each step. */
    readonly acts: number,
    /** It holds the event loop for longer than a slice. */
    readonly spins: boolean,
  ) {}
}

/** A failure that the schedule wants. */
export class Fault extends Error {
  constructor(readonly id: number) {
    super(`fault ${id}`);
    this.name = 'Fault';
  }
}
