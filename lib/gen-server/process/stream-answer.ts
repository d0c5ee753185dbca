import { isOwnResult } from '../results/callback-result.js';
import type { CallRequest } from './call-request.js';
import type { ReportedServer } from './process-reports.js';
import type { QuietServer } from './quiet-time.js';

/** A process that answers a call with a stream. */
export interface StreamingServer extends QuietServer, ReportedServer {}

/** The value of a `replyStream` result: a source that has not been read. */
export interface StreamAnswer {
  /** Answers the call with the stream. */
  answerTo(server: StreamingServer, request: CallRequest): void;
  /** Releases the source, because no caller will get the stream. */
  abandon(): void;
}

/** Releases the source of a `replyStream` result that will not be applied. Does nothing for other results. */
export function abandonStream(result: unknown): void {
  if (isOwnResult(result) && result.kind === 'replyStream') (result.value as StreamAnswer).abandon();
}
