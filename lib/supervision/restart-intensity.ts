/** How many restarts a supervisor bears in which time before it gives up (S12). */
export interface RestartBudget {
  readonly maxRestarts: number;
  readonly withinMs: number;
}

/**
 * Records an incident at `now` and says whether it is still within the budget: at most `maxRestarts` incidents in any
 * `withinMs` milliseconds, both ends included. `earlier` are the incidents that were recorded before.
 */
export function recordRestart(
  earlier: readonly number[],
  now: number,
  { maxRestarts, withinMs }: RestartBudget,
): { readonly isAllowed: boolean; readonly recorded: readonly number[] } {
  const recorded = earlier.filter((at) => now - at <= withinMs);
  recorded.push(now);
  return { isAllowed: recorded.length <= maxRestarts, recorded };
}
