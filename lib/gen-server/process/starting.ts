import { Deadline } from '../../runtime/time/deadline.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { keepShape } from '../../runtime/keep-shape.js';
import type { GenServerProcess } from './gen-server-process.js';
import { AwaitedStart, type StartObserver } from './start-observer.js';

/** How a start ended. */
export type StartOutcome =
  | { readonly status: 'ok' }
  | { readonly status: 'ignore' }
  | { readonly status: 'error'; readonly reason: ExitReason; readonly cause: unknown };

/** Tells the starter that `init` took too long (I7). */
export class StartDeadline extends Deadline {
  constructor(private readonly server: GenServerProcess) {
    super();
  }

  expire(): void {
    this.server.startTimedOut();
  }
}

/** A start that is under way: given up when the process is up. */
export class Starting {
  deadline: StartDeadline | null = null;
  hasTimedOut = false;
  cause: unknown = undefined;
  private others: AwaitedStart | null = null;

  constructor(private observer: StartObserver | null) {}

  /** Tells the starter how it went, once. */
  settle(process: GenServerProcess, outcome: StartOutcome): void {
    this.takeOver()?.started(process, outcome);
  }

  /** How it goes, for those who did not start it. However many ask, they wait for the same. */
  get outcome(): Promise<StartOutcome> {
    if (this.others === null) {
      const others = (this.others = new AwaitedStart());
      const { observer } = this;
      this.observer = {
        started: (process, outcome) => {
          observer?.started(process, outcome);
          others.started(process, outcome);
        },
      };
    }
    return this.others.outcome;
  }

  /** From now on it is told by nobody else. */
  takeOver(): StartObserver | null {
    const { observer } = this;
    this.observer = null;
    return observer;
  }
}

keepShape(new Starting(null));
