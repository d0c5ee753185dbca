import type { Clock, Randomness } from '../ports.js';
import { type Schedulable, Scheduler } from './scheduler.js';

/**
 * Runs ready processes in an order drawn from {@link Randomness}. The library promises no order between processes, so a test under this
 * scheduler finds code that relies on one. The same random numbers give the same order again.
 */
export class RandomScheduler extends Scheduler {
  constructor(
    clock: Clock,
    onTurnEnd: () => void,
    private readonly randomness: Randomness,
  ) {
    super(clock, onTurnEnd);
  }

  override ready(process: Schedulable): void {
    let ahead = 0;
    for (let other = this.first; other !== null; other = other.nextReady!) ahead++;
    let place = Math.floor(this.randomness.random() * (ahead + 1));
    if (place === ahead) {
      super.ready(process);
      return;
    }
    let before: Schedulable | null = null;
    for (let other = this.first; place > 0; place--) {
      before = other;
      other = other!.nextReady!;
    }
    process.nextReady = before === null ? this.first : before.nextReady;
    if (before === null) this.first = process;
    else before.nextReady = process;
    this.wake();
  }
}
