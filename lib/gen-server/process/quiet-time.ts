import { Deadline } from '../../runtime/time/deadline.js';
import type { GenServerProcess } from './gen-server-process.js';

/** The timeout that a result asked for (T1). */
export class IdleDeadline extends Deadline {
  lengthMs = 0;
  /** It ran out while a request of the system was waiting, which starts it again (T4). */
  hasLapsed = false;
  /** The message in hand cut it short. */
  private wasCutShort = false;
  /** The previous message also cut it short, and did not count. */
  private isDisregarded = false;

  constructor(private readonly server: GenServerProcess) {
    super();
  }

  expire(): void {
    this.server.idleTimeIsOver();
  }

  /** A message has come (T1). */
  interrupt(): void {
    this.wasCutShort = this.isPending || this.hasLapsed || (this.wasCutShort && this.isDisregarded);
    this.isDisregarded = false;
    this.cancel();
  }

  /** The message does not count. Answers whether the timeout is to start again. */
  disregardMessage(): boolean {
    return (this.isDisregarded = this.wasCutShort);
  }

  override cancel(): void {
    this.hasLapsed = false;
    super.cancel();
  }
}

/** Ends a process that nobody needed for a while. */
export class Passivation extends Deadline {
  constructor(private readonly server: GenServerProcess) {
    super();
  }

  expire(): void {
    this.server.passivate();
  }
}

/** What a process waits for while nothing comes: the timeout of a result, and the end of its usefulness. */
export class QuietTime {
  idle: IdleDeadline | null = null;
  passivation: Passivation | null = null;
  /** Tasks of the process that run, and streams of it that are being read. */
  workCount = 0;

  /** A message has come; one of the system leaves the timeout alone. */
  interrupt(isSystem: boolean): void {
    if (this.passivation !== null) this.passivation.cancel();
    if (this.idle !== null && !isSystem) this.idle.interrupt();
  }

  cancel(): void {
    this.idle?.cancel();
    this.passivation?.cancel();
  }
}
