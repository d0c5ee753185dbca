import { call, cast, exit, send, sendAfter as sendLater, stop } from '../../lib/gen-server/client/client.js';
import type { Destination } from '../../lib/gen-server/client/destination.js';
import { spawn } from '../../lib/gen-server/client/start.js';
import type { Ref } from '../../lib/runtime/pid.js';
import { cancelTimer } from '../../lib/runtime/timers.js';
import type { Registry } from '../../lib/registry/registry.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { type Choices, oneIn, pick } from './choices.js';
import { Job } from './job.js';
import { CallModel } from './models/call-model.js';
import type { Item, ProcessModel, ProcessSetup } from './models/process-model.js';
import { RegistryModel } from './models/registry-model.js';
import { type Cause, nameOf, type Observer, sameReason, SENDER } from './observer.js';
import type { Actor, Servers } from './servers.js';

/** Somebody waits for the end of a process, or for its start. */
export interface Awaited {
  readonly process: ProcessModel;
  readonly what: 'stop' | 'start';
  isSettled: boolean;
}

export const OUTSIDE: Actor = { process: undefined, self: undefined };
const KEYS = ['k1', 'k2'];

/** What can be done in a world of servers, by a handler or from outside. Each says what has to come of it before it does it. */
export class Operations {
  readonly performed = new Set<string>();
  readonly awaited: Awaited[] = [];
  /** The local names that were ever held. */
  readonly namesUsed = new Set<string>();
  readonly registry: Registry<string, number>;
  readonly registryModel = new RegistryModel<string, ProcessModel>(true);
  private readonly refs: { readonly ref: Ref; readonly owner: ProcessModel; readonly target: ProcessModel }[] = [];
  private started = 0;
  private readonly clients: number;

  constructor(
    private readonly observer: Observer,
    private readonly servers: Servers,
  ) {
    this.registry = observer.real.registries.create('r', { keys: 'unique' });
    this.clients = 3;
    observer.onEnded = (process) => this.registryModel.ended(process);
    servers.act = (actor) => this.act(actor);
    servers.ask = (actor) => (oneIn(this.choices, 2) ? this.call(actor, false) : undefined);
  }

  private get choices(): Choices {
    return this.observer.choices;
  }

  /** One operation of a client, in an async context of its own that no handler may see. */
  byClient(): void {
    SENDER.run(1 + this.choices.next(this.clients), () => {
      const { observer } = this;
      pick(this.choices, [
        () => this.call(OUTSIDE, true),
        () => this.call(OUTSIDE, true),
        () => this.call(OUTSIDE, true),
        () => this.cast(OUTSIDE),
        () => this.cast(OUTSIDE),
        () => this.send(OUTSIDE),
        () => this.sendAfter(OUTSIDE),
        () => this.cancel(OUTSIDE),
        () => this.stop(),
        () => this.exit(OUTSIDE),
        () => this.start(undefined),
        () => this.lateAnswer(),
        () => this.readTimers(),
      ])();
      observer.check(SENDER.getStore() !== undefined, 'context', () => 'an operation lost its own context');
    });
  }

  /** What makes servers fail and end. */
  hurt(): void {
    SENDER.run(1, () => {
      pick(this.choices, [
        () => this.cast(OUTSIDE),
        () => this.exit(OUTSIDE),
        () => this.exit(OUTSIDE),
        () => this.stop(),
      ])();
    });
  }

  private act(actor: Actor): void {
    pick(this.choices, [
      () => this.send(actor),
      () => this.monitor(actor),
      () => this.monitor(actor),
      () => this.cast(actor),
      () => this.demonitor(actor),
      () => this.demonitor(actor),
      () => this.link(actor),
      () => this.unlink(actor),
      () => this.sendAfter(actor),
      () => this.cancel(actor),
      () => this.register(actor),
      () => this.exit(actor),
      () => this.start(actor),
      () => this.lateAnswer(),
    ])();
  }

  // --- whom -------------------------------------------------------------------------------------------------------------

