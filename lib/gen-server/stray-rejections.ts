import { Pid } from '../runtime/pid.js';
import type { Runtime } from '../runtime/runtime.js';
import { GenServerProcess } from './gen-server-process.js';
import { TaskProcess } from './task-process.js';

/** Everybody who attributes. One listener serves them all: a rejection that none of them owns must be passed on once. */
const attributing = new Set<StrayRejections>();

/**
 * Makes a rejected promise that nobody awaits the failure of the server that left it behind, rather than of Node. It needs
 * tracking, and is best effort: work that goes through a pool or an emitter may carry the context of whoever made that.
 */
export class StrayRejections {
  constructor(private readonly runtime: Runtime) {}

  start(): void {
    if (attributing.size === 0) process.on('unhandledRejection', onUnhandledRejection);
    attributing.add(this);
  }

  stop(): void {
    attributing.delete(this);
    if (attributing.size === 0) process.removeListener('unhandledRejection', onUnhandledRejection);
  }

  /** Crashes the process that the rejection comes from. Answers whether there is one, and it is still the same incarnation. */
  claim(reason: unknown): boolean {
    const owner = this.runtime.tracking?.origin;
    if (!(owner instanceof GenServerProcess || owner instanceof TaskProcess) || Pid.processOf(owner.pid) !== owner)
      return false;
    owner.crashAstray(reason);
    return true;
  }

  /** Runs `work` when Node is done with the rejections at hand. */
  afterwards(work: () => void): void {
    this.runtime.clock.nextTurn(work);
  }
}

function onUnhandledRejection(reason: unknown): void {
  for (const one of attributing) if (one.claim(reason)) return;
  // Node does what it does by default only when nobody listens. Whoever else listens has been told by Node already.
  if (process.listenerCount('unhandledRejection') > 1 || !isFatal(unhandledRejectionsMode())) return;
  void Promise.resolve().then(() => leaveToNode(reason));
}

/** Rejects once more while we do not listen: the one way to get Node's own answer, with its origin and its exit code. */
function leaveToNode(reason: unknown): void {
  const [anyone] = attributing;
  process.removeListener('unhandledRejection', onUnhandledRejection);
  void Promise.reject(reason);
  anyone?.afterwards(() => {
    const isListening = process.listeners('unhandledRejection').includes(onUnhandledRejection);
    if (attributing.size > 0 && !isListening) process.on('unhandledRejection', onUnhandledRejection);
  });
}

/** In the other modes Node warns or is silent, whether somebody listens or not. */
function isFatal(mode: string): boolean {
  return mode === 'throw' || mode === 'warn-with-error-codes';
}

function unhandledRejectionsMode(): string {
  const given = [process.env['NODE_OPTIONS'] ?? '', ...process.execArgv].join(' ');
  return [...given.matchAll(/--unhandled-rejections[= ](\S+)/g)].at(-1)?.[1] ?? 'throw';
}
