import { AsyncLocalStorage } from 'node:async_hooks';
import { createWorld, type World } from '../../lib/create-runtime.js';
import type { GenServerProcess } from '../../lib/gen-server/process/gen-server-process.js';
import { Timeout } from '../../lib/gen-server/results/messages.js';
import { CALL, CAST, SYSTEM, TERMINATE } from '../../lib/runtime/mailbox/envelope.js';
import type { Envelope } from '../../lib/runtime/mailbox/mailbox.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import { Pid, type Ref } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import type { RelatedProcess } from '../../lib/runtime/relations/relations.js';
import type { TimerRef } from '../../lib/runtime/timers.js';
import { readTimer } from '../../lib/runtime/timers.js';
import { RetryRestart } from '../../lib/supervision/child.js';
import { DynamicRetry } from '../../lib/supervision/dynamic-supervisor-server.js';
import type { Choices } from './choices.js';
import { Job } from './job.js';
import type { CallModel } from './models/call-model.js';
import { MonitorModel } from './models/monitor-model.js';
import { type Item, ProcessModel, type ProcessSetup } from './models/process-model.js';
import { signalModel } from './models/signal-model.js';
import type { TimerEntry } from './models/timer-model.js';
import { TimerModel } from './models/timer-model.js';
import { SimulatedClock } from './simulated-clock.js';
import type { Trace } from './trace.js';
import { Violation } from './violation.js';

/** What an operation is about to put into a mailbox or to signal. It must come, once, and nothing else may. */
export interface Cause {
  readonly type: 'send' | 'stop' | 'exit' | 'effect' | 'noproc';
  readonly target: ProcessModel | undefined;
  readonly item: Item | undefined;
  readonly reason?: unknown;
  readonly isKill?: boolean;
  seen: number;
}

/** A message that is to come later, and to whom. */
export interface LaterJob {
  readonly job: Job;
  readonly target: ProcessModel;
  readonly ref: { timer: TimerRef | undefined };
}

/** What a supervisor's model hears. */
export interface SupervisorListener {
  /** It has been seen to act: the model has to catch up. */
  advance(isExplained: () => boolean): void;
  /** The supervisor has made a process. */
  spawned(child: ProcessModel): void;
  /** A signal to one of its children. Answers whether the supervisor was to send it. */
  signalled(child: ProcessModel, reason: unknown, sender: ProcessModel | undefined, isKill: boolean): boolean;
  received(item: Item): void;
  /** What a message that it sends itself stands for. */
  retried(retry: RetryRestart | DynamicRetry): unknown;
  event(event: { readonly type: string }): void;
  /** A child could not be made. */
  couldNotStart(reason: unknown): void;
  /** Why it may end now, unless it was killed. */
  whyItEnds(): { readonly reason: unknown } | undefined;
  ended(): void;
}

export const SENDER = new AsyncLocalStorage<number>();

/** Two reasons that look the same are the same. */
export function sameReason(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (a instanceof Error || b instanceof Error) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => sameReason((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key]))
  );
}

