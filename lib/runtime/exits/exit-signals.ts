import { type ExitReason, isCleanExit } from './exit-reason.js';

/** What the effect of an exit signal depends on, besides its reason. */
export interface SignalCircumstances {
  /** The target turns exit signals from processes other than its parent into messages. */
  readonly trapsExits: boolean;
  /** The target finishes its queue and runs `terminate` when its parent stops it, even if it does not trap exits. */
  readonly drains: boolean;
  /** The sender is the process that started the target. */
  readonly fromParent: boolean;
  /** The sender is the target itself. */
  readonly fromItself: boolean;
  /** The signal was sent with `exit(pid, 'kill')`. A linked process that happens to end with the reason `'kill'` does not count. */
  readonly isKill: boolean;
}

/**
 * - `ignore`: nothing happens.
 * - `message`: the signal becomes an `Exit` message (E4).
 * - `terminate`: the messages queued before the signal are handled, then `terminate` runs (E5).
 * - `die`: the process ends at once, in the middle of a handler, without `terminate` (E3).
 */
export type SignalEffect = 'ignore' | 'message' | 'terminate' | 'die';

/**
 * Decides what an exit signal does to a process. The table covers all of OTP's cases, with one addition of ours: a server drains when its
 * parent stops it, even if it does not trap exits, unless it chose OTP's immediate exit (`drain: false`). If the parent crashed or was
 * killed, the server ends at once, as in OTP: no process would be left to enforce its shutdown time.
 */
export function effectOfSignal(reason: ExitReason, at: SignalCircumstances): SignalEffect {
  if (at.isKill) return 'die'; // E6
  if (at.fromParent && at.trapsExits) return 'terminate'; // E5, L3: never ignored, also 'normal'
  if (at.fromParent && at.drains && reason !== 'normal' && isCleanExit(reason)) return 'terminate';
  if (at.trapsExits) return 'message'; // E4: also 'normal'
  if (reason === 'normal') return at.fromItself ? 'die' : 'ignore'; // E7
  return 'die'; // L1
}
