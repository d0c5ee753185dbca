import type { Schedulable } from '../../lib/runtime/scheduling/scheduler.js';

/** The least that a scheduler can give turns to. */
export const schedulable = (run: () => boolean, queueLength = 1): Schedulable => ({
  nextReady: undefined,
  queueLength,
  run,
});
