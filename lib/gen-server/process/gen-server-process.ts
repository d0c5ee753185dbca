import { BoundedMailbox } from '../../runtime/mailbox/bounded-mailbox.js';
import { CALL, CAST, INFO, INFO_ENVELOPE, SYSTEM, TERMINATE } from '../../runtime/mailbox/envelope.js';
import { type ExitReason, isCleanExit, isError, reasonOfThrown } from '../../runtime/exits/exit-reason.js';
import type { Envelope, Mailbox } from '../../runtime/mailbox/mailbox.js';
import { Down } from '../../runtime/exits/messages.js';
import { Pid, type Ref } from '../../runtime/pid.js';
import { Process } from '../../runtime/process.js';
import type { Runtime } from '../../runtime/runtime.js';
import { Activation, type Awaited, type Tracking } from '../../runtime/tracking.js';
import { ProcessExtras } from './process-extras.js';
import { faultOf, type ResultOrigin } from '../results/result-fault.js';
import { CallbackResult, KEEP_STATE, type Modifier, NO_ANSWER } from '../results/callback-result.js';
import type { CallRequest } from './call-request.js';
import { Debugging } from './debugging.js';
import { CodeChangeError, UndefinedCallbackError } from '../errors.js';
import { type From, makeFrom } from './from.js';
import { attachProcess, type GenServerBase } from '../gen-server-base.js';
import { Timeout } from '../results/messages.js';
import { IdleDeadline, Passivation, QuietTime } from './quiet-time.js';
import {
  badReturnValue,
  reportCrash,
  reportHibernated,
  reportHighWater,
  reportUnexpectedMessage,
  warnOfSharedArguments,
  warnOfSharedReply,
} from './process-reports.js';
import { abandonStream, answerWithStream } from '../streams/reply-stream.js';
import { Self } from '../self.js';
import { Shedding } from './load-shedding.js';
import { type Invocation, payloadOf, type ServerDefinition } from '../definition/server-definition.js';
import { NO_ARGUMENTS, type StartPlan } from '../definition/start-plan.js';
import type { StartObserver } from './start-observer.js';
import { StartDeadline, Starting, type StartOutcome } from './starting.js';
import type { InitArguments } from '../definition/start-options.js';
import { SystemRequest } from './system-request.js';
import { isThenable, whenSettled } from '../results/thenable.js';

/** What is being handled while it takes more than one turn of the loop, and where it goes on then. */
class AsyncTurn {
  invocation: Invocation | null = null;
  payload: unknown = undefined;

  constructor(
    readonly onDone: (value: unknown) => void,
    readonly onFail: (thrown: unknown) => void,
  ) {}
}

/** What is left of any end: nobody asks how it came about any more. */
const ENDED: Ending = Object.freeze({
  reason: undefined,
  cause: undefined,
  request: null,
  answer: undefined,
  message: undefined,
  exitCause: undefined,
});
const STARTED: StartOutcome = Object.freeze({ status: 'ok' });
/** The reason of a process that ended for want of work. Clean, so a transient child is not restarted. */
const PASSIVATED = Object.freeze({ shutdown: 'idle' });
const TIMEOUT = Object.freeze(new Timeout());

/** A callback that is no handler, and where its process goes on then. Those that every process runs are made once. */
interface Step<A> {
  readonly run: (process: GenServerProcess, given: A) => unknown;
  readonly done: (process: GenServerProcess, value: unknown) => void;
  readonly failed: (process: GenServerProcess, thrown: unknown) => void;
}

/** What is going to be the end, while `terminate` runs. */
interface Ending {
  reason: ExitReason;
  cause: unknown;
  /** The call that a `stop(…).reply(value)` answers when `terminate` is done (R6). */
  readonly request: CallRequest | null;
  readonly answer: unknown;
  readonly message: string | undefined;
  /** What was thrown, once this has become the end: a kill in the middle of it has another cause. */
  exitCause: unknown;
}

/**
 * A process that runs a server: takes a message, finds the callback, and applies what it answers. Nothing here awaits: a
 * handler that returned a promise leaves the process busy, and its reaction goes on.
 */
export class GenServerProcess extends Process {
  private static readonly creating: Step<null> = {
    run: ({ plan }) => plan.blueprint.create(),
    done: (process, instance) => process.runInit(instance as GenServerBase<unknown>),
    failed: (process, thrown) => process.initFailed(thrown),
  };
  private static readonly initialising: Step<readonly unknown[]> = {
    run: ({ instance }, args) => instance!.init!(...args),
    done: (process, result) => process.applyInit(result),
    failed: (process, thrown) => process.initFailed(thrown),
  };
  private static readonly terminating: Step<ExitReason> = {
    run: ({ instance }, reason) => instance!.terminate!(reason),
    done: (process) => process.terminated(),
    failed: (process, thrown) => process.terminateFailed(thrown),
  };

