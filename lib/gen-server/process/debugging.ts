import { CALL, CAST, INFO_ENVELOPE, SYSTEM, TERMINATE } from '../../runtime/mailbox/envelope.js';
import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import { REDACTED } from '../../runtime/secrets/redaction.js';
import type { Envelope, Mailbox } from '../../runtime/mailbox/mailbox.js';
import { type CallRequest, describeRequest } from './call-request.js';
import type { RequestDescription } from '../errors.js';
import type { Invocation } from '../definition/server-definition.js';
import { reportHighWater, type ReportedServer } from './process-reports.js';
import type { SystemRequest } from './system-request.js';
import type { Ref } from '../../runtime/pid.js';
import { refOf } from '../results/messages.js';
import { Trace } from './trace.js';

/**
 * What a server has handled since its statistics were turned on. Times are wall-clock milliseconds since 1970. Unlike in OTP there is no
 * count of reductions, because Node does not measure the work of a single process.
 *
 * @publicApi
 */
export interface Statistics {
  /** When the statistics were turned on. */
  readonly startTime: number;
  /** When these counts were read. */
  readonly currentTime: number;
  /** The number of calls, casts and plain messages that were handled. Requests of `sys` do not count. */
  readonly messagesIn: number;
  /** The number of answers to calls, including errors. */
  readonly messagesOut: number;
}

/** The process that is being debugged. */
export interface DebuggedServer extends ReportedServer {
  readonly state: unknown;
  readonly isBusy: boolean;
  readonly extrasInUse: { debugging: Debugging | null };
  readonly debugging: Debugging | null;
  mailbox: Mailbox | null;
  makeMailbox(): Mailbox;
}

interface Counters {
  readonly startTime: number;
  messagesIn: number;
  messagesOut: number;
}

/**
 * The debugging of one process: suspension, trace and statistics, as `sys` has turned them on. It exists only while one of them is on;
 * otherwise a message costs one check of a field that is null. The effect of a handler on the state is noted when the next event occurs, so
 * handlers need no wrapper.
 */
export class Debugging {
  isSuspended = false;
  trace: Trace | null = null;
  private counters: Counters | null = null;
  private heldBack: Mailbox | null = null;
  /** A message was passed to its handler, and its effect has not been noted yet. */
  private isUnsettled = false;
  private request: CallRequest | null = null;
  private isAnswered = false;
  private stateBefore: unknown = undefined;

  constructor(private readonly server: DebuggedServer) {}

  get isOn(): boolean {
    return this.isSuspended || this.trace !== null || this.counters !== null;
  }

  get heldBackLength(): number {
    return this.heldBack === null ? 0 : this.heldBack.length;
  }

  // --- what passes ------------------------------------------------------------------------------------------------------

  /** Notes a message whose turn has come. Returns true if it must wait until the server is resumed. */
  intercept(envelope: Envelope, payload: unknown): boolean {
    this.settle();
    const { kind } = envelope;
    if (kind === TERMINATE || (kind === SYSTEM && !(envelope as SystemRequest).runsHandler)) return false;
    if (this.isSuspended) {
      this.holdBack(envelope, payload);
      return true;
    }
    if (kind === CALL) {
      const request = envelope as CallRequest;
      this.noteIn('call', describeRequest(this.server.runtime, request.invocation, request.payload), request);
    } else if (kind === CAST) {
      this.noteIn('cast', describeRequest(this.server.runtime, envelope as Invocation, payload), null);
    } else {
      this.noteIn(
        'info',
        kind === SYSTEM ? this.shown((envelope as SystemRequest).subject) : this.shownInfo(payload),
        null,
      );
    }
    return false;
  }

  private holdBack(envelope: Envelope, payload: unknown): void {
    const heldBack = (this.heldBack ??= this.server.makeMailbox());
    heldBack.push(envelope, payload);
    if (!heldBack.isHigh) return;
    // First, since whoever is told may send another message.
    heldBack.raiseHighWater();
    reportHighWater(this.server, heldBack.length);
  }

  continues(invocation: Invocation, payload: unknown): void {
    this.settle();
    this.note('continue', describeRequest(this.server.runtime, invocation, payload), null);
  }

