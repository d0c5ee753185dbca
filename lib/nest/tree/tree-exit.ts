import type { Clock } from '../../runtime/ports.js';

/** How long Nest's hooks, and other listeners for SIGTERM, may take before the Node process ends without them. */
const GRACE_MS = 30_000;

/**
 * Ends the Node process with exit code 1, as the death of a permanent OTP application would. An application that enabled
 * Nest's shutdown hooks gets to run them first: they listen to SIGTERM, and raise it again when they are done. Other listeners
 * need not raise it again, so the wait has a limit.
 */
export function shutDownApplication(clock: Clock): void {
  if (process.listenerCount('SIGTERM') === 0) {
    process.exit(1);
  }
  process.exitCode = 1;
  clock.setTimer(GRACE_MS, () => process.exit(1)).unref();
  let isFirst = true;
  process.on('SIGTERM', () => {
    // The first signal is ours and meant for Nest. The second is Nest's farewell, which would end us with the code of the signal.
    if (isFirst) isFirst = false;
    else process.exit(1);
  });
  process.kill(process.pid, 'SIGTERM');
}