  state: unknown = undefined;

  private instance: GenServerBase<unknown> | null = null;
  /** The call in hand. */
  private request: CallRequest | null = null;
  /** Made by the first handler that awaits. */
  private turn: AsyncTurn | null = null;
  private ending: Ending | null = null;
  private ownSelf: Self | null = null;
  private quiet: QuietTime | null = null;
  private starting: Starting | null;
  /** Null as long as there is nothing besides the message in hand. */
  private extras: ProcessExtras | null = null;

  constructor(
    runtime: Runtime,
    id: number,
    incarnation: number,
    parent: Process | null,
    private readonly plan: StartPlan,
    private initArguments: InitArguments,
    observer: StartObserver,
  ) {
    super(runtime, id, incarnation, parent);
    this.starting = new Starting(observer);
  }

  get definition(): ServerDefinition {
    return this.plan.definition;
  }

  /** What `init` is given: none once it is up, unless its supervisor keeps it and will need them for the next incarnation. */
  get args(): InitArguments {
    return this.initArguments;
  }

  /** Nobody needs them any more. */
  dropArguments(): void {
    this.initArguments = NO_ARGUMENTS;
  }

  override get trapsExits(): boolean {
    return this.plan.trapsExits;
  }

  override get drains(): boolean {
    return this.plan.drains;
  }

  /** `init` is done: from then on an end is an exit, before it is a failed start. */
  get hasStarted(): boolean {
    return this.starting === null;
  }

  /** How the start of a live process went, or is going. Does not reject. */
  get startOutcome(): Promise<StartOutcome> {
    return this.starting === null ? Promise.resolve(STARTED) : this.starting.outcome;
  }

  get label(): string {
    return this.definition.label;
  }

  get clonesMessages(): boolean {
    return this.plan.isolation === 'clone';
  }

  /** The instance that it runs, when that is one of `type`. @internal */
  running<T extends object>(type: abstract new (...args: never[]) => T): T | undefined {
    return this.instance instanceof type ? this.instance : undefined;
  }

  get self(): Self {
    return (this.ownSelf ??= new Self(this));
  }

  /** What it has going on, made when that was nothing. */
  private get extrasInUse(): ProcessExtras {
    return (this.extras ??= new ProcessExtras());
  }

  private get exitMark(): ProcessExtras['exitMark'] {
    return this.extras === null ? null : this.extras.exitMark;
  }

  private get unanswered(): ProcessExtras['unanswered'] {
    return this.extras === null ? null : this.extras.unanswered;
  }

  /** What `sys` has turned on; null while nothing is. @internal */
  get debugging(): Debugging | null {
    return this.extras === null ? null : this.extras.debugging;
  }

  override get queueLength(): number {
    const { debugging } = this;
    return super.queueLength + (debugging === null ? 0 : debugging.heldBackLength);
  }

  get isSuspended(): boolean {
    const { debugging } = this;
    return debugging !== null && debugging.isSuspended;
  }

  protected override get actsOnExitsAtOnce(): boolean {
    return this.definition.isSupervisor === true;
  }

  protected override onStopQueued(): void {
    this.extras?.stopQueued?.();
  }

  /** Has `told` called when a request to end this process arrives. */
  whenStopQueued(told: () => void): void {
    this.extrasInUse.stopQueued = told;
  }

  // --- start ------------------------------------------------------------------------------------------------------------

  /** Lets `init` run in the loop, for no longer than the limit. */
  begin(): void {
    const { startTimeoutMs } = this.plan;
    if (startTimeoutMs !== Infinity) {
      const deadline = (this.starting!.deadline = new StartDeadline(this));
      this.runtime.deadlines.add(deadline, startTimeoutMs);
    }
    // It is ready already when somebody who saw it come (a registry, a listener) has sent it a message.
    this.becomeReady();
  }

  startTimedOut(): void {
    if (this.isFenced) return;
    // The starter learns it from the outcome and receives no exit message.
    if (this.isLinkedToParent) this.parent!.forgetLink(this);
    this.isLinkedToParent = false;
    this.starting!.hasTimedOut = true;
    this.die('killed');
  }

  private initialise(): void {
    this.isBusy = true;
    this.guard(GenServerProcess.creating, null);
  }

