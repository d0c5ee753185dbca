import { isolatedCopy } from '../../runtime/isolation/isolated-copy.js';
import { BoundedMailbox } from '../../runtime/mailbox/bounded-mailbox.js';
import { refOf } from '../results/messages.js';
import { CALL, CAST, INFO, INFO_ENVELOPE, SYSTEM, TERMINATE } from '../../runtime/mailbox/envelope.js';
import { type ExitReason, isCleanExit, reasonOfThrown } from '../../runtime/exits/exit-reason.js';
import type { Envelope, Mailbox } from '../../runtime/mailbox/mailbox.js';
import type { Ref } from '../../runtime/pid.js';
import { Process } from '../../runtime/process.js';
import type { Runtime } from '../../runtime/runtime.js';
import { isPromise } from '../../runtime/secrets/inspect-safely.js';
import type { Awaited, Tracking } from '../../runtime/tracking.js';
import type { Invocation, ServerDefinition } from '../definition/server-definition.js';
import { detachProcess, type ServerInstance } from '../definition/server-instance.js';
import type { InitArguments } from '../definition/start-options.js';
import { NO_ARGUMENTS, type StartPlan } from '../definition/start-plan.js';
import { type CallbackResult, isOwnResult, KEEP_STATE, NO_ANSWER } from '../results/callback-result.js';
import { faultOf, type ResultOrigin } from '../results/result-fault.js';
import { isAwaitable, isThenable, whenSettled } from '../results/thenable.js';
import type { CallPhase } from '../errors.js';
import type { CallRequest } from './call-request.js';
import type { Debugging } from './debugging.js';
import { discard, ENDED, type Ending, giveUp, type OwnHandle, terminate } from './ending.js';
import { type From, makeFrom } from './from.js';
import { LoadShedding } from './load-shedding.js';
import { applyModifier } from './modifiers.js';
import { type ExitMark, ProcessExtras } from './process-extras.js';
import { badReturnValue, reportHighWater, reportUnexpectedMessage, warnOfSharedReply } from './process-reports.js';
import { beginQuiet, type QuietTime, rearmIdle } from './quiet-time.js';
import type { StartObserver, StartOutcome } from './start-observer.js';
import { initialise, limitStart, STARTED, Starting } from './starting.js';
import { abandonStream, type StreamAnswer } from './stream-answer.js';
import type { SystemRequest } from './system-request.js';

/** The message of a handler that awaits, and the reactions that continue after it. */
class AsyncTurn {
  invocation: Invocation | null = null;
  payload: unknown = undefined;

  constructor(
    readonly onDone: (value: unknown) => void,
    readonly onFail: (thrown: unknown) => void,
  ) {}
}

/**
 * A process that runs a server: it takes a message, finds the callback, and applies the result. Nothing here awaits: while the promise of a
 * handler is pending, the process is busy, and the reaction to the promise continues.
 */
export class GenServerProcess extends Process {
  state: unknown = undefined;

  /** @internal */
  instance: ServerInstance | null = null;
  /** The call that is being handled. @internal */
  request: CallRequest | null = null;
  /** Created by the first handler that awaits. */
  private turn: AsyncTurn | null = null;
  /** @internal */
  ending: Ending | null = null;
  /** Its `self`, created on first use. @internal */
  handle: OwnHandle | null = null;
  /** @internal */
  quiet: QuietTime | null = null;
  /** @internal */
  starting: Starting | null;
  /** Null while the process has nothing going on besides the current message. @internal */
  extras: ProcessExtras | null = null;

  constructor(
    runtime: Runtime,
    id: number,
    incarnation: number,
    parent: Process | null,
    /** @internal */
    readonly plan: StartPlan,
    private initArguments: InitArguments,
    observer: StartObserver,
  ) {
    super(runtime, id, incarnation, parent);
    this.starting = new Starting(observer);
  }

  get definition(): ServerDefinition {
    return this.plan.definition;
  }

  /** The arguments of `init`. Dropped once the process is up, unless its supervisor needs them for the next incarnation. */
  get args(): InitArguments {
    return this.initArguments;
  }

  /** Lets the arguments of `init` be garbage-collected. */
  dropArguments(): void {
    this.initArguments = NO_ARGUMENTS;
  }

  override get trapsExits(): boolean {
    return this.plan.trapsExits;
  }

  override get drains(): boolean {
    return this.plan.drains;
  }

  /** Whether `init` has finished. An end before that is a failed start, an end after it an exit. */
  get hasStarted(): boolean {
    return this.starting === null;
  }