export function nameOf(value: unknown): string {
  if (value instanceof Error) return value.message.slice(0, 60);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/**
 * Watches a real world at its seams (what is delivered, signalled, spawned, ended) and holds every step against the models.
 * The first violation is kept: a throw in the middle of the library would be taken for a failing handler.
 */
export class Observer {
  readonly clock = new SimulatedClock();
  readonly real: World;
  readonly processes = new Map<Pid, ProcessModel>();
  readonly names = new Map<string, ProcessModel>();
  readonly monitors = new MonitorModel<ProcessModel, Ref>();
  readonly timers = new TimerModel<LaterJob>();
  readonly calls: CallModel[] = [];
  readonly supervisors = new Map<ProcessModel, SupervisorListener>();
  /** The supervisor to which a request to end is being delivered right now. */
  isAskedToStop: ProcessModel | undefined;
  violation: Violation | undefined;
  cause: Cause | undefined;
  /** Processes that are made next get these settings. */
  spawning: Partial<ProcessSetup> | undefined;
  onEnded: (process: ProcessModel) => void = () => undefined;
  /** Makes the model of a supervisor that has just been made. */
  makeSupervisor: (process: ProcessModel) => SupervisorListener | undefined = () => undefined;

  constructor(
    public choices: Choices,
    readonly trace: Trace,
    options: { readonly scheduling: 'fair' | 'random'; readonly tracking: boolean },
  ) {
    this.real = createWorld({
      clock: this.clock,
      randomness: { random: () => this.choices.next(4) / 4 },
      warnsOfSharedState: false,
      ...options,
    });
    this.real.events.onAny((event) => this.onEvent(event));
  }

  fail(rule: string, message: string): void {
    if (this.violation !== undefined) return;
    this.violation = new Violation(rule, message);
    this.trace.note(`VIOLATION ${rule}: ${message}`);
  }

  check(condition: boolean, rule: string, message: () => string): void {
    if (!condition) this.fail(rule, message());
  }

  of(pid: Pid): ProcessModel | undefined {
    return this.processes.get(pid);
  }

  get live(): ProcessModel[] {
    return [...this.processes.values()].filter(({ isAlive }) => isAlive);
  }

  /** Runs an operation that puts `item` into the mailbox of `target`, when that is alive, and nothing anywhere else. */
  causing(cause: Omit<Cause, 'seen'>, run: () => void): void {
    const { target } = cause;
    const expected = target !== undefined && target.isAlive ? 1 : 0;
    const previous = this.cause;
    const current: Cause = { ...cause, seen: 0 };
    this.cause = current;
    try {
      run();
    } finally {
      this.cause = previous;
    }
    this.check(current.seen === expected, 'P3', () => {
      return `${cause.type} to ${target?.label ?? 'nobody'} arrived ${current.seen} times, not ${expected}`;
    });
  }

  // --- what happens -------------------------------------------------------------------------------------------------------

  private onEvent(event: { readonly type: string; readonly pid?: Pid; readonly reason?: unknown }): void {
    if (event.type === 'process.spawned') this.spawned(event.pid!);
    else if (event.type === 'process.exited') this.exited(event as never);
    else if (event.type === 'gen_server.message_shed') this.shed++;
    else if (event.type === 'gen_server.unexpected_message') this.fail('R8', 'a message found no handler');
    else if (event.type.startsWith('supervisor.')) this.supervisorSays(event as never);
  }

  private shed = 0;

  private supervisorSays(event: { readonly type: string; readonly supervisor: string }): void {
    this.trace.note(event.type, event.supervisor);
    for (const [process, listener] of this.supervisors) {
      if (process.label === event.supervisor && process.setup.real.isAlive) listener.event(event);
    }
  }

  private spawned(pid: Pid): void {
    const real = processOf(pid)!;
    const parent = real.parent === null ? undefined : this.of(real.parent.pid);
    const setup: ProcessSetup = {
      ...{ traps: real.trapsExits, drains: real.drains, limit: Infinity, overflow: 'reject', idleMs: Infinity },
      startDue: Infinity,
      ...this.spawning,
      ...{ pid, real, label: real.label, parent },
      kind: (real as GenServerProcess).definition.isSupervisor === true ? 'supervisor' : 'server',
    };
    const model = new ProcessModel(setup);
    this.processes.set(pid, model);
    this.trace.note('spawn', pid.toString(), real.label);
    const { deliver, signal } = real;
    real.deliver = (envelope, payload) =>
      this.delivered(model, envelope, payload, () => deliver.call(real, envelope, payload));
    real.signal = (reason, from, isKill = false) =>
      this.signalled(model, reason, from, isKill, () => signal.call(real, reason, from, isKill));
    if (setup.kind === 'supervisor') {
      const { deliverStop } = real;
      real.deliverStop = (envelope, payload) => {
        this.isAskedToStop = model;
        deliverStop.call(real, envelope, payload);
        this.isAskedToStop = undefined;
      };
      const supervisor = this.makeSupervisor(model);
      if (supervisor !== undefined) this.supervisors.set(model, supervisor);
    }
    this.onSpawned(model);
    if (parent !== undefined) this.supervisors.get(parent)?.spawned(model);
  }

  onSpawned: (process: ProcessModel) => void = () => undefined;

  /** A supervisor has no callbacks that tell of its state. */
  sync(p: ProcessModel): void {
    const { real, kind } = p.setup;
    if (kind !== 'supervisor') return;
    p.hasComeUp = (real as GenServerProcess).hasStarted;
    if (p.isAlive && real.status !== 'dead') p.status = real.status;
  }

  private delivered(p: ProcessModel, envelope: Envelope, payload: unknown, run: () => void): void {
    this.commitPending(p);
    this.sync(p);
    if (p.setup.real.status === 'dead') {
      this.check(!(payload instanceof Down), 'L1', () => `a Down for ${p.label}, which has ended`);
      const isTimer = payload instanceof Job && this.timers.entries.some(({ value }) => value.job === payload);
      this.check(!isTimer, 'P8', () => `a timer fired for ${p.label}, which has ended`);
      run();
      return;
    }
    const item = this.identify(p, envelope, payload);
    if (item === undefined) {
      run();
      return;
    }
    this.trace.note('deliver', p.pid.toString(), item.kind, 'job' in item && item.job !== undefined ? item.job.id : '');
    const evicted = p.mailbox.push(item);
    const shed = this.shed;
    if (evicted !== undefined && (evicted.kind === 'call' || evicted.kind === 'request')) {
      evicted.call.expect({ type: 'overloaded' });
    }
    run();
    this.check(this.shed - shed === (evicted === undefined ? 0 : 1), 'P3', () => `${p.label} shed wrongly`);
    if (p.isAlive) this.supervisors.get(p)?.received(item);
  }

  /** What a delivery is, and whether it may come. */
  private identify(p: ProcessModel, envelope: Envelope, payload: unknown): Item | undefined {
    const { cause } = this;
    if (envelope.kind === CALL || envelope.kind === CAST || envelope.kind === SYSTEM || payload instanceof Job) {
      if (
        payload instanceof Job &&
        (cause?.item === undefined || !('job' in cause.item) || cause.item.job !== payload)
      ) {
        return this.timerFired(p, payload);
      }
      return this.sent(p, envelope, payload);
    }
    if (envelope.kind === TERMINATE || payload instanceof Exit) {
      const isIt = cause !== undefined && (cause.type === 'effect' || cause.type === 'noproc') && cause.target === p;
      this.check(isIt && cause.seen++ === 0, 'L1', () => `${p.label} got an exit that nobody sent`);
      if (payload instanceof Exit) {
        return { kind: 'exit', from: payload.from, reason: payload.reason };
      }
      return { kind: 'terminate', reason: payload };
    }
    if (payload instanceof Down) return this.down(p, payload);
    if (payload instanceof Timeout) {
      this.check(p.idleDue <= this.clock.now(), 'T1', () => `${p.label} got a Timeout too early or without asking`);
      this.check(p.mailbox.length === 0, 'T2', () => `${p.label} got a Timeout although a message waits`);
      this.check(!p.busy, 'T1', () => `${p.label} got a Timeout while it was busy`);
      p.idleDue = Infinity;
      return { kind: 'timeout' };
    }
    if (payload instanceof RetryRestart || payload instanceof DynamicRetry) {
      return { kind: 'retry', retry: this.supervisors.get(p)?.retried(payload) };
    }
    this.fail('P3', `${p.label} got something that nobody sent`);
    return undefined;
  }

  private sent(p: ProcessModel, envelope: Envelope, payload: unknown): Item | undefined {
    const { cause } = this;
    const isIt = cause !== undefined && cause.target === p && (cause.type === 'send' || cause.type === 'stop');
    this.check(isIt && cause.seen++ === 0, 'P3', () => `${p.label} got a message that was not sent to it, or twice`);
    if (!isIt) return undefined;
    const { item } = cause;
    if ((item?.kind === 'call' || item?.kind === 'request') && envelope.kind === CALL) {
      item.call.request = envelope as unknown as { isSettled: boolean };
      const asked = (envelope as unknown as { payload: unknown }).payload;
      this.check(item.kind === 'request' || asked === item.job, 'P3', () => 'another request arrived');
    } else if (item?.kind === 'cast' || item?.kind === 'info') {
      this.check(payload === item.job, 'P3', () => 'another message arrived');
    }
    return item;
  }

  private timerFired(p: ProcessModel, job: Job): Item | undefined {
    const now = this.clock.now();
    const entry = this.timers.entries.find(({ value }) => value.job === job);
    if (entry === undefined) {
      this.fail('P3', `${p.label} got job ${job.id} that nobody sent`);
      return undefined;
    }
    this.check(entry.state === 'pending', 'P8', () => `a timer fired that was ${entry.state}`);
    this.check(entry.due <= now, 'K1', () => `a timer fired ${entry.due - now} ms early`);
    this.check(entry.value.target === p, 'P8', () => `a timer for ${entry.value.target.label} reached ${p.label}`);
    this.check(this.timers.overdue(now)[0] === entry, 'K3', () => 'a timer overtook one that was due before');
    entry.state = 'delivered';
    return { kind: 'timer', job };
  }

  private down(p: ProcessModel, { ref, pid, reason }: Down): Item {
    const entry = this.monitors.get(ref);
    if (this.cause?.type === 'noproc' && this.cause.target === p) {
      this.check(this.cause.seen++ === 0 && reason === 'noproc', 'L1', () => 'a monitor of nobody told a wrong thing');
    } else {
      this.check(
        entry?.state === 'on',
        'L1',
        () => `${p.label} got a Down that is not due: ${entry?.state ?? 'unknown'}`,
      );
      this.check(entry?.owner === p, 'L1', () => 'a Down reached somebody else');
      this.check(entry?.target.pid === pid, 'L1', () => 'a Down names somebody else');
      this.check(entry?.target.setup.real.isAlive === false, 'L1', () => 'a Down of a process that lives');
      this.toldReasons.set(ref, reason);
      if (entry !== undefined) entry.state = 'told';
    }
    return { kind: 'down', ref, reason };
  }

  private readonly toldReasons = new Map<Ref, unknown>();

  private signalled(
    p: ProcessModel,
    reason: unknown,
    from: RelatedProcess | null,
    isKill: boolean,
    run: () => void,
  ): void {
    this.commitPending(p);
    this.sync(p);
    const sender = from === null ? undefined : this.of(from.pid);
    this.trace.note('signal', p.pid.toString(), nameOf(reason), isKill ? 'kill' : '');
    this.explainSignal(p, reason, sender, isKill);
    const relation = relationOf(sender, p);
    let effect = p.isFenced ? 'ignore' : signalModel(p.setup, reason, relation, isKill);
    if (effect === 'terminate' && p.status === 'exiting') effect = 'ignore';
    const previous = this.cause;
    const cause: Cause = { type: 'effect', target: p, item: undefined, seen: 0 };
    this.cause = cause;
    run();
    this.cause = previous;
    const expected = effect === 'message' || effect === 'terminate' ? 1 : 0;
    this.check(cause.seen === expected, 'L2', () => `${nameOf(reason)} was not a ${effect} for ${p.label}`);
    if (effect === 'die') p.doom = { reason: isKill ? 'killed' : reason };
    this.check(p.setup.real.isFenced === p.isFenced, 'L2', () => `${p.label}: ${effect} expected of ${nameOf(reason)}`);
  }

  /** Somebody must have sent the signal: an operation, the end of a linked process, a supervisor. */
  private explainSignal(p: ProcessModel, reason: unknown, sender: ProcessModel | undefined, isKill: boolean): void {
    const { cause } = this;
    if (cause?.type === 'exit' && cause.target === p && cause.seen === 0) {
      cause.seen++;
      this.check(sameReason(cause.reason, reason), 'L2', () => 'a signal changed its reason');
      this.check(cause.isKill === isKill, 'L2', () => 'a signal became a kill, or a kill none');
      return;
    }
    const supervisor = p.setup.parent === undefined ? undefined : this.supervisors.get(p.setup.parent);
    if (supervisor?.signalled(p, reason, sender, isKill) === true) return;
    if (sender?.setup.real.isAlive === false && sender !== p) {
      this.check(
        sender.isLinkedTo(p) && !sender.isStoppedBy(p),
        'L2',
        () => `${p.label} heard of the end of ${sender.label}, to which it is not linked`,
      );
      this.check(!sender.signalled.has(p), 'L2', () => `${p.label} heard of the end of ${sender.label} twice`);
      this.check(!isKill, 'L2', () => 'a linked process was killed rather than signalled');
      this.signalReasons.set(sender, reason);
      sender.signalled.add(p);
      return;
    }
    this.fail('L2', `${p.label} got the signal ${nameOf(reason)} from ${sender?.label ?? 'nobody'}, without a cause`);
  }

  private readonly signalReasons = new Map<ProcessModel, unknown>();

  // --- callbacks ----------------------------------------------------------------------------------------------------------

  initBegins(p: ProcessModel): void {
    this.trace.note('init', p.pid.toString());
    this.check(!p.isFenced, 'P7', () => `init of ${p.label} runs although it has ended`);
    this.check(p.status === 'starting' && !p.hasBegun, 'P1', () => `init of ${p.label} runs twice`);
    this.checkContext(p);
    p.hasBegun = true;
    p.busy = true;
  }

  /** A handler begins: it must be the one that is due, alone, with the state as the last one left it. */
  handlerBegins(p: ProcessModel, kind: Item['kind'], payload: unknown, state: unknown): Item | undefined {
    this.commitPending(p, true);
    this.trace.note('handle', p.pid.toString(), kind, payload instanceof Job ? payload.id : '');
    this.check(!p.isFenced, 'P7', () => `${p.label} handles a ${kind} although it has ended`);
    this.check(!p.busy, 'P1', () => `${p.label} handles a ${kind} while another handler is active`);
    this.check(p.status === 'running', 'I10', () => `${p.label} handles a ${kind} while it is ${p.status}`);
    this.check(p.expectedTermination === undefined, 'P7', () => `${p.label} handles a ${kind} instead of ending`);
    this.check(state === p.state, 'P6', () => `${p.label} has another state than its handlers made`);
    this.checkContext(p);
    p.busy = true;
    p.handled++;
    p.cancelIdle();
    if (kind === 'continue') {
      this.check(
        p.continuation !== undefined && p.continuation === payload,
        'P9',
        () => `${p.label} continues for no reason`,
      );
      p.continuation = undefined;
      return { kind: 'continue', job: payload as Job };
    }
    this.check(p.continuation === undefined, 'P9', () => `${p.label} handles a ${kind} before it continues`);
    const item = p.mailbox.shift();
    this.check(item !== undefined && isSame(item, kind, payload), 'P2', () => {
      return `${p.label} handles a ${kind}, but ${item === undefined ? 'nothing' : `a ${item.kind}`} is next`;
    });
    p.call = item?.kind === 'call' ? item.call : undefined;
    return item;
  }

  private checkContext(p: ProcessModel): void {
    this.check(SENDER.getStore() === undefined, 'context', () => `${p.label} runs in a stranger's async context`);
  }

  terminateBegins(p: ProcessModel, reason: unknown, state: unknown): void {
    this.commitPending(p, true);
    this.trace.note('terminate', p.pid.toString(), nameOf(reason));
    this.check(!p.isFenced, 'P7', () => `terminate of ${p.label} runs although it was killed`);
    this.check(p.status === 'running', 'I6', () => `terminate of ${p.label} runs while it is ${p.status}`);
    this.check(!p.busy, 'P1', () => `terminate of ${p.label} runs while a handler is active`);
    this.check(state === p.state, 'R4', () => `terminate of ${p.label} sees another state`);
    this.checkContext(p);
    const why = this.whyItTerminates(p);
    this.check(why !== undefined && sameReason(why.reason, reason), 'E2', () => {
      return `${p.label} terminates with ${nameOf(reason)} rather than ${why === undefined ? 'not at all' : nameOf(why.reason)}`;
    });
    p.status = 'exiting';
    p.busy = true;
    p.continuation = undefined;
    p.cancelIdle();
    p.ending ??= { reason, isDone: false, call: undefined, answer: undefined };
  }

  private whyItTerminates(p: ProcessModel): { readonly reason: unknown } | undefined {
    const { expectedTermination } = p;
    if (expectedTermination !== undefined) {
      p.expectedTermination = undefined;
      return expectedTermination;
    }
    const [first] = p.mailbox.items;
    if (p.continuation === undefined && (first?.kind === 'terminate' || first?.kind === 'stop')) {
      p.mailbox.shift();
      return first;
    }
    const idle = p.setup.idleMs;
    const isPassive = p.mailbox.length === 0 && p.unanswered.size === 0 && p.continuation === undefined;
    if (isPassive && p.quietSince !== undefined && p.quietSince + idle <= this.clock.now()) {
      return { reason: { shutdown: 'idle' } };
    }
    return undefined;
  }

  /** Applies what a callback gave, as soon as the runtime has, or must have, done so. */
  commitPending(p: ProcessModel, isForced = false): void {
    const { pending } = p;
    if (pending === undefined) return;
    const { real } = p.setup;
    if (!isForced && real.isBusy && real.status === p.status && !p.isFenced) return;
    p.pending = undefined;
    if (!p.isFenced) this.commit(p, pending);
  }

  /** A callback has ended: at once, or after it had awaited. */
  callbackEnds(p: ProcessModel, outcome: NonNullable<ProcessModel['pending']>, isSync: boolean): void {
    if (p.isFenced) return;
    p.endedAt = this.clock.now();
    if (isSync && p.status !== 'starting') this.commit(p, outcome);
    else p.pending = outcome;
  }

  private commit(p: ProcessModel, outcome: NonNullable<ProcessModel['pending']>): void {
    this.trace.note('done', p.pid.toString(), outcome.type);
    p.busy = false;
    if (p.status === 'starting') this.commitInit(p, outcome);
    else if (p.status === 'exiting') this.commitTerminate(p, outcome);
    else this.commitHandler(p, outcome);
  }

  private commitInit(p: ProcessModel, outcome: NonNullable<ProcessModel['pending']>): void {
    if (outcome.type === 'ok') {
      p.status = 'running';
      p.state = outcome.state;
      p.hasComeUp = true;
      if (outcome.next.type === 'continue') p.isBetweenTurns = true;
      this.goOn(p, outcome.next);
    } else if (outcome.type === 'ignore') p.startFailure = 'ignore';
    else if (outcome.type === 'refuse') p.startFailure = { exit: 'normal', told: outcome.reason };
    else if (outcome.type === 'stop' || outcome.type === 'fail') {
      p.startFailure = { exit: outcome.reason, told: outcome.reason };
    }
  }

  private commitTerminate(p: ProcessModel, outcome: NonNullable<ProcessModel['pending']>): void {
    p.busy = true;
    p.ending!.isDone = true;
    if (outcome.type === 'fail') p.ending!.reason = outcome.reason;
    p.ending!.call?.expect({ type: 'answer', value: p.ending!.answer });
  }

  private commitHandler(p: ProcessModel, outcome: NonNullable<ProcessModel['pending']>): void {
    const { call } = p;
    if (outcome.type === 'fail') {
      p.expectedTermination = { reason: outcome.reason };
      return;
    }
    if ('state' in outcome) p.state = outcome.state;
    if (outcome.type === 'stop') {
      p.expectedTermination = { reason: outcome.reason };
      if (outcome.answer !== undefined && call !== undefined) {
        p.call = undefined;
        p.ending = { reason: outcome.reason, isDone: false, call, answer: outcome.answer.value };
      }
      return;
    }
    p.call = undefined;
    if (call !== undefined) {
      if (outcome.type === 'reply') call.expect({ type: 'answer', value: outcome.value });
      else if (outcome.type === 'replyError') call.expect({ type: 'error', value: outcome.value });
      else if (call.expected === undefined) p.unanswered.add(call);
    }
    if ('next' in outcome) this.goOn(p, outcome.next);
  }

  private goOn(p: ProcessModel, next: { readonly type: string; readonly ms?: number; readonly job?: Job }): void {
    if (next.type === 'continue') p.continuation = next.job;
    else if (next.type === 'timeout' && !p.hasMessage) p.idleDue = p.endedAt + next.ms!;
    if (p.mailbox.length === 0 && p.continuation === undefined) p.quietSince = p.endedAt;
  }

  // --- the end ------------------------------------------------------------------------------------------------------------

  private exited({ pid, reason }: { readonly pid: Pid; readonly reason: unknown }): void {
    const p = this.of(pid)!;
    this.trace.note('exit', pid.toString(), nameOf(reason));
    this.check(p.isAlive, 'E1', () => `${p.label} ended twice`);
    this.sync(p);
    if (p.doom === undefined) this.commitPending(p, true);
    const why = this.whyItEnds(p);
    this.check(why !== undefined && sameReason(why.reason, reason), 'E2', () => {
      return `${p.label} ended with ${nameOf(reason)} rather than ${why === undefined ? 'not at all' : nameOf(why.reason)}`;
    });
    this.checkEverybodyWasTold(p, reason);
    p.status = 'dead';
    p.exitReason = reason;
    p.busy = false;
    p.expectedTermination = p.continuation = p.pending = undefined;
    for (const name of p.names) if (this.names.get(name) === p) this.names.delete(name);
    this.monitors.ownerEnded(p);
    for (const entry of this.timers.entries)
      if (entry.value.target === p && entry.state === 'pending') entry.state = 'cancelled';
    const told = { type: 'exited', reason } as const;
    for (const item of p.mailbox.clear()) if (item.kind === 'call' || item.kind === 'request') item.call.expect(told);
    p.call?.expect(told);
    p.ending?.call?.expect(told);
    for (const call of p.unanswered) call.expect(told);
    this.onEnded(p);
    this.supervisors.get(p)?.ended();
  }

  private whyItEnds(p: ProcessModel): { readonly reason: unknown } | undefined {
    if (p.doom !== undefined) return p.doom;
    const supervisor = this.supervisors.get(p);
    if (supervisor !== undefined) return supervisor.whyItEnds();
    if (p.startFailure === 'ignore') return { reason: 'normal' };
    if (p.startFailure !== undefined) return { reason: p.startFailure.exit };
    return p.ending?.isDone === true ? p.ending : undefined;
  }

  private checkEverybodyWasTold(p: ProcessModel, reason: unknown): void {
    // The supervisor that stopped it hears of its end in another way.
    if (p.setup.parent !== undefined && p.isStoppedBy(p.setup.parent)) p.unlink(p.setup.parent);
    for (const other of this.live) {
      if (other === p || !other.isLinkedTo(p)) continue;
      this.check(
        p.signalled.has(other),
        'L2',
        () => `${other.label} is linked to ${p.label} and did not hear of its end`,
      );
      other.unlink(p);
    }
    const signalled = this.signalReasons.get(p);
    this.check(signalled === undefined || sameReason(signalled, reason), 'L2', () => 'a link told another reason');
    for (const { owner } of this.monitors.untold(p)) {
      if (owner === p) continue;
      this.fail('L1', `${owner.label} watches ${p.label} and got no Down`);
    }
    for (const [ref, told] of this.toldReasons) {
      if (this.monitors.get(ref)?.target !== p) continue;
      this.toldReasons.delete(ref);
      this.check(sameReason(told, reason), 'L1', () => `a Down of ${p.label} told another reason`);
    }
  }

  // --- time ---------------------------------------------------------------------------------------------------------------

  /** A timer of the platform has fired: what was due must have happened, and nothing else. */
  timerHasFired(): void {
    const now = this.clock.now();
    for (const call of this.calls) {
      if (call.due === Infinity || call.request?.isSettled !== true || call.expected !== undefined) continue;
      this.check(call.due <= now, 'P4', () => `call ${call.id} timed out ${call.due - now} ms early`);
      call.expect({ type: 'timeout' });
      call.target?.unanswered.delete(call);
    }
    for (const p of this.processes.values()) {
      if (p.status === 'starting' && p.doom === undefined && p.setup.startDue <= now && p.setup.real.isFenced) {
        p.doom = { reason: 'killed' };
        p.startFailure = { exit: 'killed', told: 'timeout' };
        p.linkedToParent = false;
      }
    }
  }

  /** A timer, as its own process sees it. */
  checkTimer(entry: TimerEntry<LaterJob>): void {
    const { timer } = entry.value.ref;
    if (timer === undefined) return;
    const left = this.timers.left(entry, this.clock.now());
    const real = readTimer(this.real.runtime, timer);
    this.check(left === real, 'K1', () => `a timer has ${String(real)} ms left rather than ${String(left)}`);
  }
}

function isSame(item: Item, kind: Item['kind'], payload: unknown): boolean {
  if ('job' in item) return kind === (item.kind === 'timer' ? 'info' : item.kind) && item.job === payload;
  if (item.kind !== kind) return false;
  if (item.kind === 'down')
    return payload instanceof Down && payload.ref === item.ref && sameReason(payload.reason, item.reason);
  if (item.kind === 'exit')
    return payload instanceof Exit && payload.from === item.from && sameReason(payload.reason, item.reason);
  return true;
}

/** What the sender of an exit signal is to the process that gets it. */
function relationOf(
  sender: ProcessModel | undefined,
  p: ProcessModel,
): 'parent' | 'ended parent' | 'itself' | 'another' | 'nobody' {
  if (sender === undefined) return 'nobody';
  if (sender === p) return 'itself';
  if (sender !== p.setup.parent) return 'another';
  return sender.setup.real.isAlive ? 'parent' : 'ended parent';
}