  private runInit(instance: GenServerBase<unknown>): void {
    this.instance = instance;
    attachProcess(instance, this);
    const given = this.args;
    let args: readonly unknown[];
    try {
      args = typeof given === 'function' ? given() : this.clonesMessages ? structuredClone(given) : given;
    } catch (thrown) {
      this.initFailed(thrown);
      return;
    }
    if (instance.init === undefined) {
      this.enter(args[0], null);
      return;
    }
    this.guard(GenServerProcess.initialising, args);
  }

  private applyInit(result: unknown): void {
    if (this.exitMark !== null) {
      this.failStart(this.exitMark.reason, this.exitMark.reason, undefined);
      return;
    }
    const fault = faultOf(result, 'init');
    if (fault !== undefined) {
      const cause = badReturnValue(this, 'init', result, fault);
      this.failStart({ badReturnValue: result }, { badReturnValue: result }, cause);
      return;
    }
    const { kind, value, state, modifier } = result as CallbackResult;
    if (kind === 'ok') this.enter(state, modifier);
    else if (kind === 'ignore') this.leaveInit({ status: 'ignore' }, 'normal');
    else if (kind === 'error') this.failStart(value, 'normal', undefined);
    else this.failStart(value, value, undefined);
  }

  /** `init` is done: the process is up. */
  private enter(state: unknown, modifier: Modifier | null): void {
    warnOfSharedArguments(this, state, this.args);
    if (Pid.supervisorRecord(this.pid) === undefined) this.dropArguments();
    this.state = state;
    this.status = 'running';
    const starting = this.starting!;
    this.starting = null;
    starting.deadline?.cancel();
    starting.settle(this, STARTED);
    if (modifier?.type === 'continue') {
      // The start returns before the continue has run (T5), and nothing that is queued may slip in between.
      this.runtime.clock.nextTurn(() => {
        if (this.isFenced) return;
        const wasRunning = this.runtime.scheduler.enter();
        this.isBusy = false;
        this.applyModifier(modifier);
        // A continue that nobody handles is the end, and `terminate` may take its time.
        if (this.status === 'running') this.resume();
        this.runtime.scheduler.leave(wasRunning);
      });
      return;
    }
    this.isBusy = false;
    if (modifier !== null) this.applyModifier(modifier);
    this.resume();
  }

  private initFailed(thrown: unknown): void {
    if (this.exitMark !== null) this.failStart(this.exitMark.reason, this.exitMark.reason, undefined);
    else this.failStart(reasonOfThrown(thrown), reasonOfThrown(thrown), thrown);
  }

  /** `reason` is what the starter is told, `exitReason` what the process ends with. */
  private failStart(reason: ExitReason, exitReason: ExitReason, cause: unknown): void {
    this.starting!.cause = cause;
    if (!isCleanExit(exitReason)) reportCrash(this, exitReason, cause, 'init');
    this.leaveInit({ status: 'error', reason, cause }, exitReason);
  }

  private leaveInit(outcome: StartOutcome, exitReason: ExitReason): void {
    const observer = this.starting!.takeOver();
    this.end(exitReason);
    // The name is free when the start returns (I9).
    observer?.started(this, outcome);
  }

  // --- messages ---------------------------------------------------------------------------------------------------------

  protected receive(envelope: Envelope, payload: unknown): void {
    const { debugging } = this;
    if (debugging !== null && debugging.intercept(envelope, payload)) return;
    if (this.quiet !== null) this.quiet.interrupt(envelope.kind === SYSTEM || envelope.kind === TERMINATE);
    if (envelope.kind === CALL) {
      const request = envelope as CallRequest;
      this.request = request;
      this.invoke(request.invocation, request.payload);
    } else if (envelope.kind === CAST) {
      this.invoke(envelope as Invocation, payload);
    } else if (envelope.kind === INFO) {
      this.receiveInfo(payload);
    } else if (envelope.kind === TERMINATE) {
      this.terminate(payload, undefined);
    } else {
      this.receiveSystem(envelope as SystemRequest);
    }
  }

  protected override makeMailbox(): Mailbox {
    const { maxMailbox } = this.plan;
    if (maxMailbox === undefined) return super.makeMailbox();
    const shedding = (this.extrasInUse.shedding ??= new Shedding(this, maxMailbox));
    const { scheduler } = this.runtime;
    return new BoundedMailbox(
      maxMailbox,
      (envelope) => shedding.shed(envelope),
      () => {
        if (!this.isBusy) scheduler.hurry(); // otherwise it would not be emptied by that
      },
    );
  }

  protected override onHighWater(queueLength: number): void {
    reportHighWater(this, queueLength);
  }