  /** Fulfilled with the outcome of the start, once that is known. Does not reject. */
  get startOutcome(): Promise<StartOutcome> {
    return this.starting === null ? Promise.resolve(STARTED) : this.starting.outcome;
  }

  get label(): string {
    return this.definition.label;
  }

  get clonesMessages(): boolean {
    return this.plan.isolation === 'clone';
  }

  /** The instance that the process runs, if it is an instance of `type`. @internal */
  running<T extends object>(type: abstract new (...args: never[]) => T): T | undefined {
    return this.instance instanceof type ? this.instance : undefined;
  }

  /** The extras, created on first use. @internal */
  get extrasInUse(): ProcessExtras {
    return (this.extras ??= new ProcessExtras());
  }

  /** @internal */
  get exitMark(): ExitMark | null {
    return this.extras === null ? null : this.extras.exitMark;
  }

  /** @internal */
  get unanswered(): ReadonlySet<CallRequest> | null {
    return this.extras === null ? null : this.extras.unanswered;
  }

  /** The debugging that `sys` has turned on; null while it is off. @internal */
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

  /** Registers `told`, which is called when a request to end this process arrives. */
  whenStopQueued(told: () => void): void {
    this.extrasInUse.stopQueued = told;
  }

  // --- start ------------------------------------------------------------------------------------------------------------

  /** Runs `init` in the loop, for `startTimeoutMs` at most. */
  begin(): void {
    limitStart(this);
    // It is ready already if a registry or an event listener has sent it a message while it was being created.
    this.becomeReady();
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

  /** @internal */
  override makeMailbox(): Mailbox {
    const { maxMailbox } = this.plan;
    if (maxMailbox === undefined) return super.makeMailbox();
    const shedding = (this.extrasInUse.shedding ??= new LoadShedding(this, maxMailbox));
    const { scheduler } = this.runtime;
    return new BoundedMailbox(
      maxMailbox,
      (envelope) => shedding.shed(envelope),
      () => {
        if (!this.isBusy) scheduler.hurry(); // a busy process cannot handle its messages now
      },
    );
  }

  protected override onHighWater(queueLength: number): void {
    // What comes while the server is suspended is held back, and counted there.
    if (!this.isSuspended) reportHighWater(this, queueLength);
  }

  protected override onQuiet(): void {
    beginQuiet(this);
  }

  protected runContinuation(): void {
    this.hasContinuation = false;
    if (this.status === 'starting') {
      initialise(this);
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

  private receiveSystem(request: SystemRequest): void {
    request.perform(this);
    rearmIdle(this);
  }

  /** Runs a handler with the arguments of a message. @internal */
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
    if (isOwnResult(result)) {
      this.activation = null;
      if (!this.applyPlain(result)) this.applyAny(result, invocation, payload);
    } else if (isAwaitable(result)) {
      this.wait(result, invocation, payload);
    } else {
      this.activation = null;
      this.applyAny(result, invocation, payload);
    }
  }

  // A separate method, like that of every closure here that few messages need: a function that may create one pays for it on each call.
  private invokeTracked(tracking: Tracking, invocation: Invocation, payload: unknown): unknown {
    return this.runTracked(tracking, () => invocation.on(this.instance!, payload));
  }

  /** Runs a callback that is tracked as code of this process, even while it awaits. @internal */
  runTracked(tracking: Tracking, run: () => unknown): unknown {
    return tracking.run(this, run);
  }

  /** @internal */
  override get awaited(): Awaited | null {
    // With tracking, every request is one that knows its caller.
    return (this.request ?? this.ending?.request ?? null) as (CallRequest & Awaited) | null;
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
    // The process ended while the handler was waiting: drop its result (E6).
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
      if (!this.isBusy) this.resume();
    } catch (thrown) {
      this.crash(thrown);
    } finally {
      scheduler.leave(wasRunning);
    }
  }

  // --- results ----------------------------------------------------------------------------------------------------------

  private apply(result: unknown, invocation: Invocation, payload: unknown): void {
    if (!isOwnResult(result) || !this.applyPlain(result)) this.applyAny(result, invocation, payload);
  }

  /**
   * The fast path for the results of nearly all messages: a reply or none, and maybe a state. Returns false, having done nothing, for any
   * other result. A separate method, so that V8 can optimize it without the rare cases.
   */
  private applyPlain(result: CallbackResult): boolean {
    if (result.modifier !== null || result.answer !== NO_ANSWER) return false;
    if (this.isFenced || this.exitMark !== null) return false;
    const { request } = this;
    const { kind, value, state } = result;
    if (kind !== (request === null ? 'noReply' : 'reply')) return false;
    if (isPromise(state) || isThenable(value)) return false;
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
      else if (kind === 'replyStream') (value as StreamAnswer).answerTo(this, request);
      else this.leaveUnanswered(request);
    }
    if (modifier !== null) applyModifier(this, modifier);
  }

