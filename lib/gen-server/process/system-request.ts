import { SYSTEM } from '../../runtime/mailbox/envelope.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Envelope } from '../../runtime/mailbox/mailbox.js';

/** The process that a request of the system is for. */
export interface SystemServer {
  /** Runs the user's `terminate`, then ends. */
  terminate(reason: ExitReason, cause: unknown): void;
}

/** Something that is asked of the process rather than of the server it runs. It keeps its place in the queue (P2). */
export abstract class SystemRequest implements Envelope {
  readonly kind = SYSTEM;

  /** Whether it runs a handler of the server's, which a suspended server must not. */
  get runsHandler(): boolean {
    return false;
  }

  abstract perform(server: SystemServer): void;

  /** The process ended before the request's turn came. */
  serverExited(_reason: ExitReason): void {}
}

/** Ends the process after everything that is queued before the request (E9). */
export class StopRequest extends SystemRequest {
  constructor(private readonly reason: ExitReason) {
    super();
  }

  perform(server: SystemServer): void {
    server.terminate(this.reason, undefined);
  }
}