  answered(request: CallRequest, value: unknown): void {
    if (request === this.request) this.isAnswered = true;
    if (this.counters !== null) this.counters.messagesOut++;
    if (this.trace === null) return;
    const to = describeRequest(this.server.runtime, request.invocation, request.payload);
    const isSecret = request.invocation.handler.secrets === 'all';
    this.trace.add({ type: 'out', at: this.now(), to, value: isSecret ? REDACTED : this.shown(value) });
  }

  exited(reason: ExitReason): void {
    if (this.isUnsettled) this.noteState();
    this.trace?.add({ type: 'exit', at: this.now(), reason: this.server.runtime.redaction.reason(reason) });
    this.isUnsettled = false;
  }

  /** Notes the effect of the last message, unless its handler is still running. */
  settle(): void {
    if (!this.isUnsettled || this.server.isBusy) return;
    this.isUnsettled = false;
    if (!this.isAnswered) this.trace?.add({ type: 'noreply' });
    this.noteState();
    this.request = null;
    this.stateBefore = undefined;
  }

  private noteIn(kind: 'call' | 'cast' | 'info', message: unknown, request: CallRequest | null): void {
    if (this.counters !== null) this.counters.messagesIn++;
    this.note(kind, message, request);
  }

  private note(kind: 'call' | 'cast' | 'info' | 'continue', message: unknown, request: CallRequest | null): void {
    if (this.trace === null) return;
    this.trace.add({ type: 'in', at: this.now(), kind, message: message as RequestDescription });
    this.isUnsettled = true;
    this.request = request;
    this.isAnswered = false;
    this.stateBefore = this.server.state;
  }

  private noteState(): void {
    if (this.server.state === this.stateBefore) return;
    this.trace?.add({ type: 'state', state: this.server.visibleState() });
  }

  private shownInfo(message: unknown): unknown {
    if (this.trace === null) return undefined;
    const handler = this.server.definition.infos.find(message);
    return handler?.secrets === undefined ? this.shown(message) : REDACTED;
  }

  /** Redacts a value for the trace, because any code that gets hold of the trace can read it. */
  private shown(value: unknown): unknown {
    return this.trace === null ? undefined : this.server.runtime.redaction.shown(value);
  }

  private now(): number {
    return this.server.runtime.clock.wallTime();
  }

  // --- what is turned on and off ----------------------------------------------------------------------------------------

  /** Starts a new trace. A previous one gets no more entries. */
  startTrace(limit: number): Trace {
    this.isUnsettled = false;
    return (this.trace = new Trace(limit, () => this.settle()));
  }

  stopTrace(): void {
    this.trace?.clear();
    this.trace = null;
    this.isUnsettled = false;
  }

  startStatistics(): void {
    this.counters = { startTime: this.now(), messagesIn: 0, messagesOut: 0 };
  }

  stopStatistics(): void {
    this.counters = null;
  }

  readStatistics(): Statistics | undefined {
    return this.counters === null ? undefined : { ...this.counters, currentTime: this.now() };
  }

  /** Removes and returns the messages that were held back. */
  takeHeldBack(): Mailbox | null {
    const { heldBack } = this;
    this.heldBack = null;
    return heldBack;
  }

  /** Returns the mailbox to continue with: the messages that were held back, followed by the newer ones. */
  release(newer: Mailbox | null): Mailbox | null {
    const heldBack = this.takeHeldBack();
    if (heldBack !== null) newer?.forEach((envelope, payload) => heldBack.push(envelope, payload));
    return heldBack ?? newer;
  }

  forgetHeldBack(ref: Ref, matches: (payload: unknown) => boolean): boolean {
    return this.heldBack?.removeByRef(INFO_ENVELOPE, ref, refOf, matches) ?? false;
  }
}

/** The debugging of a process, created if there was none. */
export function startDebugging(server: DebuggedServer): Debugging {
  return (server.extrasInUse.debugging ??= new Debugging(server));
}

/** Removes the debugging of a process if nothing of it is on, so that messages no longer pay for it. */
export function stopDebugging(server: DebuggedServer): void {
  if (server.debugging?.isOn === false) server.extrasInUse.debugging = null;
}

/** Resumes a suspended server, with the messages that came meanwhile in order (Y2). */
export function resumeFromSuspension(server: DebuggedServer): void {
  const { debugging } = server;
  if (debugging === null || !debugging.isSuspended) return;
  debugging.isSuspended = false;
  server.mailbox = debugging.release(server.mailbox);
  stopDebugging(server);
}
