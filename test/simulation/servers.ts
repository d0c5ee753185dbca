import { error, ignore, noReply, ok, reply, replyError, stop } from '../../lib/gen-server/results/callback-result.js';
import { type Behaviour, blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import type { From } from '../../lib/gen-server/process/from.js';
import { Timeout } from '../../lib/gen-server/results/messages.js';
import type { Self } from '../../lib/gen-server/self.js';
import type { ServerBlueprint } from '../../lib/gen-server/definition/server-definition.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import { type Choices, oneIn, pick } from './choices.js';
import { type Ending, Fault, Job, type Modifier } from './job.js';
import type { Item, Next, Outcome, ProcessModel } from './models/process-model.js';
import type { Observer } from './observer.js';

/** A promise that the schedule settles. */
export interface Pause {
  readonly owner: ProcessModel;
  readonly where: string;
  readonly resolve: () => void;
  readonly reject: (error: Fault) => void;
}

/** Who acts: a process in one of its handlers, or code outside of any. */
export interface Actor {
  readonly process: ProcessModel | undefined;
  readonly self: Self | undefined;
}

/** How hostile a world is. */
export interface Temper {
  /** One callback in so many fails; Infinity for none. */
  readonly faultsIn: number;
  readonly handlersAct: boolean;
  /** Handlers may hold the event loop. Not where a supervisor counts restarts, which depends on the time. */
  readonly spins: boolean;
}

const SOUND: readonly Ending[] = ['reply', 'replyState', 'replyState', 'noReply', 'later', 'replyTwice', 'replyError'];
const FAULTY: readonly Ending[] = ['throw', 'stop', 'exit', 'badResult', 'stopReply', 'throwAfterReply'];
const MODIFIERS: readonly Modifier[] = [
  'none',
  'none',
  'none',
  'none',
  'timeout',
  'timeoutZero',
  'continue',
  'hibernate',
];

/** Servers that do what the jobs they are sent say, and tell the observer of every step. */
export class Servers {
  /** What the schedule may settle. */
  readonly pauses: Pause[] = [];
  /** Calls whose answer was left for later, or whose caller is kept for a second one. */
  readonly froms: {
    readonly from: From<unknown>;
    readonly process: ProcessModel;
    readonly job: Job;
    readonly call: Item;
  }[] = [];
  readonly faults = new Set<string>();
  /** What a handler may do besides ending. */
  act: (actor: Actor) => void = () => undefined;
  /** Calls somebody and gives the promise, for a handler that awaits it. */
  ask: (actor: Actor) => Promise<unknown> | undefined = () => undefined;
  private jobs = 0;

  constructor(
    private readonly observer: Observer,
    readonly temper: Temper,
  ) {}

  private get choices(): Choices {
    return this.observer.choices;
  }

  /** Whether a fault of this kind happens here. */
  strikes(fault: string, weight = 1): boolean {
    const { faultsIn } = this.temper;
    if (faultsIn === Infinity || !oneIn(this.choices, Math.ceil(faultsIn / weight))) return false;
    this.faults.add(fault);
    return true;
  }

  newJob(depth = 0): Job {
    const { choices, temper } = this;
    const isFaulty = this.strikes('fails');
    const ending = pick(choices, isFaulty ? FAULTY : SOUND);
    const awaits = pick(choices, [0, 0, 0, 1, 1, 2]);
    const hangs = awaits > 0 && this.strikes('never settles');
    const modifier = depth > 2 ? 'none' : pick(choices, MODIFIERS);
    const acts = temper.handlersAct && depth === 0 ? pick(choices, [0, 0, 1, 2]) : 0;
    const spins = temper.spins && oneIn(choices, 8);
    if (spins) this.faults.add('long handler');
    if (isFaulty) this.faults.add(ending);
    return new Job(++this.jobs, ending, awaits, hangs, modifier, acts, spins);
  }

  /** A server whose callbacks follow the schedule. */
  source(label: string): ServerBlueprint {
    const { definition } = blueprintOfBehaviour(this.behaviour(label));
    return { definition, create: () => blueprintOfBehaviour(this.behaviour(label)).create() };
  }

  /** One for each incarnation: `terminate` is not told whose it is. */
  private behaviour(label: string): Behaviour {
    let process!: ProcessModel;
    return {
      label,
      init: (_args, self) => this.init((process = this.observer.of(self.pid)!)),
      handleCall: (job, from, state, self) => this.handle(self, 'call', job, state, from),
      handleCast: (job, state, self) => this.handle(self, 'cast', job, state),
      handleContinue: (job, _args, state, self) =>
        this.handle(self, 'continue', this.continues.get(job as string), state),
      handleInfo: (message, state, self) => this.handle(self, kindOf(message), message, state),
      terminate: (reason, state) => this.terminate(process, reason, state),
    };
  }

  private readonly continues = new Map<string, Job>();

  // --- init ---------------------------------------------------------------------------------------------------------------

  private init(p: ProcessModel): unknown {
    this.observer.initBegins(p);
    const fails = this.strikes('init fails', 2);
    const how = fails
      ? pick(this.choices, ['throw', 'refuse', 'ignore', 'stop', 'badResult', 'awaitThrow', 'hang'])
      : pick(this.choices, ['ok', 'ok', 'ok', 'await']);
    if (how === 'hang' || how.startsWith('await')) return this.initLater(p, how);
    return this.initEnds(p, how, true);
  }

  private async initLater(p: ProcessModel, how: string): Promise<unknown> {
    try {
      await this.pause(p, 'init', how === 'hang');
    } catch (thrown) {
      this.observer.callbackEnds(p, { type: 'fail', reason: thrown }, false);
      throw thrown;
    }
    return this.initEnds(p, how === 'awaitThrow' ? 'throw' : 'ok', false);
  }

  private initEnds(p: ProcessModel, how: string, isSync: boolean): unknown {
    const ends = (outcome: Outcome): void => this.observer.callbackEnds(p, outcome, isSync);
    if (how === 'throw') {
      const fault = new Fault(0);
      ends({ type: 'fail', reason: fault });
      throw fault;
    }
    if (how === 'badResult') {
      ends({ type: 'fail', reason: { badReturnValue: 42 } });
      return 42;
    }
    if (how === 'refuse') return (ends({ type: 'refuse', reason: 'refused' }), error('refused'));
    if (how === 'ignore') return (ends({ type: 'ignore' }), ignore());
    if (how === 'stop') return (ends({ type: 'stop', reason: 'stopped in init' }), stop('stopped in init'));
    const state = { of: p.label, count: 0 };
    const next = this.next(pick(this.choices, ['none', 'none', 'none', 'timeout', 'continue']));
    ends({ type: 'ok', state, next });
    return this.modified(ok(state), next);
  }

  // --- handlers -----------------------------------------------------------------------------------------------------------

  private handle(self: Self, kind: Item['kind'], message: unknown, state: unknown, from?: From<unknown>): unknown {
    const p = this.observer.of(self.pid)!;
    const item = this.observer.handlerBegins(p, kind, message, state);
    // A message of the system has no job of its own: it is handled in any way that a sent one is.
    const job = message instanceof Job ? message : this.newJob(1);
    if (from !== undefined && item?.kind === 'call') this.froms.push({ from, process: p, job, call: item });
    if (job.spins) this.observer.clock.pass(3);
    const actor = { process: p, self };
    for (let at = 0; at < job.acts; at++) this.act(actor);
    if (job.awaits === 0) return this.end(p, self, job, from, true);
    return this.handleLater(actor, job, from);
  }

  private async handleLater(actor: Actor, job: Job, from: From<unknown> | undefined): Promise<unknown> {
    const p = actor.process!;
    try {
      for (let left = job.awaits; left > 0; left--) {
        const asked = job.acts > 1 && !job.hangs ? this.ask(actor) : undefined;
        await (asked ?? this.pause(p, 'handler', job.hangs && left === 1));
        if (p.isFenced) this.faults.add('goes on after its end');
        for (let at = 0; at < job.acts; at++) this.act(actor);
      }
    } catch (thrown) {
      this.observer.callbackEnds(p, { type: 'fail', reason: thrown }, false);
      throw thrown;
    }
    return this.end(p, actor.self!, job, from, false);
  }

  private end(p: ProcessModel, self: Self, job: Job, from: From<unknown> | undefined, isSync: boolean): unknown {
    const { ending, id } = job;
    const ends = (outcome: Outcome): void => this.observer.callbackEnds(p, outcome, isSync);
    if (ending === 'throw' || ending === 'throwAfterReply') {
      if (ending === 'throwAfterReply' && from !== undefined) this.answer(p, from, id);
      const fault = new Fault(id);
      ends({ type: 'fail', reason: fault });
      throw fault;
    }
    if (ending === 'exit') {
      const reason = pick(this.choices, ['normal', 'shutdown', 'boom']);
      ends({ type: 'fail', reason });
      return self.exit(reason);
    }
    if (ending === 'badResult') {
      ends({ type: 'fail', reason: { badReturnValue: 42 } });
      return 42;
    }
    if (ending === 'stop' || ending === 'stopReply') {
      const reason = pick(this.choices, ['normal', 'shutdown', 'boom', 'normal']);
      if (ending === 'stopReply' && from !== undefined) {
        ends({ type: 'stop', reason, answer: { value: id } });
        return stop(reason).reply(id);
      }
      ends({ type: 'stop', reason });
      return stop(reason);
    }
    return this.goOn(p, job, from, ends);
  }

  private goOn(p: ProcessModel, job: Job, from: From<unknown> | undefined, ends: (outcome: Outcome) => void): unknown {
    const { ending, id } = job;
    const next = this.next(job.modifier);
    const state = ending === 'replyState' ? { of: p.label, count: p.handled } : undefined;
    const states = state === undefined ? [] : ([state] as const);
    const kept = state === undefined ? {} : { state };
    if (from === undefined || ending === 'noReply') {
      ends({ type: 'noReply', ...kept, next });
      return this.modified(noReply(...(states as [unknown])), next);
    }
    if (ending === 'later') {
      ends({ type: 'noReply', ...kept, next });
      return this.modified(from.later(...(states as [unknown])), next);
    }
    if (ending === 'replyError') {
      const value = new Fault(-id);
      ends({ type: 'replyError', value, ...kept, next });
      return this.modified(replyError(value), next);
    }
    if (ending === 'replyTwice') {
      this.faults.add('replies twice');
      this.answer(p, from, `first ${id}`);
    }
    ends({ type: 'reply', value: id, ...kept, next });
    return this.modified(state === undefined ? reply(id) : reply(id, state), next);
  }

  /** Answers through `from`, at once or later. */
  answer(p: ProcessModel, from: From<unknown>, value: unknown): void {
    this.observer.commitPending(p);
    const entry = this.froms.find((other) => other.from === from);
    if (entry?.call.kind === 'call' && !p.isFenced) {
      entry.call.call.expect({ type: 'answer', value });
      p.unanswered.delete(entry.call.call);
    }
    from.reply(value);
  }

  private next(modifier: Modifier): Next {
    if (modifier === 'timeout') return { type: 'timeout', ms: pick(this.choices, [10, 50]) };
    if (modifier === 'timeoutZero') return { type: 'timeout', ms: 0 };
    if (modifier === 'hibernate') return { type: 'hibernate' };
    if (modifier === 'continue') return { type: 'continue', job: this.newJob(3) };
    return { type: 'none' };
  }

  private modified(result: unknown, next: Next): unknown {
    const modifiable = result as { timeout(ms: number): unknown; hibernate(): unknown; continue(tag: string): unknown };
    if (next.type === 'timeout') return modifiable.timeout(next.ms);
    if (next.type === 'hibernate') return modifiable.hibernate();
    if (next.type !== 'continue') return result;
    const tag = `job ${next.job.id}`;
    this.continues.set(tag, next.job);
    return modifiable.continue(tag);
  }

  // --- terminate ----------------------------------------------------------------------------------------------------------

  private terminate(p: ProcessModel, reason: unknown, state: unknown): unknown {
    this.observer.terminateBegins(p, reason, state);
    const how = this.strikes('terminate fails', 2)
      ? pick(this.choices, ['throw', 'awaitThrow', 'hang'])
      : pick(this.choices, ['plain', 'plain', 'await']);
    if (how === 'hang') this.faults.add('terminate hangs');
    if (how === 'hang' || how.startsWith('await')) return this.terminateLater(p, how);
    return this.terminateEnds(p, how, true);
  }

  private async terminateLater(p: ProcessModel, how: string): Promise<void> {
    try {
      await this.pause(p, 'terminate', how === 'hang');
    } catch (thrown) {
      this.observer.callbackEnds(p, { type: 'fail', reason: thrown }, false);
      throw thrown;
    }
    this.terminateEnds(p, how === 'awaitThrow' ? 'throw' : 'plain', false);
  }

  private terminateEnds(p: ProcessModel, how: string, isSync: boolean): void {
    if (how === 'throw') {
      const fault = new Fault(-1);
      this.observer.callbackEnds(p, { type: 'fail', reason: fault }, isSync);
      throw fault;
    }
    this.observer.callbackEnds(p, { type: 'noReply', next: { type: 'none' } }, isSync);
  }

  private pause(owner: ProcessModel, where: string, hangs: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      if (hangs) return;
      const pause: Pause = {
        owner,
        where,
        resolve: () => (this.drop(pause), resolve()),
        reject: (thrown) => (this.drop(pause), reject(thrown)),
      };
      this.pauses.push(pause);
    });
  }

  private drop(pause: Pause): void {
    this.pauses.splice(this.pauses.indexOf(pause), 1);
  }
}

function kindOf(message: unknown): Item['kind'] {
  if (message instanceof Down) return 'down';
  if (message instanceof Exit) return 'exit';
  return message instanceof Timeout ? 'timeout' : 'info';
}