  /** Nothing to do: from now on counts what `idleMs` allows. */
  protected override onQuiet(): void {
    const { idleMs } = this.plan;
    if (idleMs === Infinity || this.status !== 'running' || this.isSuspended) return;
    const quiet = this.quietTime;
    if (quiet.workCount > 0) return;
    const passivation = (quiet.passivation ??= new Passivation(this));
    if (!passivation.isPending) this.runtime.deadlines.add(passivation, idleMs);
  }

  /** Something besides messages needs this process: until it is done, the process is not idle. */
  beginWork(): void {
    const quiet = this.quietTime;
    quiet.workCount++;
    quiet.passivation?.cancel();
  }

  endWork(): void {
    this.quietTime.workCount--;
    if (!this.isBusy && this.queueLength === 0) this.onQuiet();
  }

  /** The mailbox has been empty for `idleMs`. Whoever waits for an answer still needs the process, though. */
  passivate(): void {
    if (this.status !== 'running' || this.isFenced || this.isBusy || this.hasContinuation || this.queueLength > 0)
      return;
    const { unanswered } = this;
    if (unanswered !== null && unanswered.size > 0) {
      this.onQuiet();
      return;
    }
    const wasRunning = this.runtime.scheduler.enter();
    this.terminate(PASSIVATED, undefined);
    this.runtime.scheduler.leave(wasRunning);
  }

  protected runContinuation(): void {
    this.hasContinuation = false;
    if (this.status === 'starting') {
      this.initialise();
      return;
    }
    if (this.exitMark !== null) {
      this.terminate(this.exitMark.reason, undefined);
      return;
    }
    const extras = this.extras!;
    const { invocation, payload } = extras.continuation!;
    extras.continuation = null;
    extras.debugging?.continues(invocation, payload);
    this.invoke(invocation, payload);
  }

  private receiveInfo(message: unknown): void {
    const handler = this.definition.infos.find(message);
    if (handler !== undefined) {
      this.invoke(handler.one, message);
      return;
    }
    reportUnexpectedMessage(this, message);
  }

  /** Requests of the system neither cancel a pending timeout nor let it lapse: it starts again in full (T4). */
  private receiveSystem(request: SystemRequest): void {
    request.perform(this);
    const idle = this.quiet === null ? null : this.quiet.idle;
    if (idle !== null && (idle.isPending || idle.hasLapsed)) this.armIdle(idle.lengthMs);
  }

  /** Runs a handler with what was sent. @internal */
  invoke(invocation: Invocation, payload: unknown): void {
    const { runtime } = this;
    let result: unknown;
    runtime.current = this;
    try {
      result =
        runtime.tracking === null
          ? invocation.on(this.instance!, payload)
          : this.invokeTracked(runtime.tracking, invocation, payload);
    } catch (thrown) {
      runtime.current = null;
      this.activation = null;
      this.fail(thrown, invocation, payload);
      return;
    }
    runtime.current = null;
    if (result instanceof CallbackResult || !isThenable(result)) {
      this.activation = null;
      this.apply(result, invocation, payload);
    } else {
      this.wait(result, invocation, payload);
    }
  }

  // On its own, as is every closure here that few need: a function that may make one pays for it each time.
  private invokeTracked(tracking: Tracking, invocation: Invocation, payload: unknown): unknown {
    return this.runTracked(tracking, () => invocation.on(this.instance!, payload));
  }

  /** Runs a callback so that it is known whose code it is, for as long as it awaits. */
  private runTracked(tracking: Tracking, run: () => unknown): unknown {
    const request = this.request ?? this.ending?.request ?? null;
    return tracking.run(new Activation(this, request as (CallRequest & Awaited) | null), run);
  }

  private wait(result: PromiseLike<unknown>, invocation: Invocation, payload: unknown): void {
    this.isBusy = true;
    const turn = (this.turn ??= this.makeTurn());
    turn.invocation = invocation;
    turn.payload = payload;
    whenSettled(result, turn.onDone, turn.onFail);
  }

  private makeTurn(): AsyncTurn {
    return new AsyncTurn(
      (value) => this.finish(value, false),
      (thrown) => this.finish(thrown, true),
    );
  }

