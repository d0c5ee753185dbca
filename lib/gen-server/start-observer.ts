import type { Pid } from '../runtime/pid.js';
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

/** Gives the pid of a process that is up (I1), or rejects with `StartError`. */
class StartedPid implements StartObserver {
  constructor(
    private readonly resolve: (pid: Pid) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  started(process: GenServerProcess, outcome: StartOutcome): void {
    if (outcome.status === 'ok') this.resolve(process.pid);
    else this.reject(startErrorOf(process.label, outcome));
  }
}

/** The promise of a process that `begin` starts. What `begin` throws rejects it as well. */
export function whenStarted(begin: (observer: StartObserver) => void): Promise<Pid> {
  return new Promise((resolve, reject) => begin(new StartedPid(resolve, reject)));
}

export function startErrorOf(label: string, outcome: Exclude<StartOutcome, { status: 'ok' }>): StartError {
  if (outcome.status === 'ignore') return new StartError(label, 'ignore');
  return new StartError(label, outcome.reason, outcome.cause ?? outcome.reason);
}
