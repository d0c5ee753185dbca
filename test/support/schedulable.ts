import type { Schedulable } from '../../lib/runtime/scheduling/scheduler.js';

/** Something that a scheduler gives turns to, and that is nothing else. */
export const schedulable = (run: () => boolean, queueLength = 1): Schedulable => ({
  nextReady: undefined,
  queueLength,
  run,
});
