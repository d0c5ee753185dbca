import type { Overflow, MaxMailbox } from '../../runtime/mailbox/bounded-mailbox.js';
import { CALL, CAST } from '../../runtime/mailbox/envelope.js';
import type { Envelope } from '../../runtime/mailbox/mailbox.js';
import { type CallRequest, describeRequest } from './call-request.js';
import { OverloadedError } from '../errors.js';
import type { MessageShed } from '../events.js';
import type { ReportedServer } from './process-reports.js';

/** Counts and reports the messages that a bounded mailbox sheds, and refuses the calls among them. */
export class LoadShedding {
  private readonly overflow: Overflow;
  private readonly limit: number;
  private calls = 0;
  private casts = 0;
  private infos = 0;

  constructor(
    private readonly server: ReportedServer,
    { limit, overflow }: MaxMailbox,
  ) {
    this.limit = limit;
    this.overflow = overflow;
  }

  shed(envelope: Envelope): void {
    const { server } = this;
    if (envelope.kind === CALL) {
      this.calls++;
      const request = envelope as CallRequest;
      const what = describeRequest(server.runtime, request.invocation, request.payload);
      request.refuse(new OverloadedError(server.label, what, this.limit, server.queueLength));
      this.report('call');
    } else if (envelope.kind === CAST) {
      this.casts++;
      this.report('cast');
    } else {
      this.infos++;
      this.report('info');
    }
  }

  private report(kind: MessageShed['kind']): void {
    const { server, overflow, limit, calls, casts, infos } = this;
    const { runtime, pid, label, queueLength } = server;
    if (!runtime.events.wants('gen_server.message_shed')) return;
    const totals = { calls, casts, infos };
    const event: MessageShed = {
      type: 'gen_server.message_shed',
      pid,
      label,
      kind,
      overflow,
      limit,
      queueLength,
      totals,
    };
    runtime.events.emit(event);
  }
}
