import type { ExitReason } from '../../runtime/exits/exit-reason.js';

/** Why a process ended, redacted for its callers. Made once per end, however many callers wait. */
export interface ToldOfExit {
  readonly reason: ExitReason;
  readonly cause: unknown;
  /** The reason as a text, since printing it costs more than the rest of an error. */
  readonly inWords: string;
}
