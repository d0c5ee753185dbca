import { keepShape } from '../../runtime/keep-shape.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { Pid } from '../../runtime/pid.js';
import type { Process } from '../../runtime/process.js';
import type { Runtime } from '../../runtime/runtime.js';
import { withResolvers } from '../../runtime/with-resolvers.js';
import { StartError } from '../errors.js';

/** How a start ended. */
export type StartOutcome =
  | { readonly status: 'ok' }
  | { readonly status: 'ignore' }
  | { readonly status: 'error'; readonly reason: ExitReason; readonly cause: unknown };

/** Gets the outcome of a start, once, in the turn in which it is decided. */
export interface StartObserver {
  started(process: Process, outcome: StartOutcome): void;
}

/** An observer with a promise of the outcome. */
export class AwaitedStart implements StartObserver {
  readonly outcome: Promise<StartOutcome>;
  private settle!: (outcome: StartOutcome) => void;

  constructor() {
    this.outcome = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  started(_process: Process, outcome: StartOutcome): void {
    this.settle(outcome);
  }
}

keepShape(new AwaitedStart());

/** Settles a promise: with the pid once the process is up (I1), or with a `StartError`. */
class StartedPid implements StartObserver {
  constructor(
    private readonly resolve: (pid: Pid) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  started(process: Process, outcome: StartOutcome): void {
    if (outcome.status === 'ok') this.resolve(process.pid);
    else this.reject(startErrorOf(process, outcome));
  }
}

keepShape(new StartedPid(null as never, null as never));

/** A promise of the pid of the process that `begin` starts. It rejects with what `begin` throws, too. */
export function whenStarted(begin: (observer: StartObserver) => void): Promise<Pid> {
  const { promise, resolve, reject } = withResolvers<Pid>();
  try {
    begin(new StartedPid(resolve, reject));
  } catch (error) {
    reject(error);
  }
  return promise;
}

/** The error for the caller of a start that failed, with the reason redacted. */
export function startErrorOf(
  { runtime, label }: { readonly runtime: Runtime; readonly label: string },
  outcome: Exclude<StartOutcome, { readonly status: 'ok' }>,
): StartError {
  if (outcome.status === 'ignore') return new StartError(label, 'ignore');
  const { redaction } = runtime;
  return new StartError(label, redaction.reason(outcome.reason), redaction.reason(outcome.cause ?? outcome.reason));
}
