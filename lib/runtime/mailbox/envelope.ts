import type { Envelope } from './mailbox.js';

/** A request that is answered. Its payload is in the envelope itself. */
export const CALL = 0;
/** A request that is not answered. */
export const CAST = 1;
/** Any other message: sent messages, timers, `Down`, `Exit`, `Timeout`. */
export const INFO = 2;
/** The shutdown by the parent, which keeps its place in the queue (E5). The payload is the reason. */
export const TERMINATE = 3;
/** A system request to the process itself: `stop`, and the requests of `sys`. */
export const SYSTEM = 4;

/** Info and terminate messages carry everything in the payload, so all of them share one envelope. */
export const INFO_ENVELOPE: Envelope = Object.freeze({ kind: INFO });
/** The envelope of infos sent by code. Infos of the system (`Down`, `Exit`, timers) are never shed by a full mailbox. */
export const SENT_ENVELOPE: Envelope = Object.freeze({ kind: INFO });
export const TERMINATE_ENVELOPE: Envelope = Object.freeze({ kind: TERMINATE });