  /** Somebody who lives, or has ended not long ago; by name where there is one. */
  private target(): { readonly process: ProcessModel | undefined; readonly destination: Destination } | undefined {
    const { observer, choices } = this;
    const candidates = [...observer.processes.values()].filter(({ setup }) => setup.kind === 'server').slice(-6);
    if (candidates.length === 0) return undefined;
    const process = pick(choices, candidates);
    const [name] = process.names;
    if (name === undefined || oneIn(choices, 2)) return { process, destination: process.pid };
    return { process: observer.names.get(name), destination: this.destinationOf(name) };
  }

  private destinationOf(name: string): Destination {
    return KEYS.includes(name) ? { via: this.registry, key: name } : name;
  }

  private note(what: string, process: ProcessModel | undefined, job?: Job): void {
    this.performed.add(what);
    if (process !== undefined && !process.isAlive) this.servers.faults.add('receiver is dead');
    const shape = job === undefined ? '' : `job ${job.id} ${job.ending} ${job.awaits} ${job.modifier}`;
    this.observer.trace.note(what, process?.label ?? 'nobody', process?.pid.toString() ?? '', shape);
  }

  /** What a process sends when it has ended arrives nowhere. */
  private effective(actor: Actor, target: ProcessModel | undefined): ProcessModel | undefined {
    return actor.process?.isFenced === true ? undefined : target;
  }

  // --- messages -----------------------------------------------------------------------------------------------------------

  private send(actor: Actor): void {
    const target = this.target();
    if (target === undefined) return;
    const job = this.servers.newJob(1);
    const receiver = this.effective(actor, target.process);
    this.note('send', target.process, job);
    this.observer.causing({ type: 'send', target: receiver, item: { kind: 'info', job } }, () => {
      try {
        if (actor.self === undefined) send(this.observer.real.runtime, target.destination, job);
        else actor.self.send(target.destination, job);
      } catch (error) {
        this.observer.check(
          codeOf(error) === 'NO_PROCESS' && receiver === undefined,
          'C8',
          () => `send threw ${String(error)}`,
        );
      }
    });
  }

  private cast(actor: Actor): void {
    const target = this.target();
    // A cast of the core has no sender, so one by a handler whose process has ended still arrives: such handlers use their `self` only.
    if (target === undefined || actor.process?.isFenced === true) return;
    const job = this.servers.newJob(1);
    this.note('cast', target.process, job);
    this.observer.causing({ type: 'send', target: target.process, item: { kind: 'cast', job } }, () =>
      cast(this.observer.real.runtime, target.destination, job),
    );
  }

  private call(actor: Actor, mayWaitForever: boolean): Promise<unknown> | undefined {
    const target = this.target();
    if (target === undefined) return undefined;
    const { observer } = this;
    const job = this.servers.newJob();
    const timeoutMs = pick(this.choices, mayWaitForever ? [5_000, 20, 50, 0, Infinity] : [20, 50]);
    const model = new CallModel(job.id, job, target.process, observer.clock.now() + timeoutMs);
    observer.calls.push(model);
    this.note('call', target.process, job);
    const { current } = observer.real.runtime;
    const isSelf = current !== null && current === target.process?.setup.real;
    let promise!: Promise<unknown>;
    const receiver = isSelf ? undefined : target.process;
    if (receiver?.isAlive !== true) model.expect({ type: isSelf && target.process.isAlive ? 'self' : 'noproc' });
    observer.causing({ type: 'send', target: receiver, item: { kind: 'call', job, call: model } }, () => {
      promise = call(observer.real.runtime, target.destination, job, [], { timeoutMs });
    });
    promise.then(
      (value) => this.settled(model, value, undefined),
      (error: unknown) => this.settled(model, undefined, error ?? 'nothing'),
    );
    return promise;
  }

  /** A call has settled: once, and as the model says. */
  settled(call: CallModel, value: unknown, error: unknown): void {
    const { observer } = this;
    if (call.target !== undefined) {
      observer.commitPending(call.target);
      const supervisor = call.target.isAlive ? observer.supervisors.get(call.target) : undefined;
      supervisor?.advance(() => call.expected !== undefined);
      if (call.expected === undefined) supervisor?.couldNotStart(error);
      supervisor?.advance(() => call.expected !== undefined);
    }
    observer.trace.note('settled', call.id, error === undefined ? 'with an answer' : nameOf(error));
    observer.check(!call.isSettled, 'P4', () => `call ${call.id} settled twice`);
    call.isSettled = true;
    const { expected } = call;
    if (expected === undefined) {
      observer.fail('P4', `call ${call.id} settled without a cause: ${nameOf(error ?? value)}`);
      return;
    }
    const matches =
      expected.type === 'answer'
        ? error === undefined && sameReason(expected.value, value)
        : expected.type === 'error'
          ? error === expected.value
          : expected.type === 'exited'
            ? codeOf(error) === 'SERVER_EXITED' && sameReason((error as { reason: unknown }).reason, expected.reason)
            : codeOf(error) === (expected.type === 'named' ? expected.name : CODES[expected.type]);
    observer.check(matches, expected.type === 'answer' ? 'P5' : 'P4', () => {
      return `call ${call.id} settled with ${nameOf(error ?? value)}, not as ${nameOf(expected)}`;
    });
  }

