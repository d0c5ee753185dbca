import { SupervisorConfigError } from './errors.js';
import type { RestartBackoff } from './restart-backoff.js';
import { DEFAULT_BUDGET, type RestartBudget } from './restart-intensity.js';
import type { Strategy } from './strategies.js';
import { print } from '../runtime/secrets/print.js';

/** How many restarts a supervisor bears. */
export interface BudgetOptions {
  /** The most restarts within {@link withinMs}; one more, and the supervisor gives up. 0 or more. Default: 3. */
  readonly maxRestarts?: number | undefined;
  /** The length of the sliding window in milliseconds, more than 0. Default: 5 000. */
  readonly withinMs?: number | undefined;
}

/**
 * When a supervisor ends because of its significant children (S20): never, when the first of them has ended by itself, or
 * when the last has.
 *
 * @publicApi
 */
export type AutoShutdown = 'never' | 'any_significant' | 'all_significant';

/**
 * How a supervisor deals with the ends of its children.
 *
 * @publicApi
 */
export interface SupervisorOptions extends BudgetOptions {
  /** Default: `'one_for_one'`. */
  readonly strategy?: Strategy | undefined;
  /** Default: `'never'`. */
  readonly autoShutdown?: AutoShutdown | undefined;
  /**
   * Waits before a restart: `minMs` the first time, twice as long each time after, `maxMs` at most. A child that has run for
   * longer than `maxMs` starts over at `minMs`. The siblings that the strategy takes along are stopped at once and started when the
   * wait is over. OTP has no such option. While the supervisor waits, the child's name is free. Default: none.
   */
  readonly restartBackoff?: RestartBackoff | undefined;
}

/** Options with their defaults filled in. */
export interface CompleteSupervisorOptions extends RestartBudget {
  readonly strategy: Strategy;
  readonly autoShutdown: AutoShutdown;
  readonly restartBackoff: RestartBackoff | undefined;
}

/** Fills in the defaults and refuses what makes no sense (S2). */
export function completeSupervisorOptions(options: SupervisorOptions, supervisor: string): CompleteSupervisorOptions {
  const { strategy = 'one_for_one', autoShutdown = 'never', restartBackoff } = options;
  const of = `(supervisor ${supervisor})`;
  if (strategy !== 'one_for_one' && strategy !== 'one_for_all' && strategy !== 'rest_for_one') {
    throw new SupervisorConfigError(
      'invalid_strategy',
      `strategy must be 'one_for_one', 'one_for_all' or 'rest_for_one', got: ${print(strategy)} ${of}`,
    );
  }
  if (autoShutdown !== 'never' && autoShutdown !== 'any_significant' && autoShutdown !== 'all_significant') {
    throw new SupervisorConfigError(
      'invalid_auto_shutdown',
      `autoShutdown must be 'never', 'any_significant' or 'all_significant', got: ${print(autoShutdown)} ${of}`,
    );
  }
  return {
    strategy,
    autoShutdown,
    ...completeBudget(options, of),
    restartBackoff: completeBackoff(restartBackoff, of),
  };
}

/** The restart budget, with Elixir's defaults. `of` names the supervisor in messages. */
export function completeBudget(
  { maxRestarts = DEFAULT_BUDGET.maxRestarts, withinMs = DEFAULT_BUDGET.withinMs }: BudgetOptions,
  of: string,
): RestartBudget {
  if (!(typeof maxRestarts === 'number' && maxRestarts >= 0)) {
    throw new SupervisorConfigError(
      'invalid_intensity',
      `maxRestarts must be a number of restarts, 0 or more, got: ${print(maxRestarts)} ${of}`,
    );
  }
  if (!(typeof withinMs === 'number' && withinMs > 0)) {
    throw new SupervisorConfigError(
      'invalid_period',
      `withinMs must be milliseconds, more than 0, got: ${print(withinMs)} ${of}`,
    );
  }
  return { maxRestarts, withinMs };
}

function completeBackoff(backoff: RestartBackoff | undefined, of: string): RestartBackoff | undefined {
  if (backoff === undefined) return undefined;
  const { minMs, maxMs } = (backoff ?? {}) as Partial<RestartBackoff>; // JavaScript callers may pass null
  if (typeof minMs === 'number' && typeof maxMs === 'number' && minMs > 0 && maxMs >= minMs && maxMs !== Infinity) {
    return { minMs, maxMs };
  }
  throw new SupervisorConfigError(
    'invalid_backoff',
    `restartBackoff must be { minMs, maxMs } in milliseconds with 0 < minMs <= maxMs, got: ${print(backoff)} ${of}`,
  );
}
