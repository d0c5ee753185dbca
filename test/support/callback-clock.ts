import { ManualClock } from './manual-clock.js';

/** Lets everything run that one callback of the platform has set off. */
export async function settleMicrotasks(): Promise<void> {
  for (let hops = 0; hops < 32; hops++) await Promise.resolve();
}

/** A clock on which a callback of the platform is over when the test says so. */
export class CallbackClock extends ManualClock {
  private waiting: (() => void)[] = [];

  afterCallback(done: () => void): void {
    this.waiting.push(done);
  }

  async endCallback(): Promise<void> {
    await settleMicrotasks();
    for (const done of this.waiting.splice(0)) done();
  }

  /** Whether somebody waits for the end of this callback. */
  get isAsked(): boolean {
    return this.waiting.length > 0;
  }
}
