import {
  type CallResult,
  type CastResult,
  Down,
  error,
  From,
  GenServer,
  GenServerBase,
  GenServerClient,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  ignore,
  type InitResult,
  noReply,
  ok,
  reply,
  replyError,
  stop,
} from 'nestjs-genserver';
import { expectType } from './expect-type.js';

type Status = { status: 'initializing' } | { status: 'ready'; count: number; items: number[] };

// --- a state that is a union: literals stay literals ---------------------------------------------------------------------

@GenServer()
export class Stateful extends GenServerBase<Status> {
  override init(_id: string) {
    return ok({ status: 'initializing' }).continue('load', 1);
  }

  @HandleContinue('load')
  protected load(count: number) {
    return noReply({ status: 'ready', count, items: [] });
  }

  @HandleCast()
  becomeReady() {
    return noReply({ status: 'ready', count: 1, items: [1] });
  }

  @HandleCast()
  async becomeReadyLater(count: number) {
    await Promise.resolve();
    return noReply({ status: 'ready', count, items: [count] });
  }

  @HandleCall()
  async manyWays(yes: boolean) {
    await Promise.resolve();
    if (yes) return replyError(new Error('no'));
    if (this.state.status === 'ready') return stop('normal').reply('bye' as const);
    return reply(1, { status: 'ready', count: 2, items: [] }).timeout(5);
  }

  @HandleCall()
  narrowed() {
    if (this.state.status === 'initializing') return reply(null);
    expectType<typeof this.state.count, number>(true);
    return reply(this.state.count, { ...this.state, count: this.state.count + 1 });
  }

  @HandleCall()
  later() {
    const from = this.from<number>();
    return from.later({ status: 'initializing' }).timeout(1_000);
  }

  @HandleCall()
  refuseWithState() {
    return replyError('busy', { status: 'initializing' });
  }

  @HandleCall()
  stopWithState() {
    return stop({ shutdown: 'done' }, { status: 'initializing' }).reply(true);
  }

  @HandleCast()
  stopOrGoOn(yes: boolean) {
    return yes ? stop('normal') : noReply().hibernate();
  }

  // @ts-expect-error no state of this server has the status 'raedy'
  @HandleCast()
  misspelt() {
    return noReply({ status: 'raedy', count: 1, items: [] });
  }

  // @ts-expect-error a state that is ready has a count
  @HandleCast()
  incomplete() {
    return noReply({ status: 'ready', items: [] });
  }

  // @ts-expect-error the state of a reply has to fit as well
  @HandleCall()
  replyWithWrongState() {
    return reply(1, { status: 'gone' });
  }

  // @ts-expect-error and that of a refusal
  @HandleCall()
  refuseWithWrongState() {
    return replyError(new Error('no'), { status: 'gone' });
  }

  // @ts-expect-error and that of an answer to come
  @HandleCall()
  laterWithWrongState() {
    return this.from<number>().later({ status: 'gone' });
  }

  // @ts-expect-error and that of a stop
  @HandleCast()
  stopWithWrongState() {
    return stop('normal', { status: 'gone' });
  }

  // @ts-expect-error and that of a continue
  @HandleContinue('other')
  protected continueWithWrongState() {
    return noReply({ status: 'gone' });
  }

  // @ts-expect-error and that of an info
  @HandleInfo('tick')
  protected infoWithWrongState() {
    return noReply({ status: 'gone' });
  }

  // @ts-expect-error one of several ways out does not fit
  @HandleCall()
  async oneOfManyWaysIsWrong(yes: boolean) {
    if (yes) return reply(1);
    return reply(2, { status: 'gone' });
  }
}

// --- what the compiler knows nothing of passes -----------------------------------------------------------------------------

/* eslint-disable @typescript-eslint/no-explicit-any -- that is what is tried here */
@GenServer()
export class Unknowing extends GenServerBase<unknown> {
  @HandleCall() parsed(text: string) {
    return reply(JSON.parse(text), JSON.parse(text));
  }
  @HandleCall() anyResult(result: any) {
    return result;
  }
  @HandleCast() anyOutcome(result: any) {
    return result;
  }
  @HandleCall() stopped(value: any) {
    return stop('normal').reply(value);
  }
}
expectType<ReturnType<GenServerClient<Unknowing>['parsed']>, Promise<any>>(true);
/* eslint-enable @typescript-eslint/no-explicit-any */

// --- the types of results ------------------------------------------------------------------------------------------------

export const replies = {
  literal: reply('ok' as const),
  widened: reply('ok'),
  object: reply({ left: 3 }),
};

