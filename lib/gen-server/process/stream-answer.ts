import { CallbackResult } from '../results/callback-result.js';
import type { CallRequest } from './call-request.js';
import type { ReportedServer } from './process-reports.js';
import type { QuietServer } from './quiet-time.js';

/** A process that answers a call with a stream. */
export interface StreamingServer extends QuietServer, ReportedServer {}

/** The value of a `replyStream` result: items that have not been asked for. */
export interface StreamAnswer {
  /** Gives the caller the stream. */
  answerTo(server: StreamingServer, request: CallRequest): void;
  /** Lets go of the items: nobody will get the answer. */
  abandon(): void;
}

/** Lets go of the stream that a handler answers with, when nobody will get the answer. */
export function abandonStream(result: unknown): void {
  if (result instanceof CallbackResult && result.kind === 'replyStream') (result.value as StreamAnswer).abandon();
}
