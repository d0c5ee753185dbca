import { type ExitReason, isCleanExit } from '../runtime/exits/exit-reason.js';

/**
 * When a child is started again: always, only after an abnormal exit, or never (S1).
 *
 * @publicApi
 */
export type Restart = 'permanent' | 'transient' | 'temporary';

/** Whether a child that ended with `reason` is started again (S11). */
export function shouldRestart(restart: Restart, reason: ExitReason): boolean {
  if (restart === 'permanent') return true;
  if (restart === 'temporary') return false;
  return !isCleanExit(reason);
}
