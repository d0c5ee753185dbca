import type { Pid } from '../runtime/pid.js';
import type { Runtime } from '../runtime/runtime.js';
import { StartError } from './errors.js';
import type { GenServerProcess, StartOutcome } from './gen-server-process.js';

/** Who is told, once and in the turn in which it is decided, how a start went. */
export interface StartObserver {
  started(process: GenServerProcess, outcome: StartOutcome): void;
}

/** Keeps the outcome for whoever awaits it. */
export class AwaitedStart implements StartObserver {
  readonly outcome: Promise<StartOutcome>;
  private settle!: (outcome: StartOutcome) => void;

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  started(_process: GenServerProcess, outcome: StartOutcome): void {
    this.settle(outcome);
  }
}

const nothing = (): void => undefined;
let grabbedResolve: (pid: Pid) => void = nothing;
let grabbedReject: (error: unknown) => void = nothing;
const grab = (resolve: (pid: Pid) => void, reject: (error: unknown) => void): void => {
  grabbedResolve = resolve;
  grabbedReject = reject;
};

/** Gives the pid of a process that is up (I1), or rejects with `StartError`. */
class StartedPid implements StartObserver {
  // In this order: what making the promise has grabbed is taken over.
  readonly promise = new Promise<Pid>(grab);
  private readonly resolve = grabbedResolve;
  readonly reject = grabbedReject;

  constructor() {
    // They lead to the promise, and the promise to the pid.
    grabbedResolve = grabbedReject = nothing;
  }

  started(process: GenServerProcess, outcome: StartOutcome): void {
    if (outcome.status === 'ok') this.resolve(process.pid);
    else this.reject(startErrorOf(process, outcome));
  }
}

/** The promise of a process that `begin` starts. What `begin` throws rejects it as well. */
export function whenStarted(begin: (observer: StartObserver) => void): Promise<Pid> {
  const starter = new StartedPid();
  try {
    begin(starter);
  } catch (error) {
    starter.reject(error);
  }
  return starter.promise;
}

/** Why a start failed, as whoever asked for it may know. */
export function startErrorOf(
  { runtime, label }: { readonly runtime: Runtime; readonly label: string },
  outcome: Exclude<StartOutcome, { readonly status: 'ok' }>,
): StartError {
  if (outcome.status === 'ignore') return new StartError(label, 'ignore');
  const { redaction } = runtime;
  return new StartError(label, redaction.reason(outcome.reason), redaction.reason(outcome.cause ?? outcome.reason));
}