  private finish(value: unknown, hasFailed: boolean): void {
    // What an abandoned handler still brings is nobody's any more (E6).
    if (this.isFenced) {
      if (!hasFailed) abandonStream(value);
      return;
    }
    const { scheduler } = this.runtime;
    const turn = this.turn!;
    const { payload } = turn;
    const invocation = turn.invocation!;
    turn.invocation = null;
    turn.payload = undefined;
    this.activation = null;
    const wasRunning = scheduler.enter();
    this.isBusy = false;
    try {
      if (hasFailed) this.fail(value, invocation, payload);
      else this.apply(value, invocation, payload);
    } catch (thrown) {
      this.crash(thrown);
    }
    if (!this.isBusy) this.resume();
    scheduler.leave(wasRunning);
  }

  // --- results ----------------------------------------------------------------------------------------------------------

  private apply(result: unknown, invocation: Invocation, payload: unknown): void {
    if (!this.applyPlain(result)) this.applyAny(result, invocation, payload);
  }

  /**
   * Applies what nearly every message ends with, a reply or none and maybe a state, and answers whether it was that. On its own, so
   * that the compiler need not learn all the rest before it can make this fast.
   */
  private applyPlain(result: unknown): boolean {
    if (!(result instanceof CallbackResult) || result.modifier !== null || result.answer !== NO_ANSWER) return false;
    if (this.isFenced || this.exitMark !== null) return false;
    const { request } = this;
    const { kind, value, state } = result;
    if (kind !== (request === null ? 'noReply' : 'reply')) return false;
    if ((typeof state === 'object' && state instanceof Promise) || isThenable(value)) return false;
    if (state !== KEEP_STATE) this.state = state;
    if (request !== null) {
      this.request = null;
      this.answer(request, value);
    }
    return true;
  }

  private applyAny(result: unknown, invocation: Invocation, payload: unknown): void {
    if (this.isFenced) {
      abandonStream(result);
      return;
    }
    if (this.exitMark !== null) {
      abandonStream(result);
      this.terminate(this.exitMark.reason, undefined, invocation, payload);
      return;
    }
    const { request } = this;
    const origin: ResultOrigin =
      request === null ? 'cast' : this.definition.anyCall === undefined ? 'call' : 'any_call';
    const fault = faultOf(result, origin);
    if (fault !== undefined) {
      const cause = badReturnValue(this, invocation.handler.name, result, fault);
      abandonStream(result);
      this.terminate({ badReturnValue: result }, cause, invocation, payload);
      return;
    }
    const { kind, value, state, modifier, answer } = result as CallbackResult;
    if (state !== KEEP_STATE) this.state = state;
    if (kind === 'stop') {
      this.stopWith(value, answer, invocation, payload);
      return;
    }
    if (request !== null) {
      this.request = null;
      if (kind === 'reply') this.answer(request, value);
      else if (kind === 'replyError') this.refuse(request, value);
      else if (kind === 'replyStream') answerWithStream(this, request, value);
      else this.leaveUnanswered(request);
    }
    if (modifier !== null) this.applyModifier(modifier);
  }

  private applyModifier(modifier: Modifier): void {
    if (modifier.type === 'timeout') this.armIdle(modifier.ms);
    else if (modifier.type === 'continue') this.continueWith(modifier.tag, modifier.args);
    else this.hibernate();
  }

  private armIdle(lengthMs: number): void {
    const quiet = this.quietTime;
    quiet.idle?.cancel();
    if (this.hasMessage) return; // T2
    if (lengthMs === 0 && this.queueLength === 0) {
      this.deliver(INFO_ENVELOPE, TIMEOUT);
      return;
    }
    const idle = (quiet.idle ??= new IdleDeadline(this));
    idle.lengthMs = lengthMs;
    this.runtime.deadlines.add(idle, lengthMs);
  }

  /** The message in hand was refused and no code of the user's saw it: a timeout that it cut short starts again. @internal */
  disregardMessage(): void {
    const idle = this.quiet === null ? null : this.quiet.idle;
    if (idle !== null && idle.disregardMessage()) this.armIdle(idle.lengthMs);
  }

  /** A message that came in time counts, even when its turn has not come yet (T1). */
  idleTimeIsOver(): void {
    if (this.hasMessage) return;
    if (this.queueLength === 0 && !this.isSuspended) this.deliver(INFO_ENVELOPE, TIMEOUT);
    else this.quietTime.idle!.hasLapsed = true;
  }

  private get quietTime(): QuietTime {
    return (this.quiet ??= new QuietTime());
  }

  /** Whether the next in the queue is a message, rather than a request of the system. */
  private get hasMessage(): boolean {
    const { debugging } = this;
    if (debugging !== null && debugging.heldBackLength > 0) return true;
    return this.queueLength > 0 && this.mailbox!.peek().kind !== SYSTEM;
  }

