import type { Runtime } from '../runtime/runtime.js';
import { GenServerProcess } from './process/gen-server-process.js';
import { TaskProcess } from './tasks/task-process.js';

/** The events by which Node reports uncaught errors: of a rejected promise, and of a callback that threw. */
export type StrayOrigin = 'unhandledRejection' | 'uncaughtException';

/** The active instances per event. They share one listener, because an error that none of them claims must be passed on exactly once. */
const active: Readonly<Record<StrayOrigin, Set<StrayErrors>>> = {
  unhandledRejection: new Set(),
  uncaughtException: new Set(),
};

/**
 * Turns an uncaught error in code that a server or task has left running into a crash of that server or task, instead of the Node process.
 * It requires tracking, and is best effort: work that goes through a pool or an emitter may run in the async context of the code that
 * created the pool or emitter.
 */
export class StrayErrors {
  constructor(
    private readonly runtime: Runtime,
    private readonly origins: readonly StrayOrigin[],
  ) {}

  start(): void {
    for (const origin of this.origins) {
      active[origin].add(this);
      listen(origin);
    }
  }

  stop(): void {
    for (const origin of this.origins) {
      active[origin].delete(this);
      if (active[origin].size === 0) process.removeListener(origin, LISTENERS[origin]);
    }
  }

  /** Crashes the process that the error comes from. Returns false if it comes from no process, or from an incarnation that has ended. */
  claim(error: unknown): boolean {
    const owner = this.runtime.tracking?.origin;
    if (!(owner instanceof GenServerProcess || owner instanceof TaskProcess)) return false;
    owner.crashByStrayError(error);
    return true;
  }

  /** Runs `work` after Node has processed the current errors. */
  afterwards(work: () => void): void {
    this.runtime.clock.nextTurn(work);
  }
}

const LISTENERS: Readonly<Record<StrayOrigin, (error: unknown, origin: unknown) => void>> = {
  unhandledRejection(reason) {
    for (const strayErrors of active.unhandledRejection) if (strayErrors.claim(reason)) return;
    // Our listener suppresses Node's default reaction. Other listeners suppress it too, and Node has already called them.
    if (process.listenerCount('unhandledRejection') > 1 || !isFatal(unhandledRejectionsMode())) return;
    void Promise.resolve().then(() => leaveToNode('unhandledRejection', reason));
  },
  uncaughtException(error, origin) {
    // The other listener has already handled a rejection, or rejections are not to be attributed at all.
    const isRejection = origin === 'unhandledRejection';
    if (!isRejection) for (const strayErrors of active.uncaughtException) if (strayErrors.claim(error)) return;
    if (process.listenerCount('uncaughtException') > 1) return;
    leaveToNode(isRejection ? 'unhandledRejection' : 'uncaughtException', error);
  },
};

function listen(origin: StrayOrigin): void {
  const isWanted = active[origin].size > 0;
  if (isWanted && !process.listeners(origin as never).includes(LISTENERS[origin] as never)) {
    process.on(origin, LISTENERS[origin]);
  }
}

/** Raises the error again while our listeners are removed: the only way to get Node's default reaction, with its origin and exit code. */
function leaveToNode(origin: StrayOrigin, error: unknown): void {
  const [instance] = [...active.unhandledRejection, ...active.uncaughtException];
  for (const each of ORIGINS) process.removeListener(each, LISTENERS[each]);
  if (origin === 'unhandledRejection') void Promise.reject(error);
  else {
    instance?.afterwards(() => {
      throw error;
    });
  }
  instance?.afterwards(() => ORIGINS.forEach(listen));
}

const ORIGINS: readonly StrayOrigin[] = ['unhandledRejection', 'uncaughtException'];

/** Whether an unhandled rejection ends Node in this mode. In the others Node warns or stays silent, with or without listeners. */
function isFatal(mode: string): boolean {
  return mode === 'throw' || mode === 'warn-with-error-codes';
}

function unhandledRejectionsMode(): string {
  const given = [process.env['NODE_OPTIONS'] ?? '', ...process.execArgv].join(' ');
  return [...given.matchAll(/--unhandled-rejections[= ](\S+)/g)].at(-1)?.[1] ?? 'throw';
}
