import { AsyncLocalStorage } from 'node:async_hooks';
import { keepShape } from './keep-shape.js';
import { Pid } from './pid.js';
import type { RelatedProcess } from './relations/relations.js';

/** A process whose callbacks are tracked. */
export interface TrackedProcess extends RelatedProcess {
  /** The callback in progress; null when there is none, or when callbacks are not tracked. @internal */
  activation: Activation | null;
  /** The request that the callback in progress handles; null when no caller waits for one. @internal */
  readonly awaited: Awaited | null;
}

/** A request whose caller may still wait for it. */
export interface Awaited {
  readonly isSettled: boolean;
  /** The callback that made it; null when it was made outside of any callback, and possibly null once it is settled. */
  readonly caller: Activation | null;
}

/**
 * One run of one callback. The process is the incarnation itself, never its successor.
 *
 * Everything that the callback opens and leaves behind, a socket or a timer, keeps its activation for as long as it lives. So an
 * activation holds no more than a pid: neither a process that has ended, nor the request that was handled.
 */
export class Activation {
  /** How many calls of the callback have been settled. While that number stays the same, the callback shows no progress. */
  moves = 0;

  constructor(private readonly pid: Pid) {}

  /** Undefined when it has ended. */
  get process(): TrackedProcess | undefined {
    return liveProcessOf(this.pid);
  }

  /** Whether the callback has not returned yet. Work that it left running afterwards does not keep its process from going on. */
  get isOpen(): boolean {
    return this.openProcess !== null;
  }

  /** The process while the callback has not returned; null afterwards. */
  get openProcess(): TrackedProcess | null {
    const process = liveProcessOf(this.pid);
    return process !== undefined && process.activation === this && !process.isFenced ? process : null;
  }
}

keepShape(new Activation(null as never));

/**
 * Knows which process runs the current code, also after an `await`. The store is our own: the user's stores stay as
 * they were in the root context, also inside of a handler.
 */
export class Tracking {
  private readonly storage = new AsyncLocalStorage<Activation>();

  /** Runs a callback of a process. Its activation lasts until it is replaced or taken from the process. */
  run<T>(process: TrackedProcess, work: () => T): T {
    const activation = new Activation(process.pid);
    process.activation = activation;
    return this.storage.run(activation, work);
  }

  /** The callback that is running here; null when there is none, or it has returned. */
  get current(): Activation | null {
    const activation = this.storage.getStore();
    return activation !== undefined && activation.isOpen ? activation : null;
  }

  /** The incarnation that this code comes from, even when the callback returned long ago; undefined when it has ended. */
  get origin(): TrackedProcess | undefined {
    return this.storage.getStore()?.process;
  }
}

/**
 * The callbacks whose requests lead in a circle if `caller` calls `target`: from that of `target` on to `caller`, each handling what
 * the one before has asked for. Null when there is no such circle: one of the callbacks has returned, or what it was asked for has
 * been answered. Whether they wait for each other is another question, since a callback may do something else meanwhile.
 */
export function circleFrom(caller: Activation, target: TrackedProcess): Activation[] | null {
  const circle: Activation[] = [];
  for (let at: Activation | null = caller; at !== null;) {
    const process: TrackedProcess | null = at.openProcess;
    if (process === null) return null;
    circle.push(at);
    if (process === target) return circle.reverse();
    const { awaited }: TrackedProcess = process;
    if (awaited === null || awaited.isSettled) return null;
    at = awaited.caller;
  }
  return null;
}

/** Whether following every promise costs next to nothing on this Node: since 24 it copies a pointer instead of running hooks. */
export function isTrackingCheap(nodeVersion: string): boolean {
  return Number.parseInt(nodeVersion, 10) >= 24;
}

/** Only the constructor of a process attaches anything to a pid. */
function liveProcessOf(pid: Pid): TrackedProcess | undefined {
  return Pid.ownerOf(pid) as TrackedProcess | undefined;
}
