import { inspect } from 'node:util';
import { SupervisorConfigError } from './errors.js';
import type { RestartBudget } from './restart-intensity.js';
import type { Strategy } from './strategies.js';

/**
 * How a supervisor deals with the ends of its children.
 *
 * @publicApi
 */
export interface SupervisorOptions {
  /** Default: `'one_for_one'`. */
  readonly strategy?: Strategy | undefined;
  /** The most restarts within {@link withinMs}; one more, and the supervisor gives up. 0 or more. Default: 3. */
  readonly maxRestarts?: number | undefined;
  /** The length of the sliding window in milliseconds, more than 0. Default: 5 000. */
  readonly withinMs?: number | undefined;
}

/** Options with their defaults filled in. */
export interface CompleteSupervisorOptions extends RestartBudget {
  readonly strategy: Strategy;
}

/** Fills in the defaults and refuses what makes no sense (S2). */
export function completeSupervisorOptions(options: SupervisorOptions, supervisor: string): CompleteSupervisorOptions {
  const { strategy = 'one_for_one', maxRestarts = 3, withinMs = 5_000 } = options;
  const of = `(supervisor ${supervisor})`;
  if (strategy !== 'one_for_one' && strategy !== 'one_for_all' && strategy !== 'rest_for_one') {
    throw new SupervisorConfigError(
      'invalid_strategy',
      `strategy must be 'one_for_one', 'one_for_all' or 'rest_for_one', got: ${inspect(strategy)} ${of}`,
    );
  }
  if (!(typeof maxRestarts === 'number' && maxRestarts >= 0)) {
    throw new SupervisorConfigError(
      'invalid_intensity',
      `maxRestarts must be a number of restarts, 0 or more, got: ${inspect(maxRestarts)} ${of}`,
    );
  }
  if (!(typeof withinMs === 'number' && withinMs > 0)) {
    throw new SupervisorConfigError(
      'invalid_period',
      `withinMs must be milliseconds, more than 0, got: ${inspect(withinMs)} ${of}`,
    );
  }
  return { strategy, maxRestarts, withinMs };
}
