import type { Clock } from 'nestjs-genserver';
import { type Deferred, deferred } from '../../support/deferred.js';

interface Work<T> extends Deferred<T> {
  readonly signal: AbortSignal;
}

/**
 * Stands for a service of the sample that takes its time: the test sees each piece of work begin, and says when and how it
 * ends.
 */
export class SlowService<T> {
  private readonly begun: Work<T>[] = [];
  private readonly waiting: ((work: Work<T>) => void)[] = [];

  /** The next piece of work, as soon as it has begun. */
  next(): Promise<Work<T>> {
    const work = this.begun.shift();
    if (work !== undefined) return Promise.resolve(work);
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  protected begin(signal: AbortSignal): Promise<T> {
    const work = { ...deferred<T>(), signal };
    const resolve = this.waiting.shift();
    if (resolve === undefined) this.begun.push(work);
    else resolve(work);
    return work.promise;
  }
}

export class SlowDictionary extends SlowService<readonly string[]> {
  load(signal: AbortSignal): Promise<readonly string[]> {
    return this.begin(signal);
  }
}

export class SlowPrinter extends SlowService<string> {
  print(_report: number, signal: AbortSignal): Promise<string> {
    return this.begin(signal);
  }
}

export class SlowPrices extends SlowService<number> {
  quote(_items: readonly unknown[], signal: AbortSignal): Promise<number> {
    return this.begin(signal);
  }
}

class Sessions extends SlowService<number> {
  open(signal: AbortSignal): Promise<number> {
    return this.begin(signal);
  }
}

/** Gives sessions at once, unless `isSlow`; packs when the test says so. */
export class SlowWarehouse extends SlowService<string> {
  isSlow = false;
  readonly sessions = new Sessions();
  private opened = 0;

  connect(signal: AbortSignal): Promise<number> {
    return this.isSlow ? this.sessions.open(signal) : Promise.resolve(++this.opened);
  }

  pack(_item: string, signal: AbortSignal): Promise<string> {
    return this.begin(signal);
  }
}

/** Paces a model by the clock of the test. */
export class PacedByHand {
  constructor(private readonly clock: Clock) {}

  pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        timer.cancel();
        reject(signal.reason as Error);
      };
      const timer = this.clock.setTimer(ms, () => {
        signal.removeEventListener('abort', abort);
        resolve();
      });
      signal.addEventListener('abort', abort, { once: true });
    });
  }
}