@GenServer()
export class Replies extends GenServerBase<readonly string[]> {
  @HandleCall() literal() {
    return reply('ok' as const, ['x']);
  }
  @HandleCall() either(yes: boolean) {
    return yes ? reply(1) : reply('one' as const);
  }
  @HandleCall() nothing() {
    return reply(undefined);
  }
  @HandleCall() stateItself() {
    return reply(this.state);
  }
  @HandleCall() tuple() {
    return reply([1, 'a'] as [number, string]);
  }
  @HandleCall() annotated(): CallResult<number, readonly string[]> {
    return reply(1, []);
  }
  @HandleCall() onlyRefuses() {
    return replyError(new Error('never'));
  }
  @HandleCall() answersLater() {
    return this.from<{ at: Date }>().later();
  }
  @HandleCall() lastAnswer() {
    return stop('normal').reply(42);
  }
  @HandleCast() annotatedCast(): CastResult<readonly string[]> {
    return noReply([]);
  }
}
expectType<ReturnType<GenServerClient<Replies>['literal']>, Promise<'ok'>>(true);
expectType<ReturnType<GenServerClient<Replies>['either']>, Promise<number | 'one'>>(true);
expectType<ReturnType<GenServerClient<Replies>['nothing']>, Promise<undefined>>(true);
expectType<ReturnType<GenServerClient<Replies>['stateItself']>, Promise<readonly string[]>>(true);
expectType<ReturnType<GenServerClient<Replies>['tuple']>, Promise<[number, string]>>(true);
expectType<ReturnType<GenServerClient<Replies>['annotated']>, Promise<number>>(true);
expectType<ReturnType<GenServerClient<Replies>['onlyRefuses']>, Promise<never>>(true);
expectType<ReturnType<GenServerClient<Replies>['answersLater']>, Promise<{ at: Date }>>(true);
expectType<ReturnType<GenServerClient<Replies>['lastAnswer']>, Promise<number>>(true);
expectType<ReturnType<GenServerClient<Replies>['annotatedCast']>, void>(true);

// --- states of other forms -----------------------------------------------------------------------------------------------

interface Item {
  readonly name: string;
  readonly price: number;
}

@GenServer()
export class Cart extends GenServerBase<readonly Item[]> {
  override init() {
    return ok([]);
  }
  @HandleCall() add(name: string, price: number) {
    return reply('ok' as const, [...this.state, { name, price }]);
  }
  @HandleCast() clear() {
    return noReply([]);
  }
  // @ts-expect-error an item has a price
  @HandleCast()
  addHalf() {
    return noReply([{ name: 'half' }]);
  }
}

@GenServer()
export class Entries extends GenServerBase<ReadonlyMap<string, number>> {
  override init(initial: Record<string, number> = {}) {
    return ok(new Map(Object.entries(initial)));
  }
  @HandleCast() put(key: string, value: number) {
    return noReply(new Map(this.state).set(key, value));
  }
  // @ts-expect-error the values are numbers
  @HandleCast()
  putText(key: string) {
    return noReply(new Map<string, string>([[key, '1']]));
  }
}

@GenServer()
export class Optional extends GenServerBase<Item | undefined> {
  override init() {
    return ok(undefined);
  }
  @HandleCast() set(item: Item) {
    return noReply(item);
  }
  @HandleCast() unset() {
    return noReply(undefined);
  }
}

@GenServer()
export class Count extends GenServerBase<number> {
  override init(first = 0) {
    return ok(first);
  }
  @HandleCall() add(by: number) {
    return reply(this.state + by, this.state + by);
  }
}

/** A state that holds what is no plain data: functions, dates, classes, a caller to be answered. */
interface Held {
  readonly since: Date;
  readonly waiting: From<number>[];
  readonly notify: (text: string) => void;
  readonly pending: Promise<number> | undefined;
}

@GenServer()
export class Holder extends GenServerBase<Held> {
  override init() {
    return ok({ since: new Date(), waiting: [], notify: () => undefined, pending: undefined });
  }
  @HandleCall() hold() {
    const from = this.from<number>();
    return from.later({ ...this.state, waiting: [...this.state.waiting, from] });
  }
  @HandleCast() release(value: number) {
    for (const from of this.state.waiting) from.reply(value);
    return noReply({ ...this.state, waiting: [] });
  }
}

// --- generic servers -----------------------------------------------------------------------------------------------------

/** The state is decided by a subclass: its handlers hand it on, or say what it is. */
export abstract class Store<S> extends GenServerBase<S> {
  @HandleCall() get() {
    return reply(this.state);
  }
  @HandleCall() size() {
    return reply(1);
  }
  @HandleCall() swap(state: S) {
    return reply(this.state, state);
  }
  @HandleCall() async slowly() {
    return this.from<S>().later(await Promise.resolve(this.state));
  }
  @HandleCall() last() {
    return stop('normal', this.state).reply(this.state);
  }
  @HandleCast() set(state: S) {
    return noReply(state);
  }
  @HandleInfo('reset') protected reset() {
    return noReply(this.state).timeout(5);
  }

