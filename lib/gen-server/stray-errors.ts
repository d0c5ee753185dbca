import { processOf } from '../runtime/process.js';
import type { Runtime } from '../runtime/runtime.js';
import { GenServerProcess } from './process/gen-server-process.js';
import { TaskProcess } from './tasks/task-process.js';

/** Where Node puts what nobody has caught: a rejected promise, and what a callback of its own threw. */
export type StrayOrigin = 'unhandledRejection' | 'uncaughtException';

/** Everybody who attributes. One listener serves them all: what none of them owns must be passed on once. */
const attributing: Readonly<Record<StrayOrigin, Set<StrayErrors>>> = {
  unhandledRejection: new Set(),
  uncaughtException: new Set(),
};

/**
 * Makes what a server leaves behind, and nobody catches, the failure of that server rather than of Node. It needs tracking, and
 * is best effort: work that goes through a pool or an emitter may carry the context of whoever made that.
 */
export class StrayErrors {
  constructor(
    private readonly runtime: Runtime,
    private readonly origins: readonly StrayOrigin[],
  ) {}

  start(): void {
    for (const origin of this.origins) {
      attributing[origin].add(this);
      listen(origin);
    }
  }

  stop(): void {
    for (const origin of this.origins) {
      attributing[origin].delete(this);
      if (attributing[origin].size === 0) process.removeListener(origin, LISTENERS[origin]);
    }
  }

  /** Crashes the process that the error comes from. Answers whether there is one, and it is still the same incarnation. */
  claim(error: unknown): boolean {
    const owner = this.runtime.tracking?.origin;
    if (!(owner instanceof GenServerProcess || owner instanceof TaskProcess) || processOf(owner.pid) !== owner)
      return false;
    owner.crashAstray(error);
    return true;
  }

  /** Runs `work` when Node is done with the errors at hand. */
  afterwards(work: () => void): void {
    this.runtime.clock.nextTurn(work);
  }
}

const LISTENERS: Readonly<Record<StrayOrigin, (error: unknown, origin: unknown) => void>> = {
  unhandledRejection(reason) {
    for (const one of attributing.unhandledRejection) if (one.claim(reason)) return;
    // Node does what it does by default only when nobody listens. Whoever else listens has been told by Node already.
    if (process.listenerCount('unhandledRejection') > 1 || !isFatal(unhandledRejectionsMode())) return;
    void Promise.resolve().then(() => leaveToNode('unhandledRejection', reason));
  },
  uncaughtException(error, origin) {
    // A rejection has had its chance, or was not to have one.
    const isRejection = origin === 'unhandledRejection';
    if (!isRejection) for (const one of attributing.uncaughtException) if (one.claim(error)) return;
    if (process.listenerCount('uncaughtException') > 1) return;
    leaveToNode(isRejection ? 'unhandledRejection' : 'uncaughtException', error);
  },
};

function listen(origin: StrayOrigin): void {
  const isWanted = attributing[origin].size > 0;
  if (isWanted && !process.listeners(origin as never).includes(LISTENERS[origin] as never)) {
    process.on(origin, LISTENERS[origin]);
  }
}

/** Raises it once more while we do not listen: the one way to get Node's own answer, with its origin and its exit code. */
function leaveToNode(origin: StrayOrigin, error: unknown): void {
  const [anyone] = [...attributing.unhandledRejection, ...attributing.uncaughtException];
  for (const each of ORIGINS) process.removeListener(each, LISTENERS[each]);
  if (origin === 'unhandledRejection') void Promise.reject(error);
  else {
    anyone?.afterwards(() => {
      throw error;
    });
  }
  anyone?.afterwards(() => ORIGINS.forEach(listen));
}

const ORIGINS: readonly StrayOrigin[] = ['unhandledRejection', 'uncaughtException'];

/** In the other modes Node warns or is silent, whether somebody listens or not. */
function isFatal(mode: string): boolean {
  return mode === 'throw' || mode === 'warn-with-error-codes';
}

function unhandledRejectionsMode(): string {
  const given = [process.env['NODE_OPTIONS'] ?? '', ...process.execArgv].join(' ');
  return [...given.matchAll(/--unhandled-rejections[= ](\S+)/g)].at(-1)?.[1] ?? 'throw';
}
