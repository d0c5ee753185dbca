import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Mailbox } from '../../runtime/mailbox/mailbox.js';
import { payloadOf, type ServerDefinition } from '../definition/server-definition.js';
import { UndefinedCallbackError } from '../errors.js';
import type { Modifier } from '../results/callback-result.js';
import type { ProcessExtras } from './process-extras.js';
import { reportHibernated, type ReportedServer } from './process-reports.js';
import { armIdle, type QuietServer } from './quiet-time.js';

/** A process that the modifier of a result can be applied to. */
export interface ModifiedServer extends QuietServer, ReportedServer {
  readonly definition: ServerDefinition;
  readonly extrasInUse: ProcessExtras;
  mailbox: Mailbox | null;
  hasContinuation: boolean;
  terminate(reason: ExitReason, cause: unknown): void;
}

/** Applies the modifier of a result: timeout, continue or hibernate. */
export function applyModifier(server: ModifiedServer, modifier: Modifier): void {
  if (modifier.type === 'timeout') armIdle(server, modifier.ms);
  else if (modifier.type === 'continue') continueWith(server, modifier.tag, modifier.args);
  else hibernate(server);
}

/** Schedules a `@HandleContinue` handler before the next message. Without a handler, the process ends. */
function continueWith(server: ModifiedServer, tag: string | symbol, args: readonly unknown[]): void {
  const { continues, anyContinue } = server.definition;
  const handler = continues.get(tag) ?? anyContinue;
  if (handler === undefined) {
    const cause = new UndefinedCallbackError(server.label, `@HandleContinue(${String(tag)})`);
    server.terminate(cause, cause);
    return;
  }
  const all = handler === anyContinue ? [tag, ...args] : args;
  server.extrasInUse.continuation = { invocation: handler.invocationFor(all), payload: payloadOf(all) };
  server.hasContinuation = true;
}

function hibernate(server: ModifiedServer): void {
  if (server.queueLength === 0) server.mailbox = null;
  reportHibernated(server);
}
