import { type ExitReason, isCleanExit, reasonOfThrown } from '../../runtime/exits/exit-reason.js';
import { isolatedCopy } from '../../runtime/isolation/isolated-copy.js';
import { keepShape } from '../../runtime/keep-shape.js';
import { Pid } from '../../runtime/pid.js';
import type { Process } from '../../runtime/process.js';
import { Deadline } from '../../runtime/time/deadline.js';
import { attachProcess, type ServerInstance } from '../definition/server-instance.js';
import type { InitArguments } from '../definition/start-options.js';
import type { StartPlan } from '../definition/start-plan.js';
import type { CallbackResult, Modifier } from '../results/callback-result.js';
import { faultOf } from '../results/result-fault.js';
import { type CallbackServer, type OwnCallback, runOwnCallback } from './own-callback.js';
import { applyModifier, type ModifiedServer } from './modifiers.js';
import { badReturnValue, reportFailedInit, warnOfSharedArguments } from './process-reports.js';
import type { ExitMark } from './process-extras.js';
import { AwaitedStart, type StartObserver, type StartOutcome } from './start-observer.js';

/** A process whose `init` has not finished. */
export interface StartingServer extends CallbackServer, ModifiedServer {
  readonly plan: StartPlan;
  readonly args: InitArguments;
  readonly exitMark: ExitMark | null;
  instance: ServerInstance | null;
  state: unknown;
  /** Null once `init` has finished. */
  starting: Starting | null;
  dropArguments(): void;
  end(reason: ExitReason): void;
  resume(): void;
}

export const STARTED: StartOutcome = Object.freeze({ status: 'ok' });

/** Ends a process whose `init` takes longer than `startTimeoutMs` (I7). */
class StartDeadline extends Deadline {
  constructor(private readonly server: StartingServer) {
    super();
  }

  expire(): void {
    startTimedOut(this.server);
  }
}

/** A start in progress. Released when the process is up. */
export class Starting {
  deadline: Deadline | null = null;
  hasTimedOut = false;
  cause: unknown = undefined;
  private others: AwaitedStart | null = null;

  constructor(private observer: StartObserver | null) {}

  /** Reports the outcome to the observer, once. */
  settle(process: Process, outcome: StartOutcome): void {
    this.takeOver()?.started(process, outcome);
  }

  /** A promise of the outcome, for code that did not start the process. All callers share it. */
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

  /** Returns the observer, which the caller must then tell. Null if it was told or taken over before. */
  takeOver(): StartObserver | null {
    const { observer } = this;
    this.observer = null;
    return observer;
  }
}

keepShape(new Starting(null));

const CREATING: OwnCallback<StartingServer, null> = {
  run: ({ plan }) => plan.blueprint.create(),
  done: (server, instance) => runInit(server, instance as ServerInstance),
  failed: initFailed,
};

const INITIALISING: OwnCallback<StartingServer, readonly unknown[]> = {
  run: ({ instance }, args) => instance!.init!(...args),
  done: applyInit,
  failed: initFailed,
};

/** Limits how long creating the instance and running `init` may take. */
export function limitStart(server: StartingServer): void {
  const { startTimeoutMs } = server.plan;
  if (startTimeoutMs === Infinity) return;
  const deadline = (server.starting!.deadline = new StartDeadline(server));
  server.runtime.deadlines.add(deadline, startTimeoutMs);
}

/** Creates the instance and runs its `init`. */
export function initialise(server: StartingServer): void {
  server.isBusy = true;
  runOwnCallback(server, CREATING, null);
}

function startTimedOut(server: StartingServer): void {
  if (server.isFenced) return;
  // The parent learns of the timeout from the outcome, so it must not get an exit signal as well.
  if (server.isLinkedToParent) server.parent!.forgetLink(server);
  server.isLinkedToParent = false;
  server.starting!.hasTimedOut = true;
  server.die('killed');
}

function runInit(server: StartingServer, instance: ServerInstance): void {
  server.instance = instance;
  attachProcess(instance, server);
  const given = server.args;
  let args: readonly unknown[];
  try {
    args = typeof given === 'function' ? given() : server.clonesMessages ? isolatedCopy(given) : given;
  } catch (thrown) {
    initFailed(server, thrown);
    return;
  }
  if (instance.init === undefined) {
    enter(server, args[0], null);
    return;
  }
  runOwnCallback(server, INITIALISING, args);
}

function applyInit(server: StartingServer, result: unknown): void {
  const { exitMark } = server;
  if (exitMark !== null) {
    failStart(server, exitMark.reason, exitMark.reason, undefined);
    return;
  }
  const fault = faultOf(result, 'init');
  if (fault !== undefined) {
    const cause = badReturnValue(server, 'init', result, fault);
    failStart(server, { badReturnValue: result }, { badReturnValue: result }, cause);
    return;
  }
  const { kind, value, state, modifier } = result as CallbackResult;
  if (kind === 'ok') enter(server, state, modifier);
  else if (kind === 'ignore') leaveInit(server, { status: 'ignore' }, 'normal');
  else if (kind === 'error') failStart(server, value, 'normal', undefined);
  else failStart(server, value, value, undefined);
}

/** `init` has succeeded: the process is up. */
function enter(server: StartingServer, state: unknown, modifier: Modifier | null): void {
  warnOfSharedArguments(server, state, server.args);
  if (Pid.supervisorRecord(server.pid) === undefined) server.dropArguments();
  server.state = state;
  server.status = 'running';
  const starting = server.starting!;
  server.starting = null;
  starting.deadline?.cancel();
  starting.settle(server, STARTED);
  if (modifier?.type === 'continue') {
    // The start resolves before the continue runs (T5), and no queued message may be handled in between.
    server.runtime.clock.nextTurn(() => {
      if (!server.isFenced) server.inLoop(() => goOnAfterInit(server, modifier));
    });
    return;
  }
  goOnAfterInit(server, modifier);
}

function goOnAfterInit(server: StartingServer, modifier: Modifier | null): void {
  server.isBusy = false;
  if (modifier !== null) applyModifier(server, modifier);
  // A continue without a handler ends the process, and its `terminate` may still be running.
  if (server.status === 'running') server.resume();
}

function initFailed(server: StartingServer, thrown: unknown): void {
  const { exitMark } = server;
  if (exitMark !== null) failStart(server, exitMark.reason, exitMark.reason, undefined);
  else failStart(server, reasonOfThrown(thrown), reasonOfThrown(thrown), thrown);
}

/** `reason` is reported to the caller of the start; the process ends with `exitReason`. */
function failStart(server: StartingServer, reason: ExitReason, exitReason: ExitReason, cause: unknown): void {
  server.starting!.cause = cause;
  if (!isCleanExit(exitReason)) reportFailedInit(server, exitReason, cause);
  leaveInit(server, { status: 'error', reason, cause }, exitReason);
}

function leaveInit(server: StartingServer, outcome: StartOutcome, exitReason: ExitReason): void {
  const observer = server.starting!.takeOver();
  server.end(exitReason);
  // After the end, so that the name is free when the start rejects (I9).
  observer?.started(server, outcome);
}
