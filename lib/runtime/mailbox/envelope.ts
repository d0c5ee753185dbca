import type { Envelope } from './mailbox.js';

/** A request that is answered: the payload belongs to the envelope itself. */
export const CALL = 0;
/** A request that is not answered. */
export const CAST = 1;
/** Any other message: what was sent, timers, `Down`, `Exit`, `Timeout`. */
export const INFO = 2;
/** The parent's shutdown, in its place in the queue (E5). The payload is the reason. */
export const TERMINATE = 3;
/** A request of the system to the process itself: stop, and what `sys` asks. */
export const SYSTEM = 4;

/** Info and terminate carry everything in their payload, so one envelope serves all of them. */
export const INFO_ENVELOPE: Envelope = Object.freeze({ kind: INFO });
/** Of infos that somebody sent. Those of the system itself (`Down`, `Exit`, timers) are never refused for want of room. */
export const SENT_ENVELOPE: Envelope = Object.freeze({ kind: INFO });
export const TERMINATE_ENVELOPE: Envelope = Object.freeze({ kind: TERMINATE });