  private lateAnswer(): void {
    const { froms } = this.servers;
    if (froms.length === 0) return;
    const entry = pick(this.choices, froms);
    this.note('late answer', entry.process);
    this.servers.faults.add(entry.process.isFenced ? 'answers after its end' : 'answers late');
    this.servers.answer(entry.process, entry.from, `late ${entry.job.id}`);
  }

  // --- timers -------------------------------------------------------------------------------------------------------------

  private sendAfter(actor: Actor): void {
    const target = this.target();
    if (target?.process === undefined) return;
    const { observer } = this;
    const job = this.servers.newJob(1);
    const delayMs = pick(this.choices, [10, 1, 50, 0, 10]);
    this.note('sendAfter', target.process, job);
    const ref: { timer: ReturnType<typeof sendLater> | undefined } = { timer: undefined };
    const receiver = this.effective(actor, target.process);
    if (receiver !== undefined && receiver.isAlive) {
      observer.timers.arm({ job, target: receiver, ref }, observer.clock.now(), delayMs);
    }
    const { pid } = target.process;
    ref.timer =
      actor.self === undefined
        ? sendLater(observer.real.runtime, pid, job, delayMs)
        : actor.self.sendAfter(pid, job, delayMs);
  }

  private cancel(actor: Actor): void {
    const { observer } = this;
    const entries = observer.timers.entries.slice(-4);
    if (entries.length === 0 || actor.process?.isFenced === true) return;
    const entry = pick(this.choices, entries);
    this.note('cancelTimer', entry.value.target);
    const left = observer.timers.cancel(entry, observer.clock.now());
    const timer = entry.value.ref.timer!;
    const real = actor.self === undefined ? cancelTimer(observer.real.runtime, timer) : actor.self.cancelTimer(timer);
    observer.check(left === real, 'K1', () => `cancelTimer answered ${String(real)} rather than ${String(left)}`);
  }

  private readTimers(): void {
    this.note('readTimer', undefined);
    for (const entry of this.observer.timers.entries) this.observer.checkTimer(entry);
  }

  // --- links, monitors, signals ---------------------------------------------------------------------------------------------

  private monitor(actor: Actor): void {
    const target = this.target();
    if (target === undefined) return;
    const { observer } = this;
    const owner = actor.process!;
    const { process } = target;
    this.note('monitor', process);
    if (process?.isAlive === true && !owner.isFenced) {
      const ref = actor.self!.monitor(target.destination);
      observer.monitors.add(ref, owner, process);
      this.refs.push({ ref, owner, target: process });
      return;
    }
    const receiver = owner.isFenced ? undefined : owner;
    observer.causing({ type: 'noproc', target: receiver, item: undefined }, () =>
      actor.self!.monitor(target.destination),
    );
  }

  private demonitor(actor: Actor): void {
    if (this.refs.length === 0) return;
    const { observer } = this;
    const owner = actor.process!;
    const own = this.refs.filter((other) => other.owner === owner);
    const { ref, target } = pick(this.choices, own.length === 0 ? this.refs : own);
    const flush = oneIn(this.choices, 2);
    this.note(flush ? 'demonitor and flush' : 'demonitor', target);
    const wasOn = !owner.isFenced && observer.monitors.stop(owner, ref);
    if (!wasOn && flush && !owner.isFenced) owner.mailbox.remove((item) => item.kind === 'down' && item.ref === ref);
    const real = actor.self!.demonitor(ref, { flush });
    observer.check(real === wasOn, 'L1', () => `demonitor answered ${real} rather than ${wasOn}`);
  }