  private continueWith(tag: string | symbol, args: readonly unknown[]): void {
    const { continues, anyContinue } = this.definition;
    const handler = continues.get(tag) ?? anyContinue;
    if (handler === undefined) {
      const cause = new UndefinedCallbackError(this.label, `@HandleContinue(${String(tag)})`);
      this.terminate(cause, cause);
      return;
    }
    const all = handler === anyContinue ? [tag, ...args] : args;
    this.extrasInUse.continuation = { invocation: handler.invocationFor(all), payload: payloadOf(all) };
    this.hasContinuation = true;
  }

  private hibernate(): void {
    if (this.queueLength === 0) this.mailbox = null;
    reportHibernated(this);
  }

  // --- answers ----------------------------------------------------------------------------------------------------------

  from(): From<unknown> {
    if (this.request === null) {
      throw new TypeError(
        `${this.label}: this.from() is there in a call handler only; nobody waits for an answer here.`,
      );
    }
    return makeFrom(this, this.request);
  }

  /** Answers a call unless this incarnation is fenced: then whoever waits is told of the exit instead. */
  answer(request: CallRequest, value: unknown): void {
    if (this.isFenced || request.isSettled) return;
    if (value === this.state) warnOfSharedReply(this, value, request);
    if (this.extras === null && !this.clonesMessages) request.answer(value);
    else this.answerWithCare(request, value);
  }

  private answerWithCare(request: CallRequest, value: unknown): void {
    this.unanswered?.delete(request);
    let copy = value;
    try {
      if (this.clonesMessages) copy = structuredClone(value);
    } catch (thrown) {
      this.debugging?.answered(request, thrown);
      request.refuse(thrown);
      return;
    }
    this.debugging?.answered(request, copy);
    request.answer(copy);
  }

  refuse(request: CallRequest, error: unknown): void {
    if (this.isFenced || request.isSettled) return;
    this.unanswered?.delete(request);
    this.debugging?.answered(request, error);
    request.refuse(error);
  }

  /** Takes the `Down` of one monitor out of the mailbox. */
  forgetDown(ref: Ref): void {
    this.forgetMessage((message) => message instanceof Down && message.ref === ref);
  }

  /** Takes the first message of the system that matches out of the mailbox. */
  forgetMessage(isIt: (message: unknown) => boolean): void {
    if (!this.debugging?.forgetHeldBack(INFO_ENVELOPE, isIt)) this.mailbox?.remove(INFO_ENVELOPE, isIt);
  }

  /** Where a call is, for its timeout error. */
  phaseOf(request: CallRequest): 'waiting' | 'running' | 'answered_later' {
    if (this.unanswered?.has(request)) return 'answered_later';
    return this.request === request || this.ending?.request === request ? 'running' : 'waiting';
  }

  /** Nobody waits for the answer any more. */
  forgetCall(request: CallRequest): void {
    this.unanswered?.delete(request);
  }

  private leaveUnanswered(request: CallRequest): void {
    if (!request.isSettled) (this.extrasInUse.unanswered ??= new Set()).add(request);
  }

  // --- what sys asks ----------------------------------------------------------------------------------------------------

  /** What of this process is being debugged; from now on at least that. @internal */
  startDebugging(): Debugging {
    return (this.extrasInUse.debugging ??= new Debugging(this, () => this.makeMailbox()));
  }

  /** When nothing is on any more, messages pass as if there were no debugging. @internal */
  stopDebugging(): void {
    if (this.debugging?.isOn === false) this.extras!.debugging = null;
  }

  /** Goes on with what came while the server was suspended, in order (Y2). @internal */
  resumeFromSuspension(): void {
    const { debugging } = this;
    if (debugging === null || !debugging.isSuspended) return;
    debugging.isSuspended = false;
    this.mailbox = debugging.release(this.mailbox);
    this.stopDebugging();
  }

  /** Lets the user's `codeChange` make the next state out of this one, which stays when it fails (Y6). @internal */
  changeCode(
    request: SystemRequest,
    oldVersion: string | number | undefined,
    extra: unknown,
    onEnd: (error: unknown) => void,
  ): void {
    const { instance } = this;
    if (instance?.codeChange === undefined) {
      onEnd(new UndefinedCallbackError(this.label, 'codeChange'));
      return;
    }
    const extras = this.extrasInUse;
    extras.systemRequest = request;
    this.isBusy = true;
    const finish = (error: unknown): void => {
      extras.systemRequest = null;
      onEnd(error);
      if (this.exitMark !== null) this.terminate(this.exitMark.reason, undefined);
      else this.resume();
    };
    const changing: Step<null> = {
      run: () => instance.codeChange!(oldVersion, this.state, extra),
      done: (_, result) =>
        finish(this.exitMark === null ? this.applyCodeChange(result) : this.failedCodeChange(this.exitMark)),
      failed: (_, thrown) => finish(this.codeChangeError(thrown, thrown)),
    };
    this.guard(changing, null);
  }

