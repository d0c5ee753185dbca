import type { Deadline, DeadlineQueue } from '../../runtime/time/deadline.js';
import { CALL } from '../../runtime/mailbox/envelope.js';
import { withoutFrames } from '../../runtime/errors.js';
import { keepShape } from '../../runtime/keep-shape.js';
import type { Envelope } from '../../runtime/mailbox/mailbox.js';
import type { Runtime } from '../../runtime/runtime.js';
import { countCall, type RelatedProcess } from '../../runtime/relations/relations.js';
import type { Activation, Awaited } from '../../runtime/tracking.js';
import { type CallPhase, CallTimeoutError, type RequestDescription, ServerExitedError } from '../errors.js';
import type { ToldOfExit } from './told-of-exit.js';
import type { Invocation } from '../definition/server-definition.js';

/** The process that is called. */
export interface Callee {
  readonly label: string;
  readonly queueLength: number;
  readonly runtime: Runtime;
  /** The state of the call, for its timeout error. */
  phaseOf(request: CallRequest): CallPhase;
  /** The caller no longer waits for the answer. */
  forgetCall(request: CallRequest): void;
}

let grabbedResolve!: (value: unknown) => void;
let grabbedReject!: (reason: unknown) => void;
const grab = (resolve: (value: unknown) => void, reject: (reason: unknown) => void): void => {
  grabbedResolve = resolve;
  grabbedReject = reject;
};

/**
 * A call on its way: the envelope in the mailbox, the entry among the deadlines, and the caller's end of the promise, in
 * one object. It settles exactly once; whatever comes later is silent (C3, C10).
 */
export class CallRequest implements Envelope, Deadline {
  // The members of Deadline and Settlement are written out: behind a web server the compiler did not inline a base class's constructor into
  // this one, and calling it was a tenth of what calls added to a route.
  expiresAt: number | null = null;
  queue: DeadlineQueue | null = null;
  previous: Deadline | null = null;
  next: Deadline | null = null;

  isSettled = false;
  private readonly resolve: (value: unknown) => void;
  private readonly reject: (reason: unknown) => void;

  constructor(
    private readonly server: Callee,
    readonly invocation: Invocation,
    readonly payload: unknown,
    readonly timeoutMs: number,
    /** The process that called, where it is known. */
    private readonly sender: RelatedProcess | null,
  ) {
    if (sender !== null) countCall(sender, 1);
    this.resolve = grabbedResolve;
    this.reject = grabbedReject;
  }

  // Not a field: a call is created for every request, and all are of one kind.
  get kind(): number {
    return CALL;
  }

  get isPending(): boolean {
    return this.queue !== null;
  }

  cancel(): void {
    this.queue?.remove(this);
  }

  answer(value: unknown): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.sender !== null) countCall(this.sender, -1);
    if (this.queue !== null) this.queue.remove(this);
    this.resolve(value);
  }

  refuse(error: unknown): void {
    if (this.isSettled) return;
    this.isSettled = true;
    if (this.sender !== null) countCall(this.sender, -1);
    if (this.queue !== null) this.queue.remove(this);
    this.reject(error);
  }

  serverExited({ reason, cause, inWords }: ToldOfExit): void {
    if (this.isSettled) return;
    const { label } = this.server;
    const request = this.describe();
    this.refuse(withoutFrames(() => new ServerExitedError(label, request, reason, cause, inWords)));
  }

  expire(): void {
    const { server } = this;
    const phase = server.phaseOf(this);
    const { label, queueLength } = server;
    const request = this.describe();
    server.forgetCall(this);
    this.refuse(withoutFrames(() => new CallTimeoutError(label, request, this.timeoutMs, phase, queueLength)));
  }

  private describe(): RequestDescription {
    return describeRequest(this.server.runtime, this.invocation, this.payload);
  }
}

/** A call that knows which callback made it, until it is settled. */
export class TrackedCallRequest extends CallRequest implements Awaited {
  /** Watches the circle of calls that this one has closed; null when it has closed none. */
  suspicion: Deadline | null = null;

  constructor(
    public caller: Activation | null,
    server: Callee,
    invocation: Invocation,
    payload: unknown,
    timeoutMs: number,
    sender: RelatedProcess | null,
  ) {
    super(server, invocation, payload, timeoutMs, sender);
  }

  override answer(value: unknown): void {
    this.letGo();
    super.answer(value);
  }

  override refuse(error: unknown): void {
    this.letGo();
    super.refuse(error);
  }

  private letGo(): void {
    const { caller, suspicion } = this;
    if (caller === null) return;
    this.caller = null;
    caller.moves++;
    if (suspicion === null) return;
    this.suspicion = null;
    suspicion.cancel();
  }
}

keepShape(new CallRequest(null as never, null as never, undefined, 0, null));
keepShape(new TrackedCallRequest(null, null as never, null as never, undefined, 0, null));

/**
 * The promise of an answer. The {@link CallRequest} made right after it takes over its two functions, which saves a closure
 * per call. Handing them over by `withResolvers` made calls 2 to 5 % slower.
 */
export function promiseOfAnswer(): Promise<unknown> {
  return new Promise<unknown>(grab);
}

/** A request as readers of errors and traces may see it. */
export function describeRequest(runtime: Runtime, invocation: Invocation, payload: unknown): RequestDescription {
  const { name, secrets } = invocation.handler;
  return { handler: name, args: runtime.redaction.arguments(invocation.argumentsOf(payload), secrets) };
}