  private link(actor: Actor): void {
    const target = this.target();
    if (target === undefined) return;
    const owner = actor.process!;
    this.note('link', target.process);
    if (target.process?.isAlive === true) {
      if (!owner.isFenced) owner.link(target.process);
      actor.self!.link(target.destination);
      return;
    }
    // What a link to nobody does to one that does not trap is an error of the handler's; only the other case is tried.
    if (owner.isFenced || !owner.setup.traps) return;
    const cause: Omit<Cause, 'seen'> = { type: 'noproc', target: owner, item: undefined };
    this.observer.causing(cause, () => actor.self!.link(target.destination));
  }

  private unlink(actor: Actor): void {
    const target = this.target();
    if (target === undefined) return;
    const owner = actor.process!;
    this.note('unlink', target.process);
    if (target.process !== undefined && !owner.isFenced) owner.unlink(target.process);
    actor.self!.unlink(target.destination);
  }

  private exit(actor: Actor): void {
    const target = this.target();
    if (target === undefined) return;
    const reason = pick(this.choices, ['normal', 'shutdown', 'boom', 'kill']);
    this.signal(actor, target.process, target.destination, reason);
  }

  signal(actor: Actor, process: ProcessModel | undefined, destination: Destination, reason: string): void {
    const { observer } = this;
    const receiver = this.effective(actor, process);
    this.note('exit', process);
    observer.trace.note('with', reason);
    this.servers.faults.add(reason === 'kill' ? 'kill' : 'exit signal');
    const cause = { type: 'exit', target: receiver, item: undefined, reason, isKill: reason === 'kill' } as const;
    observer.causing(cause, () => {
      try {
        if (actor.self === undefined) exit(observer.real.runtime, destination, reason, null);
        else actor.self.exit(destination, reason);
      } catch (error) {
        observer.check(
          codeOf(error) === 'NO_PROCESS' && receiver === undefined,
          'C8',
          () => `exit threw ${String(error)}`,
        );
      }
    });
  }

  // --- names --------------------------------------------------------------------------------------------------------------

  private register(actor: Actor): void {
    const { observer, registry, registryModel } = this;
    const owner = actor.process!;
    const key = pick(this.choices, KEYS);
    const value = this.choices.next(100);
    const what = pick(this.choices, ['register', 'register', 'unregister', 'updateValue']);
    this.note(what, owner);
    if (what === 'unregister') {
      if (!owner.isFenced) registryModel.unregister(owner, key);
      if (!owner.isFenced && observer.names.get(key) === owner) observer.names.delete(key);
      registry.unregister(actor.self!, key);
      return;
    }
    if (what === 'updateValue') {
      const before = owner.isFenced ? undefined : registryModel.update(owner, key, value);
      const real = registry.updateValue(actor.self!, key, () => value);
      observer.check(
        real?.oldValue === before,
        'R1',
        () => `updateValue found ${String(real?.oldValue)}, not ${before}`,
      );
      return;
    }
    const isFree = owner.isFenced || registryModel.register(owner, key, value);
    if (!owner.isFenced && isFree) {
      observer.names.set(key, owner);
      owner.names.push(key);
    }
    let isTaken = false;
    try {
      registry.register(actor.self!, key, value);
    } catch (error) {
      isTaken = codeOf(error) === 'ALREADY_REGISTERED';
    }
    observer.check(
      isTaken === !isFree,
      'R1',
      () => `a key that is ${isFree ? 'free' : 'taken'} could ${isTaken ? 'not ' : ''}be registered`,
    );
  }

  // --- start and stop -------------------------------------------------------------------------------------------------------

