import { type ExitReason, isCleanExit } from './exit-reason.js';

/** What an exit signal finds when it arrives. */
export interface SignalCircumstances {
  /** The target turns signals of strangers into messages. */
  readonly trapsExits: boolean;
  /** The target finishes its queue and runs `terminate` when its parent stops it. */
  readonly drains: boolean;
  /** The sender is the process that started the target. */
  readonly fromParent: boolean;
  /** The sender is the target itself. */
  readonly fromItself: boolean;
  /** Sent as `exit(pid, 'kill')`, as opposed to a linked process that happened to end with the reason `'kill'`. */
  readonly isKill: boolean;
}

/**
 * - `ignore`: nothing happens.
 * - `message`: the signal becomes an `Exit` message (E4).
 * - `terminate`: what is queued before the signal is handled, then `terminate` runs (E5).
 * - `die`: the process ends at once, in the middle of a handler, without `terminate` (E3).
 */
export type SignalEffect = 'ignore' | 'message' | 'terminate' | 'die';

/**
 * What an exit signal does to a process. One table for all of OTP's cases, with our one addition: a server drains when its
 * parent stops it, also when it does not trap exits, unless it asked for OTP's instant death (`drain: false`). A parent that
 * crashed or was killed takes it along at once, as in OTP: nobody would be left to enforce the time it has.
 */
export function effectOfSignal(reason: ExitReason, at: SignalCircumstances): SignalEffect {
  if (at.isKill) return 'die'; // E6
  if (at.fromParent && at.trapsExits) return 'terminate'; // E5, L3: never ignored, also 'normal'
  if (at.fromParent && at.drains && reason !== 'normal' && isCleanExit(reason)) return 'terminate';
  if (at.trapsExits) return 'message'; // E4: also 'normal'
  if (reason === 'normal') return at.fromItself ? 'die' : 'ignore'; // E7
  return 'die'; // L1
}
