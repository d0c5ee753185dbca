/** How many restarts a supervisor bears in which time before it gives up (S12). */
export interface RestartBudget {
  readonly maxRestarts: number;
  readonly withinMs: number;
}

/** Elixir's, not Erlang's: 3 restarts within 5 seconds (S2). */
export const DEFAULT_BUDGET: RestartBudget = { maxRestarts: 3, withinMs: 5_000 };

/**
 * Records an incident at `now` and says whether it is still within the budget: at most `maxRestarts` incidents in any
 * `withinMs` milliseconds, both ends included. `earlier` are the incidents that were recorded before.
 */
export function recordRestart(
  earlier: readonly number[],
  now: number,
  { maxRestarts, withinMs }: RestartBudget,
): { readonly isAllowed: boolean; readonly recorded: readonly number[] } {
  // Nothing to count up to, and a storm of crashes would only fill the record.
  if (maxRestarts === Infinity) return { isAllowed: true, recorded: earlier };
  const recorded = earlier.filter((at) => now - at <= withinMs);
  recorded.push(now);
  return { isAllowed: recorded.length <= maxRestarts, recorded };
}