  start(actor: Actor | undefined): void {
    if (this.observer.live.length >= 5) return;
    const { observer, choices } = this;
    const parent = actor?.process;
    const runtime = observer.real.runtime;
    const name = pick(choices, [undefined, 'n1', 'n2', 'k1', undefined]);
    const traps = oneIn(choices, 3);
    const bound = oneIn(choices, 5) ? { limit: 1 + choices.next(2), overflow: pick(choices, OVERFLOWS) } : undefined;
    const idleMs = oneIn(choices, 6) ? 30 : Infinity;
    const startTimeoutMs = oneIn(choices, 4) ? 20 : Infinity;
    const drain = !oneIn(choices, 4);
    const label = `s${++this.started}`;
    if (parent?.isFenced === true) return;
    this.note(parent === undefined ? 'start' : 'startLink', parent);
    const isTaken = name !== undefined && observer.names.has(name);
    const startDue = observer.clock.now() + startTimeoutMs;
    const setup: Partial<ProcessSetup> = { traps, drains: drain, idleMs, startDue, ...bound };
    observer.spawning = setup;
    const options = {
      ...(name === undefined ? {} : { name: this.destinationOf(name) as ServerName }),
      ...{ trapExit: traps, drain, idleMs, startTimeoutMs },
      ...(bound === undefined ? {} : { maxMailbox: bound }),
    };
    try {
      const { process, outcome } = spawn(runtime, this.servers.source(label), options, {
        parent: parent?.setup.real ?? null,
      });
      observer.check(!isTaken, 'R1', () => `${label} took the name ${name}, which is held`);
      const model = observer.of(process.pid)!;
      if (name !== undefined) this.tookName(model, name);
      this.follow(model, outcome);
    } catch (error) {
      observer.check(
        isTaken && codeOf(error) === 'ALREADY_STARTED',
        'R1',
        () => `${label} could not start: ${String(error)}`,
      );
    }
    observer.spawning = undefined;
  }

  private tookName(model: ProcessModel, name: string): void {
    model.names.push(name);
    this.observer.names.set(name, model);
    if (!KEYS.includes(name)) this.namesUsed.add(name);
    if (KEYS.includes(name)) this.registryModel.register(model, name, undefined as never);
  }

  private follow(
    process: ProcessModel,
    outcome: Promise<{ readonly status: string; readonly reason?: unknown }>,
  ): void {
    const awaited: Awaited = { process, what: 'start', isSettled: false };
    this.awaited.push(awaited);
    void outcome.then((result) => {
      awaited.isSettled = true;
      this.observer.commitPending(process);
      const { startFailure } = process;
      const expected =
        startFailure === 'ignore' ? 'ignore' : startFailure !== undefined || !process.hasComeUp ? 'error' : 'ok';
      this.observer.check(
        result.status === expected,
        'I1',
        () => `start of ${process.label}: ${result.status}, not ${expected}`,
      );
      if (result.status !== 'error' || expected !== 'error') return;
      const told = typeof startFailure === 'object' ? startFailure.told : process.exitReason;
      this.observer.check(sameReason(told, result.reason), 'I5', () => {
        return `start of ${process.label} failed with ${nameOf(result.reason)}, not ${nameOf(told)}`;
      });
    });
  }

  private stop(): void {
    const target = this.target();
    if (target === undefined) return;
    this.stopProcess(target.process, target.destination, pick(this.choices, ['normal', 'shutdown', 'boom']));
  }

  stopProcess(process: ProcessModel | undefined, destination: Destination, reason: string): void {
    const { observer } = this;
    this.note('stop', process);
    let promise!: Promise<void>;
    const item: Item = { kind: 'stop', reason };
    observer.causing({ type: 'stop', target: process, item }, () => {
      promise = stop(observer.real.runtime, destination, reason);
    });
    if (process?.isAlive !== true) {
      promise.catch((error: unknown) =>
        observer.check(codeOf(error) === 'NO_PROCESS', 'E10', () => `stop: ${String(error)}`),
      );
      return;
    }
    const awaited: Awaited = { process, what: 'stop', isSettled: false };
    this.awaited.push(awaited);
    const ended = (isAsAsked: boolean): void => {
      awaited.isSettled = true;
      observer.check(!process.isAlive, 'E10', () => `stop of ${process.label} settled before its end`);
      observer.check(
        isAsAsked === sameReason(process.exitReason, reason),
        'E10',
        () => `stop of ${process.label} told wrongly`,
      );
    };
    promise.then(
      () => ended(true),
      () => ended(false),
    );
  }
}

const OVERFLOWS = ['reject', 'drop_newest', 'drop_oldest'] as const;

const CODES: Readonly<Record<string, string>> = {
  timeout: 'CALL_TIMEOUT',
  noproc: 'NO_PROCESS',
  overloaded: 'OVERLOADED',
  self: 'CALLING_SELF',
};

export function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined;
}
