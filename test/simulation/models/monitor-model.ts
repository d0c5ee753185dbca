export interface MonitorEntry<P, R> {
  readonly ref: R;
  readonly owner: P;
  readonly target: P;
  /** `on` until it has told its owner, or nobody wants it any more. */
  state: 'on' | 'told' | 'off';
}

/** Who watches whom. */
export class MonitorModel<P, R> {
  private readonly byRef = new Map<R, MonitorEntry<P, R>>();

  add(ref: R, owner: P, target: P): void {
    this.byRef.set(ref, { ref, owner, target, state: 'on' });
  }

  get(ref: R): MonitorEntry<P, R> | undefined {
    return this.byRef.get(ref);
  }

  /** Whether the watch was on. Only its owner can end it. */
  stop(owner: P, ref: R): boolean {
    const entry = this.byRef.get(ref);
    if (entry === undefined || entry.owner !== owner || entry.state !== 'on') return false;
    entry.state = 'off';
    return true;
  }

  /** Those who are still to be told of the end of `target`. */
  untold(target: P): MonitorEntry<P, R>[] {
    return [...this.byRef.values()].filter((entry) => entry.target === target && entry.state === 'on');
  }

  ownerEnded(owner: P): void {
    for (const entry of this.byRef.values()) if (entry.owner === owner && entry.state === 'on') entry.state = 'off';
  }
}
