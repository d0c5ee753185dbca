import { AsyncLocalStorage } from 'node:async_hooks';
import { keepShape } from './keep-shape.js';
import type { RelatedProcess } from './relations/relations.js';

/** A process whose callbacks are tracked. */
export interface TrackedProcess extends RelatedProcess {
  /** The callback in progress; null when there is none, or when callbacks are not tracked. @internal */
  activation: Activation | null;
}

/** A request that somebody made and may still wait for. */
export interface Awaited {
  readonly isSettled: boolean;
  /** The callback that made it; null when it was made outside of any. */
  readonly caller: Activation | null;
}

/** One run of one callback, with everything it awaits. The process is the incarnation itself, never its successor. */
export class Activation {
  constructor(
    readonly process: TrackedProcess,
    /** The request that is being handled; null when it is none that somebody waits for. */
    readonly request: Awaited | null,
  ) {}

  /** Whether the callback has not returned yet. What it left running afterwards does not keep its process from going on. */
  get isOpen(): boolean {
    return this.process.activation === this && !this.process.isFenced;
  }
}

keepShape(new Activation(null as never, null));

/**
 * Knows which process runs the code that asks, also after an `await`. The store is one of our own: those of the user stay as
 * they were in the root context, also inside of a handler.
 */
export class Tracking {
  private readonly storage = new AsyncLocalStorage<Activation>();

  /** Runs a callback of a process. Its activation lasts until it is replaced or taken from the process. */
  run<T>(activation: Activation, work: () => T): T {
    activation.process.activation = activation;
    return this.storage.run(activation, work);
  }

  /** The callback that is running here; null when there is none, or it has returned. */
  get current(): Activation | null {
    const activation = this.storage.getStore();
    return activation !== undefined && activation.isOpen ? activation : null;
  }

  /** The incarnation that this code comes from, also when the callback has returned long ago, and when it has ended. */
  get origin(): TrackedProcess | undefined {
    return this.storage.getStore()?.process;
  }

  /**
   * The processes that would wait for each other in a circle if the code that runs here called `target`: from `target` on to
   * the one that calls. Null when it can be called. Those who wait are those whose callback has not returned and whose
   * request has not been answered.
   */
  circleTo(target: TrackedProcess): TrackedProcess[] | null {
    const chain: TrackedProcess[] = [];
    for (let activation = this.current; activation?.isOpen === true;) {
      chain.push(activation.process);
      if (activation.process === target) return chain.reverse();
      const { request } = activation;
      if (request === null || request.isSettled) return null;
      activation = request.caller;
    }
    return null;
  }
}

/** Whether following every promise costs next to nothing on this Node: since 24 it copies a pointer instead of running hooks. */
export function isTrackingCheap(nodeVersion: string): boolean {
  return Number.parseInt(nodeVersion, 10) >= 24;
}