  // @ts-expect-error a promise of a reply is none here either
  @HandleCall()
  promised() {
    return reply(Promise.resolve(this.state));
  }
}

@GenServer()
export class NumberStore extends Store<number> {
  override init() {
    return ok(0);
  }
}
expectType<ReturnType<GenServerClient<NumberStore>['get']>, Promise<number>>(true);
expectType<ReturnType<GenServerClient<NumberStore>['slowly']>, Promise<number>>(true);
expectType<GenServerClient<NumberStore>['swap'], (state: number) => Promise<number>>(true);
expectType<Parameters<GenServerClient<NumberStore>['set']>, [state: number]>(true);

// --- init ----------------------------------------------------------------------------------------------------------------

@GenServer()
export class AnyStart extends GenServerBase<number> {
  override async init(how: 'ok' | 'stop' | 'error' | 'ignore') {
    await Promise.resolve();
    switch (how) {
      case 'ok':
        return ok(1).timeout(5);
      case 'stop':
        return stop('no');
      case 'error':
        return error('soft');
      case 'ignore':
        return ignore();
    }
  }
}

@GenServer()
export class AnnotatedStart extends GenServerBase<Status> {
  override init(): InitResult<Status> {
    return ok({ status: 'initializing' });
  }
}

@GenServer()
export class WrongStart extends GenServerBase<number> {
  // @ts-expect-error the state is a number
  override init() {
    return ok('x');
  }
}

@GenServer()
export class BareStart extends GenServerBase<number> {
  // @ts-expect-error a bare value is no result
  override init() {
    return 1;
  }
}

@GenServer()
export class ReplyingStart extends GenServerBase<number> {
  // @ts-expect-error init answers nobody
  override init() {
    return reply(1, 1);
  }
}

// --- what no handler may do ----------------------------------------------------------------------------------------------

@GenServer()
export class Mistakes extends GenServerBase<number> {
  // @ts-expect-error it never replies
  @HandleCall()
  never() {
    return noReply();
  }

  // @ts-expect-error a stop without a reply is no answer
  @HandleCall()
  onlyStops() {
    return stop('normal');
  }

  // @ts-expect-error a bare value is no result
  @HandleCall()
  bare() {
    return 5;
  }

  // @ts-expect-error nothing is no result
  @HandleCall()
  nothing() {}

  // @ts-expect-error one of the ways out is no result
  @HandleCall()
  sometimesBare(yes: boolean) {
    return yes ? reply(1) : 5;
  }

  // @ts-expect-error one of the ways out answers nobody
  @HandleCall()
  sometimesSilent(yes: boolean) {
    return yes ? reply(1) : noReply();
  }

  // @ts-expect-error init's result is none of a call
  @HandleCall()
  okInACall() {
    return ok(1);
  }

  // @ts-expect-error a cast has nobody to answer
  @HandleCast()
  replyingCast() {
    return reply(1);
  }

  // @ts-expect-error nor to refuse
  @HandleCast()
  refusingCast() {
    return replyError(new Error('no'));
  }

  // @ts-expect-error nor to answer with a stop
  @HandleCast()
  lastAnswerOfACast() {
    return stop('normal').reply(1);
  }

  // @ts-expect-error an info has nobody to answer either
  @HandleInfo('tick')
  protected replyingInfo() {
    return reply(1);
  }

  // @ts-expect-error nor has a continue
  @HandleContinue('load')
  protected replyingContinue() {
    return reply(1);
  }

  // @ts-expect-error a promise is no reply: await it first
  @HandleCall()
  promiseInReply() {
    return reply(Promise.resolve(1));
  }

  // @ts-expect-error nor is it the reply of a stop
  @HandleCall()
  promiseInStop() {
    return stop('normal').reply(Promise.resolve(1));
  }

  @HandleCast()
  twoModifiers() {
    // @ts-expect-error exactly one modifier
    return noReply().timeout(5).hibernate();
  }

  @HandleCall()
  twoModifiersOfAReply() {
    // @ts-expect-error exactly one modifier
    return reply(1).continue('load').timeout(5);
  }

  @HandleCast()
  stopWithModifier() {
    // @ts-expect-error what stops does not go on
    return stop('normal').timeout(5);
  }

  @HandleCall()
  wrongAnswer() {
    const from = this.from<number>();
    // @ts-expect-error the caller was promised a number
    from.reply('one');
    return from.later();
  }

  @HandleInfo(Down)
  protected assignsState() {
    // @ts-expect-error the state changes only by what a handler returns
    this.state = 1;
    return noReply();
  }
}