  private applyCodeChange(result: unknown): CodeChangeError | undefined {
    const fault = faultOf(result, 'code_change');
    if (fault !== undefined) {
      const cause = badReturnValue(this, 'codeChange', result, fault);
      return this.codeChangeError({ badReturnValue: result }, cause);
    }
    const { kind, value, state } = result as CallbackResult;
    if (kind === 'error') return this.codeChangeError(value, undefined);
    this.state = state;
    return undefined;
  }

  private failedCodeChange({ reason }: { readonly reason: ExitReason }): CodeChangeError {
    return this.codeChangeError(reason, undefined);
  }

  private codeChangeError(reason: unknown, cause: unknown): CodeChangeError {
    const { redaction } = this.runtime;
    return new CodeChangeError(this.label, redaction.reason(reason), redaction.reason(cause));
  }

  // --- the end ----------------------------------------------------------------------------------------------------------

  /** Marks the incarnation, so that no `catch` of the user's can swallow the exit. */
  markExit(reason: ExitReason): void {
    if (this.isFenced) return;
    this.extrasInUse.exitMark ??= { reason };
    if (this.isBusy || this.runtime.current === this) return;
    // Code that no handler waits for: before the next message, or there may be none to notice the mark.
    this.hasContinuation = true;
    this.becomeReady();
  }

  /**
   * Code that this incarnation left running failed, and nobody waits for it. The process crashes with that after the message in
   * hand. One failure is enough.
   */
  crashAstray(thrown: unknown): void {
    if (this.ending !== null && !isCleanExit(this.ending.reason)) return;
    this.markExit(reasonOfThrown(thrown));
  }

  protected override crash(thrown: unknown): void {
    this.runtime.current = null;
    if (this.status === 'running') this.terminate(reasonOfThrown(thrown), thrown);
    else super.crash(thrown);
  }

  private fail(thrown: unknown, invocation: Invocation, payload: unknown): void {
    if (this.isFenced) return;
    if (this.exitMark !== null) {
      this.terminate(this.exitMark.reason, undefined, invocation, payload);
      return;
    }
    const { request } = this;
    if (request !== null && this.definition.isReplyError(thrown)) {
      this.request = null;
      this.refuse(request, thrown);
      return;
    }
    this.terminate(reasonOfThrown(thrown), thrown, invocation, payload);
  }

  private stopWith(reason: ExitReason, answer: unknown, invocation: Invocation, payload: unknown): void {
    const { request } = this;
    if (answer === NO_ANSWER || request === null) {
      this.terminate(reason, undefined, invocation, payload);
      return;
    }
    this.request = null;
    this.terminate(reason, undefined, invocation, payload, request, answer);
  }

  /** Runs the user's `terminate`, then ends. */
  terminate(
    reason: ExitReason,
    cause: unknown,
    invocation?: Invocation,
    payload?: unknown,
    request: CallRequest | null = null,
    answer: unknown = undefined,
  ): void {
    if (this.ending !== null) return;
    this.status = 'exiting';
    this.isBusy = true;
    this.hasContinuation = false;
    this.quiet?.idle?.cancel();
    if (this.extras !== null) this.extras.exitMark = null;
    const message = invocation === undefined ? undefined : formatMessage(invocation);
    this.ending = { reason, cause, request, answer, message, exitCause: undefined };
    const { instance } = this;
    if (instance?.terminate === undefined) {
      this.finishTermination();
      return;
    }
    this.guard(GenServerProcess.terminating, reason);
  }

  private terminated(): void {
    if (this.exitMark !== null) this.endInstead(this.exitMark.reason, undefined);
    this.finishTermination();
  }

  private terminateFailed(thrown: unknown): void {
    if (this.exitMark === null) this.endInstead(reasonOfThrown(thrown), thrown);
    else this.endInstead(this.exitMark.reason, undefined);
    this.finishTermination();
  }

  /** What `terminate` failed with takes the place of why it ran (E8). */
  private endInstead(reason: ExitReason, cause: unknown): void {
    const ending = this.ending!;
    ending.reason = reason;
    ending.cause = cause;
  }

