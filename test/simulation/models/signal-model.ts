export interface ReceiverModel {
  readonly traps: boolean;
  readonly drains: boolean;
}

/** Whether an end is on purpose. */
export function isCleanModel(reason: unknown): boolean {
  if (reason === 'normal' || reason === 'shutdown') return true;
  return (
    typeof reason === 'object' && reason !== null && !(reason instanceof Error) && Object.hasOwn(reason, 'shutdown')
  );
}

/**
 * What an exit signal does, read off OTP's documentation of `exit/2` and off E5: a parent's shutdown is a request, anybody
 * else's signal is death or a message.
 */
export function signalModel(
  { traps, drains }: ReceiverModel,
  reason: unknown,
  from: 'parent' | 'ended parent' | 'itself' | 'another' | 'nobody',
  isKill: boolean,
): 'ignore' | 'message' | 'terminate' | 'die' {
  if (isKill) return 'die';
  if (from === 'parent' || from === 'ended parent') {
    if (traps) return 'terminate';
    if (reason === 'normal') return 'ignore';
    // Only a parent that lives gives time to finish the queue.
    return from === 'parent' && drains && isCleanModel(reason) ? 'terminate' : 'die';
  }
  if (traps) return 'message';
  return reason === 'normal' && from !== 'itself' ? 'ignore' : 'die';
}
