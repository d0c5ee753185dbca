import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { CALL, CAST, SENT_ENVELOPE } from '../../runtime/mailbox/envelope.js';
import type { Envelope } from '../../runtime/mailbox/mailbox.js';
import type { InfoHandlers, Invocation, ServerDefinition } from '../definition/server-definition.js';
import type { DeadLettersLeft } from '../events.js';
import type { CallRequest } from './call-request.js';
import type { ReportedServer } from './process-reports.js';

/** The name under which messages without a handler are counted. */
const NO_HANDLER = '(no handler)';

/**
 * Counts the messages in the queue of a process that has ended, which will not be handled (C8). For casts and sent messages this count is
 * the only report; callers get an error as well. System messages (`Down`, `Exit`, `Timeout`) do not count: they concerned this incarnation
 * only.
 */
export class DeadLetters {
  private calls = 0;
  private casts = 0;
  private infos = 0;
  private readonly handlers = new Map<string | symbol, number>();

  add(envelope: Envelope, payload: unknown, infos: InfoHandlers): void {
    if (envelope.kind === CALL) {
      this.calls++;
      this.count((envelope as CallRequest).invocation);
    } else if (envelope.kind === CAST) {
      this.casts++;
      this.count(envelope as Invocation);
    } else if (envelope === SENT_ENVELOPE) {
      this.infos++;
      this.count(infos.find(payload)?.one);
    }
  }

  report({ runtime, pid, label }: ReportedServer, reason: ExitReason): void {
    const { calls, casts, infos, handlers } = this;
    if (casts + infos === 0 || !runtime.events.wants('gen_server.dead_letters')) return;
    const event: DeadLettersLeft = {
      type: 'gen_server.dead_letters',
      pid,
      label,
      reason,
      calls,
      casts,
      infos,
      handlers,
    };
    runtime.events.emit(event);
  }

  private count(invocation: Invocation | undefined): void {
    const name = invocation?.handler.name ?? NO_HANDLER;
    this.handlers.set(name, (this.handlers.get(name) ?? 0) + 1);
  }
}

/** Counts one message of a process that has ended. */
export function countDeadLetter(
  server: { readonly definition: ServerDefinition; readonly extrasInUse: { deadLetters: DeadLetters | null } },
  envelope: Envelope,
  payload: unknown,
): void {
  (server.extrasInUse.deadLetters ??= new DeadLetters()).add(envelope, payload, server.definition.infos);
}