  private finishTermination(): void {
    const { reason, cause, request, answer, message } = this.ending!;
    if (request !== null) this.answer(request, answer);
    this.ending!.exitCause = cause;
    if (!isCleanExit(reason)) reportCrash(this, reason, cause, message);
    this.end(reason);
  }

  protected override end(reason: ExitReason): void {
    const { debugging } = this;
    if (debugging !== null) {
      debugging.takeHeldBack()?.forEach((envelope, payload) => this.discard(envelope, payload, reason));
      debugging.exited(reason);
      this.extras!.debugging = null;
    }
    super.end(reason);
    this.ending = ENDED;
    this.extras = null;
    this.quiet = null;
    this.turn = null;
  }

  protected discard(envelope: Envelope, _payload: unknown, reason: ExitReason): void {
    if (envelope.kind === CALL) this.tellOfExit(envelope as CallRequest, reason);
    else if (envelope instanceof SystemRequest) envelope.serverExited(reason);
  }

  /** What was thrown: here, or where the reason came from. */
  private causeOf(reason: ExitReason): unknown {
    const cause = this.ending === null ? this.starting?.cause : this.ending.exitCause;
    if (cause !== undefined) return cause;
    return isError(reason) ? reason : undefined;
  }

  private tellOfExit(request: CallRequest, reason: ExitReason): void {
    const told = (this.extrasInUse.toldOfExit ??= this.toldOf(reason, this.causeOf(reason)));
    request.serverExited(told.reason, told.cause);
  }

  private toldOf(reason: ExitReason, cause: unknown): { readonly reason: ExitReason; readonly cause: unknown } {
    const { redaction } = this.runtime;
    const told = redaction.reason(reason);
    return { reason: told, cause: cause === reason ? told : redaction.reason(cause) };
  }

  protected onEnd(reason: ExitReason): void {
    const { starting } = this;
    this.quiet?.cancel();
    starting?.deadline?.cancel();
    if (this.ending !== null && this.ending.request !== null) this.tellOfExit(this.ending.request, reason);
    if (this.request !== null) this.tellOfExit(this.request, reason);
    if (this.extras !== null) this.endAffairs(this.extras, reason);
    this.request = null;
    starting?.settle(this, {
      status: 'error',
      reason: starting.hasTimedOut ? 'timeout' : reason,
      cause: this.causeOf(reason),
    });
    this.ownSelf?.close(reason);
  }

  private endAffairs(extras: ProcessExtras, reason: ExitReason): void {
    extras.systemRequest?.serverExited(reason);
    if (extras.unanswered !== null) for (const request of extras.unanswered) this.tellOfExit(request, reason);
    extras.unanswered = null;
    extras.continuation = null;
  }

  // --- callbacks that are no handlers -----------------------------------------------------------------------------------

  /** The state as logs and inspection may show it (E14). `formatStatus` has the last word. */
  visibleState(): unknown {
    const { instance } = this;
    if (instance?.formatStatus === undefined) return this.runtime.redaction.shown(this.state);
    try {
      return instance.formatStatus(this.state);
    } catch {
      // What was to be hidden must not come out because hiding it failed.
      return '(formatStatus threw)';
    }
  }

  /** Runs a callback that is no handler, and goes on with what it gives, now or later, unless the process is fenced. */
  private guard<A>(step: Step<A>, given: A): void {
    const { runtime } = this;
    let result: unknown;
    runtime.current = this;
    try {
      result = runtime.tracking === null ? step.run(this, given) : this.guardTracked(runtime.tracking, step, given);
    } catch (thrown) {
      runtime.current = null;
      this.activation = null;
      if (!this.isFenced) step.failed(this, thrown);
      return;
    }
    runtime.current = null;
    if (isThenable(result)) {
      this.guardLater(step, result);
      return;
    }
    if (this.isFenced) return;
    this.activation = null;
    step.done(this, result);
  }

  private guardTracked<A>(tracking: Tracking, step: Step<A>, given: A): unknown {
    return this.runTracked(tracking, () => step.run(this, given));
  }

  private guardLater<A>({ done, failed }: Step<A>, result: PromiseLike<unknown>): void {
    const goOn = (next: Step<A>['done'], value: unknown): void => {
      if (this.isFenced) return;
      const { scheduler } = this.runtime;
      this.activation = null;
      const wasRunning = scheduler.enter();
      try {
        next(this, value);
      } catch (error) {
        this.crash(error);
      }
      scheduler.leave(wasRunning);
    };
    whenSettled(
      result,
      (value) => goOn(done, value),
      (thrown) => goOn(failed, thrown),
    );
  }
}

function formatMessage(invocation: Invocation): string {
  return String(invocation.handler.name);
}
