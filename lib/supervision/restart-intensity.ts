/** How many restarts a supervisor bears in which time before it gives up (S12). */
export interface RestartBudget {
  readonly maxRestarts: number;
  readonly withinMs: number;
}

/** Elixir's, not Erlang's: 3 restarts within 5 seconds (S2). */
export const DEFAULT_BUDGET: RestartBudget = { maxRestarts: 3, withinMs: 5_000 };

/** Counts the restarts of one supervisor against what it bears. */
export class RestartIntensity {
  /** When the incidents were, the oldest first. Those before `first` have left the window, and are thrown away by the dozen. */
  private readonly incidents: number[] = [];
  private first = 0;

  constructor(private readonly budget: RestartBudget) {}

  /** How many incidents are remembered. */
  get size(): number {
    return this.incidents.length;
  }

  /**
   * Records an incident at `now` and answers whether it is still within the budget: at most `maxRestarts` incidents in any `withinMs`
   * milliseconds, both ends included. However many are within the window, only those that leave it are looked at.
   */
  record(now: number): boolean {
    const { maxRestarts, withinMs } = this.budget;
    // Nothing to count up to, and a storm of crashes would only fill the record.
    if (maxRestarts === Infinity) return true;
    const { incidents } = this;
    while (this.first < incidents.length && now - incidents[this.first]! > withinMs) this.first++;
    if (this.first > incidents.length / 2) {
      incidents.splice(0, this.first);
      this.first = 0;
    }
    incidents.push(now);
    return incidents.length - this.first <= maxRestarts;
  }
}
