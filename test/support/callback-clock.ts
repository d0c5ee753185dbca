import { ManualClock } from './manual-clock.js';

/** Runs the microtasks that one callback of the platform has queued. */
export async function settleMicrotasks(): Promise<void> {
  for (let hops = 0; hops < 32; hops++) await Promise.resolve();
}

/** A clock on which the test decides when a callback of the platform is over. */
export class CallbackClock extends ManualClock {
  private waiting: (() => void)[] = [];

  afterCallback(done: () => void): void {
    this.waiting.push(done);
  }

  async endCallback(): Promise<void> {
    await settleMicrotasks();
    for (const done of this.waiting.splice(0)) done();
  }

  /** Whether the scheduler has asked to be told of the end of this callback. */
  get isAsked(): boolean {
    return this.waiting.length > 0;
  }
}
