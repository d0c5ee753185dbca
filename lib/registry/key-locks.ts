import { LinkedList, type Place } from '../runtime/linked-list.js';
import { watch } from '../runtime/relations/monitors.js';
import type { Monitor } from '../runtime/relations/relations.js';
import type { Process } from '../runtime/process.js';

/** A process that holds a lock or waits for it. */
class Claim {
  readonly granted: Promise<void>;
  grant!: () => void;
  monitor!: Monitor;
  /** Where it stands in the queue; null when it has been given up. */
  place: Place<Claim> | null = null;

  constructor(readonly process: Process) {
    this.granted = new Promise((resolve) => {
      this.grant = resolve;
    });
  }
}

/** Locks by key, one holder each: the first in the queue. A key without claims takes no memory. */
export class KeyLocks<K> {
  private readonly queues = new Map<K, LinkedList<Claim>>();

  /**
   * Runs `work` as soon as `process` is the first in the queue of `key`. When the process ends, its place is free, and what waits
   * for it waits for ever: nothing that comes after a lock may happen in the name of a dead process.
   */
  async run<T>(process: Process, key: K, work: () => T | Promise<T>): Promise<T> {
    const claim = this.claim(process, key);
    try {
      if (this.queues.get(key)!.first !== claim) await claim.granted;
      // It may have been killed in the very turn in which its turn came.
      if (process.isFenced) await never();
      return await work();
    } finally {
      this.release(claim, key);
    }
  }

  private claim(process: Process, key: K): Claim {
    const claim = new Claim(process);
    claim.monitor = watch(process, () => this.release(claim, key));
    let queue = this.queues.get(key);
    if (queue === undefined) this.queues.set(key, (queue = new LinkedList()));
    claim.place = queue.add(claim);
    return claim;
  }

  /** Also gives up a place in the queue. Harmless when it was done before: by the work, or by the end of the process. */
  private release(claim: Claim, key: K): void {
    claim.monitor.stop();
    const { place } = claim;
    if (place === null) return;
    claim.place = null;
    const queue = this.queues.get(key)!;
    const wasHolder = queue.first === claim;
    queue.remove(place);
    if (queue.size === 0) this.queues.delete(key);
    else if (wasHolder) queue.first.grant();
  }
}

/** What a process that has ended waits for. */
export function never(): Promise<never> {
  return new Promise(() => undefined);
}
