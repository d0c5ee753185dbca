import { Logger } from '@nestjs/common';
import { config, delay, finalize, firstValueFrom, map, type Observable, share, type Subscription } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  GenServer,
  GenServerBase,
  type GenServerClient,
  type GenServerEvent,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  ok,
  PubSub,
  PubSubModule,
  replyStream,
  toObservable,
} from 'nestjs-genserver';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { started } from './support/application.js';

const boom = new Error('boom');

@GenServer({ restart: 'temporary' })
class Feed extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
  @HandleCall() items() {
    return replyStream(['first', 'second']);
  }
  @HandleCall() failing() {
    return replyStream(failing());
  }
}

async function* failing(): AsyncGenerator<string> {
  yield 'first';
  throw boom;
}

/** What RxJS would have thrown from a timer, and what nobody handled. */
const astray: unknown[] = [];
const note = (error: unknown): void => void astray.push(error);

beforeEach(() => {
  config.onUnhandledError = note;
  process.on('unhandledRejection', note);
});

afterEach(async () => {
  await timersArmedSoFar();
  config.onUnhandledError = null;
  process.off('unhandledRejection', note);
  expect(astray.splice(0)).toEqual([]);
});

/** RxJS throws from a timer; one that is armed later fires later. */
const timersArmedSoFar = async (): Promise<void> => {
  await settle();
  await new Promise((resolve) => setTimeout(resolve, 2));
};

interface World {
  readonly runtime: GenServerRuntime;
  readonly pubsub: PubSub;
  readonly feed: GenServerClient<Feed>;
  readonly reported: GenServerEvent[];
}

async function world(): Promise<World> {
  const application = await started({ imports: [PubSubModule.forRoot()], providers: [Feed] });
  const runtime = application.get(GenServerRuntime);
  const reported: GenServerEvent[] = [];
  runtime.events$.subscribe((event) => {
    if (event.type.endsWith('listener_detached')) reported.push(event);
  });
  return { runtime, pubsub: application.get(PubSub), feed: application.get(getGenServerToken(Feed)), reported };
}

/** Each Observable of ours: how to have it say something, and what a subscriber that throws is reported by. */
const OBSERVABLES: readonly (readonly [
  string,
  (world: World) => readonly [Observable<unknown>, () => unknown, object],
])[] = [
  [
    'runtime.events$',
    ({ runtime }) => [runtime.events$, () => runtime.exit(Feed, 'kill'), { type: 'observability.listener_detached' }],
  ],
  [
    'runtime.down$',
    ({ runtime }) => [
      runtime.down$(Feed),
      () => runtime.exit(Feed, 'kill'),
      { type: 'observability.listener_detached', during: 'down$' },
    ],
  ],
  [
    'pubsub.topic$',
    ({ pubsub }) => [
      pubsub.topic$('news'),
      () => pubsub.broadcast('news', 1),
      { type: 'registry.listener_detached', source: "topic 'news'" },
    ],
  ],
  [
    'toObservable of a stream of a server',
    ({ feed }) => [
      toObservable(feed.items()),
      () => undefined,
      { type: 'observability.listener_detached', during: 'toObservable' },
    ],
  ],
];

const throwing = (): never => {
  throw boom;
};
const nothing = (): void => undefined;

/** The ways in which a subscriber can throw when it is told something. */
const SUBSCRIBERS: readonly (readonly [string, (source: Observable<unknown>) => Subscription])[] = [
  ['a function', (source) => source.subscribe(throwing)],
  ['next of an observer', (source) => source.subscribe({ next: throwing })],
  // eslint-disable-next-line @typescript-eslint/no-misused-promises -- the mistake in question
  ['an async function', (source) => source.subscribe(async () => Promise.reject(boom))],
  [
    'a function behind operators',
    (source) =>
      source
        .pipe(
          map((n) => n),
          share(),
        )
        .subscribe(throwing),
  ],
  ['a function that is told later', (source) => source.pipe(delay(0)).subscribe(throwing)],
  ['an operator, with nobody to handle its error', (source) => source.pipe(map(throwing)).subscribe(nothing)],
  ['an operator, and the handler of its error', (source) => source.pipe(map(throwing)).subscribe({ error: throwing })],
  ['a function, and a teardown', (source) => source.pipe(finalize(throwing)).subscribe(throwing)],
];