  // --- answers ----------------------------------------------------------------------------------------------------------

  from(): From<unknown> {
    if (this.request === null) {
      throw new TypeError(
        `${this.label}: this.from() is available only in a call handler; no caller waits for an answer here.`,
      );
    }
    return makeFrom(this, this.request);
  }

  /** Answers a call, unless this incarnation is fenced: then the caller is told of the exit instead. */
  answer(request: CallRequest, value: unknown): void {
    if (this.isFenced || request.isSettled) return;
    if (value === this.state) warnOfSharedReply(this, value, request);
    if (this.extras === null && !this.clonesMessages) request.answer(value);
    else this.answerWithCare(request, value);
  }

  private answerWithCare(request: CallRequest, value: unknown): void {
    this.extras?.unanswered?.delete(request);
    let copy = value;
    try {
      if (this.clonesMessages) copy = isolatedCopy(value);
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
    this.extras?.unanswered?.delete(request);
    this.debugging?.answered(request, error);
    request.refuse(error);
  }

  /** Takes the oldest message of a kind that belongs to `ref` out of the mailbox: a `Down`, or the result of a task. */
  forgetMessage(ref: Ref, isIt: (message: unknown) => boolean): void {
    if (!this.debugging?.forgetHeldBack(ref, isIt)) this.mailbox?.removeByRef(INFO_ENVELOPE, ref, refOf, isIt);
  }

  /** The phase that a call is in, for its timeout error. */
  phaseOf(request: CallRequest): CallPhase {
    if (this.unanswered?.has(request)) return 'answered_later';
    if (this.status === 'exiting' && this.ending?.request !== request) return 'terminating';
    return this.request === request || this.ending?.request === request ? 'running' : 'waiting';
  }

  /** Called when the caller no longer waits for an answer that was left for later. */
  forgetCall(request: CallRequest): void {
    this.extras?.unanswered?.delete(request);
  }

  private leaveUnanswered(request: CallRequest): void {
    if (!request.isSettled) (this.extrasInUse.unanswered ??= new Set()).add(request);
  }

  // --- the end ----------------------------------------------------------------------------------------------------------

  /** Marks the process as exiting, so that it exits even if the handler catches the error that `self.exit` throws. */
  markExit(reason: ExitReason): void {
    if (this.isFenced) return;
    this.extrasInUse.exitMark ??= { reason };
    if (this.isBusy || this.runtime.current === this) return;
    // No handler is running that would notice the mark, and there may be no next message: exit before the next message.
    this.hasContinuation = true;
    this.becomeReady();
  }

  /**
   * Crashes the process after the current message, because code that this incarnation left running failed and no code caught the error.
   * Further errors are ignored once the process is about to end abnormally.
   */
  crashByStrayError(thrown: unknown): void {
    if (this.ending !== null && !isCleanExit(this.ending.reason)) return;
    this.markExit(reasonOfThrown(thrown));
  }

  protected override onCrash(thrown: unknown): void {
    this.runtime.current = null;
    if (this.status === 'running') this.terminate(reasonOfThrown(thrown), thrown);
    else super.onCrash(thrown);
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

  /** Runs the user's `terminate`, then ends the process. */
  terminate(
    reason: ExitReason,
    cause: unknown,
    invocation?: Invocation,
    payload?: unknown,
    request: CallRequest | null = null,
    answer: unknown = undefined,
  ): void {
    const ending = { reason, cause, invocation, payload, request, answer, former: undefined, exitCause: undefined };
    terminate(this, ending);
  }

  /** @internal */
  override end(reason: ExitReason): void {
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
    const { instance, state } = this;
    // Many a socket, timer or handle keeps an ended process. The state may be large, and is for those who have the instance.
    this.instance = null;
    this.state = undefined;
    if (instance !== null) detachProcess(instance, state);
  }

  protected discard(envelope: Envelope, payload: unknown, reason: ExitReason): void {
    discard(this, envelope, payload, reason);
  }

  protected onEnd(reason: ExitReason): void {
    giveUp(this, reason);
  }

  /** The state as logs and inspection may show it (E14): what `formatStatus` returns, or else the redacted state. */
  visibleState(): unknown {
    const { instance } = this;
    if (instance?.formatStatus === undefined) return this.runtime.redaction.shown(this.state);
    try {
      return instance.formatStatus(this.state);
    } catch {
      // Showing the state instead could reveal what `formatStatus` was meant to hide.
      return '(formatStatus threw)';
    }
  }
}
