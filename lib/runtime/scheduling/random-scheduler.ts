import type { Clock, Randomness } from '../ports.js';
import { type Schedulable, Scheduler } from './scheduler.js';

/**
 * Gives the turns in any order that {@link Randomness} draws. Nothing is promised of the order between processes, so whoever runs
 * under this one and still relies on it is found out; and with the same numbers it is the same order again.
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
