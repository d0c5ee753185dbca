import { SYSTEM } from '../../runtime/mailbox/envelope.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Envelope } from '../../runtime/mailbox/mailbox.js';

/** The process that serves a system request. */
export interface SystemServer {
  /** Runs the user's `terminate`, then ends the process. */
  terminate(reason: ExitReason, cause: unknown): void;
}

/** A request to the process itself rather than to the server it runs. It keeps its place in the queue (P2). */
export abstract class SystemRequest implements Envelope {
  readonly kind = SYSTEM;

  /** Whether it runs a handler of the server. A suspended server holds such a request back. */
  get runsHandler(): boolean {
    return false;
  }

  /** What a trace shows of a request that runs a handler. */
  get subject(): unknown {
    return undefined;
  }

  abstract perform(server: SystemServer): void;

  /** Called if the process ended before it served the request. */
  serverExited(_reason: ExitReason): void {}
}

/** Ends the process after the messages that are queued before the request (E9). */
export class StopRequest extends SystemRequest {
  constructor(private readonly reason: ExitReason) {
    super();
  }

  perform(server: SystemServer): void {
    server.terminate(this.reason, undefined);
  }
}