describe.each(OBSERVABLES)('a subscriber of %s', (_which, observe) => {
  it.each(SUBSCRIBERS)('that throws is detached and reported: %s', async (_how, subscribe) => {
    const here = await world();
    const [source, say, report] = observe(here);
    const subscription = subscribe(source);
    await say();
    await timersArmedSoFar();
    await timersArmedSoFar();
    expect(subscription.closed).toBe(true);
    expect(here.reported).toEqual([expect.objectContaining({ ...report, error: boom })]);
  });
});

describe('a subscriber that throws', () => {
  it('when it is told of the end, or of an error, is reported too', async () => {
    const { pubsub, feed, runtime, reported } = await world();
    pubsub.topic$('news').subscribe({ complete: throwing });
    toObservable(feed.failing()).subscribe({ error: throwing });
    toObservable(feed.items()).subscribe({ complete: throwing });
    runtime.down$(Feed).subscribe({ complete: throwing });
    runtime.down$('nobody').pipe(finalize(throwing)).subscribe();
    await timersArmedSoFar();
    runtime.exit(Feed, 'kill');
    await timersArmedSoFar();
    await pubsub.close();
    expect(
      reported.map((event) => ('during' in event ? event.during : (event as { source: string }).source)).sort(),
    ).toEqual(['down$', 'down$', 'toObservable', 'toObservable', "topic 'news'"]);
  });

  it('tells which event it threw on, and leaves the other subscribers alone', async () => {
    const { runtime, reported } = await world();
    const heard: string[] = [];
    const source = runtime.events$;
    source.subscribe((event) => heard.push(event.type));
    source.subscribe((event) => event.type === 'process.exited' && throwing());
    source.subscribe((event) => heard.push(event.type));
    runtime.exit(Feed, 'kill');
    await timersArmedSoFar();
    expect(reported).toEqual([expect.objectContaining({ during: 'process.exited', error: boom })]);
    expect(heard.filter((type) => type === 'process.exited')).toHaveLength(2);
  });

  it('is reported by the logger when its stream belongs to no server', async () => {
    const warn = vi.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    toObservable(failing()).subscribe(throwing);
    await timersArmedSoFar();
    expect(warn.mock.calls).toEqual([
      ['LISTENER DETACHED a listener threw on toObservable and hears nothing any more: Error: boom'],
    ]);
    warn.mockRestore();
  });
});

describe('a promise that toObservable is given', () => {
  it('may reject with nobody subscribed: nothing is left behind', async () => {
    toObservable(Promise.reject(boom));
    toObservable({ then: (_done: unknown, fail: (error: Error) => void) => fail(boom) } as never);
    await timersArmedSoFar();
  });

  it('is an error for whoever subscribes, however late, and to each of them', async () => {
    const gate = deferred<never>();
    const items = toObservable(gate.promise);
    const before = rejectionOf(firstValueFrom(items));
    gate.reject(boom);
    await timersArmedSoFar();
    expect([await before, await rejectionOf(firstValueFrom(items)), await rejectionOf(firstValueFrom(items))]).toEqual([
      boom,
      boom,
      boom,
    ]);
  });

  it('is asked once, however many subscribe', async () => {
    const then = vi.fn((done: (items: unknown) => void) => done(failing()));
    const items = toObservable({ then } as never);
    await firstValueFrom(items);
    await rejectionOf(firstValueFrom(items));
    expect(then).toHaveBeenCalledTimes(1);
  });

  it('gives a stream whose iterator throws when it is left: whoever unsubscribes does not notice', async () => {
    const items = toObservable({
      [Symbol.asyncIterator]: () => ({ next: never, return: throwing }),
    });
    const subscription = items.subscribe();
    await timersArmedSoFar();
    expect(() => subscription.unsubscribe()).not.toThrow();
  });
});
