export interface TimerEntry<T> {
  readonly due: number;
  readonly order: number;
  readonly value: T;
  state: 'pending' | 'delivered' | 'cancelled';
}

/** Messages that are to come later. The caller says what time it is. */
export class TimerModel<T> {
  readonly entries: TimerEntry<T>[] = [];

  arm(value: T, now: number, delayMs: number): TimerEntry<T> {
    const entry: TimerEntry<T> = { due: now + delayMs, order: this.entries.length, value, state: 'pending' };
    this.entries.push(entry);
    return entry;
  }

  /** The milliseconds that were left, or false when there is nothing to cancel. */
  cancel(entry: TimerEntry<T>, now: number): number | false {
    const left = this.left(entry, now);
    if (left !== false) entry.state = 'cancelled';
    return left;
  }

  left({ state, due }: TimerEntry<T>, now: number): number | false {
    return state === 'pending' ? Math.max(0, Math.ceil(due - now)) : false;
  }

  /** What is due and has not come, in the order in which it has to come. */
  overdue(now: number): TimerEntry<T>[] {
    return this.entries
      .filter(({ state, due }) => state === 'pending' && due <= now)
      .sort((a, b) => a.due - b.due || a.order - b.order);
  }
}
