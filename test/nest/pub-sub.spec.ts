import {
  Inject,
  Injectable,
  type OnApplicationShutdown,
  type OnModuleDestroy,
  type OnModuleInit,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  InjectGenServer,
  noReply,
  ok,
  Presence,
  PresenceDiff,
  ProcessGroups,
  PubSub,
  type PubSubAdapter,
  PubSubModule,
  reply,
  type TopicBroadcast,
} from 'nestjs-genserver';
import { compiled, moduleOf, started } from './support/application.js';

interface Price {
  readonly type: 'price';
  readonly value: number;
}

/** Hears prices and says whether they went up. */
@GenServer()
class Ticker extends GenServerBase<number> {
  override init() {
    this.self.subscribe('prices');
    return ok(0);
  }

  @HandleInfo('price')
  protected onPrice(price: Price) {
    if (price.value < 0) throw new Error('no such price');
    this.self.broadcast('trend', price.value > this.state ? 'up' : 'down');
    return noReply(price.value);
  }

  @HandleCall()
  last() {
    return reply(this.state);
  }

  @HandleCast()
  mute() {
    this.self.unsubscribe('prices');
    return noReply();
  }

  override terminate() {
    this.self.broadcast('trend', 'closed');
  }
}

const price = (value: number): Price => ({ type: 'price', value });

/** An adapter that writes down what happens to it, in a journal that others may share. */
class Journal implements PubSubAdapter {
  readonly nodeName = 'journal';
  readonly entries: string[] = [];
  receive!: (broadcast: TopicBroadcast) => void;

  async connect(receive: (broadcast: TopicBroadcast) => void): Promise<void> {
    await Promise.resolve();
    this.receive = receive;
    this.entries.push('connect');
  }

  broadcast({ topic, message }: TopicBroadcast): void {
    this.entries.push(`${topic} ${String(message)}`);
  }

  directBroadcast(): void {}

  disconnect(): void {
    this.entries.push('disconnect');
  }
}

describe('the PubSub of an application', () => {
  it('is one for servers and for plain providers (B1, B2)', async () => {
    const app = await started({ imports: [PubSubModule.forRoot()], providers: [Ticker] });
    const pubsub = app.get(PubSub);
    const ticker = app.get<GenServerClient<Ticker>>(getGenServerToken(Ticker));
    const heard: unknown[] = [];
    pubsub.listen('trend', (trend) => heard.push(trend));
    pubsub.broadcast('prices', price(5));
    pubsub.broadcast('prices', price(3));
    expect(await ticker.last()).toBe(3);
    expect(heard).toEqual(['up', 'down']);
    ticker.mute();
    await ticker.last();
    pubsub.broadcast('prices', price(9));
    expect(await ticker.last()).toBe(3);
  });

  it('works for servers without any import (B1, B2)', async () => {
    @GenServer()
    class Ears extends GenServerBase<readonly unknown[]> {
      override init() {
        this.self.subscribe('trend');
        return ok([]);
      }
      @HandleInfo() protected onTrend(trend: unknown) {
        return noReply([...this.state, trend]);
      }
      @HandleCall() heard() {
        return reply(this.state);
      }
      @HandleCall() tell(value: number) {
        this.self.broadcast('prices', price(value));
        return reply('told');
      }
    }
    const app = await started({ providers: [Ticker, Ears] });
    const ears = app.get<GenServerClient<Ears>>(getGenServerToken(Ears));
    await ears.tell(5);
    await app.get<GenServerClient<Ticker>>(getGenServerToken(Ticker)).last();
    expect(await ears.heard()).toEqual(['up']);
    expect(() => app.get(PubSub)).toThrow();
  });

  it('is subscribed to again by the next incarnation (B3)', async () => {
    const app = await started({ imports: [PubSubModule.forRoot()], providers: [Ticker] });
    const pubsub = app.get(PubSub);
    const down = firstValueFrom(app.get(GenServerRuntime).down$(Ticker));
    const trend = firstValueFrom(pubsub.topic$('trend').pipe(take(2), toArray()));
    pubsub.broadcast('prices', price(-1));
    await down;
    // What is broadcast before its init has run is not for it; a call waits for that.
    await app.get<GenServerClient<Ticker>>(getGenServerToken(Ticker)).last();
    pubsub.broadcast('prices', price(5));
    expect(await trend).toEqual(['closed', 'up']);
  });

  it('is injected into gateways, services and servers alike', async () => {
    @Injectable()
    class Gateway {
      constructor(
        @Inject(PubSub) readonly pubsub: PubSub,
        @Inject(Presence) readonly presence: Presence,
        @Inject(ProcessGroups) readonly groups: ProcessGroups,
      ) {}
    }
    @GenServer()
    class Session extends GenServerBase<unknown> {
      constructor(
        @Inject(PubSub) private readonly pubsub: PubSub,
        @Inject(Presence) private readonly presence: Presence,
      ) {
        super();
      }
      override init() {
        this.pubsub.subscribe(this.self, 'room', { metadata: 'session' });
        this.presence.track(this.self.pid, 'room', 'ann', { device: 'phone' });
        return ok(undefined);
      }
      @HandleInfo(PresenceDiff) protected onDiff(diff: PresenceDiff) {
        return noReply(diff);
      }
      @HandleCall() lastDiff() {
        return reply(this.state);
      }
    }
    const app = await started({
      imports: [PubSubModule.forRoot(), moduleOf('Web', { providers: [Gateway] })],
      providers: [Session],
    });
    const { pubsub, presence, groups } = app.get(Gateway, { strict: false });
    expect(pubsub).toBe(app.get(PubSub));
    const session = app.get<GenServerClient<Session>>(getGenServerToken(Session));
    const pid = app.get(GenServerRuntime).whereis(Session)!;
    groups.join(pid, 'sessions');
    expect(groups.members('sessions')).toEqual([pid]);
    expect(presence.getByKey('room', 'ann')).toMatchObject([{ pid, meta: { device: 'phone' } }]);
    expect(await session.lastDiff()).toMatchObject({ topic: 'room', joins: { ann: { metas: [{ pid }] } }, leaves: {} });
    await app.close();
    expect([presence.list('room'), groups.groups(), pubsub.topics()]).toEqual([{}, [], []]);
  });

  it('gives a topic as an Observable, which listens while it is subscribed to', async () => {
    const app = await started({ imports: [PubSubModule.forRoot()] });
    const pubsub = app.get(PubSub);
    const topic$ = pubsub.topic$<number>('numbers');
    expect(pubsub.topics()).toEqual([]);
    const heard: number[] = [];
    const subscription = topic$.subscribe((number) => heard.push(number));
    const first = firstValueFrom(topic$);
    pubsub.broadcast('numbers', 1);
    pubsub.broadcast('numbers', 2);
    subscription.unsubscribe();
    pubsub.broadcast('numbers', 3);
    expect([heard, await first, pubsub.topics()]).toEqual([[1, 2], 1, []]);
  });

  it('has no subscription and no listener left when the application is closed, and completes its Observables', async () => {
    const app = await started({ imports: [PubSubModule.forRoot()], providers: [Ticker] });
    const pubsub = app.get(PubSub);
    pubsub.listen('prices', () => undefined);
    const trends = lastValueFrom(pubsub.topic$('trend').pipe(toArray()));
    expect(pubsub.topics()).toEqual(['prices', 'trend']);
    await app.close();
    // What a server says with its last words is still heard.
    expect(await trends).toEqual(['closed']);
    expect(pubsub.topics()).toEqual([]);
    expect(await lastValueFrom(pubsub.topic$('trend').pipe(toArray()))).toEqual([]);
  });

  it('is separate for every application', async () => {
    const [one, two] = [
      await started({ imports: [PubSubModule.forRoot()], providers: [Ticker] }),
      await started({ imports: [PubSubModule.forRoot()], providers: [Ticker] }),
    ];
    one.get(PubSub).broadcast('prices', price(5));
    const last = (app: typeof one) => app.get<GenServerClient<Ticker>>(getGenServerToken(Ticker)).last();
    expect([await last(one), await last(two)]).toEqual([5, 0]);
    expect(one.get(PubSub)).not.toBe(two.get(PubSub));
  });
});

describe('PubSubModule', () => {
  it('connects the adapter before any provider is initialised, and disconnects it after the last is destroyed', async () => {
    const adapter = new Journal();
    @Injectable()
    class Service implements OnModuleInit, OnModuleDestroy, OnApplicationShutdown {
      constructor(@Inject(PubSub) private readonly pubsub: PubSub) {}
      onModuleInit() {
        this.pubsub.broadcast('service', 'init');
      }
      onModuleDestroy() {
        this.pubsub.broadcast('service', 'destroy');
      }
      onApplicationShutdown() {
        adapter.entries.push('shutdown');
      }
    }
    const app = await started({ imports: [PubSubModule.forRoot({ adapter })], providers: [Service, Ticker] });
    await app.close();
    expect(adapter.entries.filter((entry) => entry !== 'shutdown')).toEqual([
      'connect',
      'service init',
      'trend closed',
      'service destroy',
      'disconnect',
    ]);
  });

  it('takes its options from a factory as well, and brings in what other nodes say', async () => {
    const adapter = new Journal();
    const Config = moduleOf('Config', { providers: [{ provide: 'ADAPTER', useValue: adapter }], exports: ['ADAPTER'] });
    const imports = [
      PubSubModule.forRootAsync({
        imports: [Config],
        inject: ['ADAPTER'],
        useFactory: (given: PubSubAdapter) => Promise.resolve({ adapter: given }),
      }),
    ];
    const app = await started({ imports, providers: [Ticker] });
    expect(app.get(PubSub).nodeName).toBe('journal');
    adapter.receive({ topic: 'prices', message: price(7), dispatcher: undefined });
    expect(await app.get<GenServerClient<Ticker>>(getGenServerToken(Ticker)).last()).toBe(7);
  });

  it('fails the start when the adapter cannot connect', async () => {
    const adapter = Object.assign(new Journal(), { connect: () => Promise.reject(new Error('no route')) });
    await expect(compiled({ imports: [PubSubModule.forRoot({ adapter })] })).rejects.toThrow('no route');
  });

  it('does not keep the application from closing when the adapter cannot disconnect', async () => {
    const adapter = Object.assign(new Journal(), { disconnect: () => Promise.reject(new Error('no route')) });
    const app = await started({ imports: [PubSubModule.forRoot({ adapter })] });
    await expect(app.close()).resolves.toBeUndefined();
    expect(app.get(PubSub).topics()).toEqual([]);
  });

  it('is imported once', async () => {
    const imports = [PubSubModule.forRoot(), PubSubModule.forRoot({ adapter: new Journal() })];
    await expect(compiled({ imports })).rejects.toThrow('This PubSub is connected already');
  });

  it('says what it needs when GenServerModule is missing', async () => {
    const builder = Test.createTestingModule({ imports: [PubSubModule.forRoot()] });
    await expect(builder.compile()).rejects.toMatchObject({
      code: 'GEN_SERVER_CONFIG',
      mistake: 'not_provided',
      message:
        'PubSubModule needs the processes of GenServerModule: import GenServerModule.forRoot() in the root module too.',
    });
  });

  it('leaves the injected client of a test double alone', async () => {
    @Injectable()
    class Service {
      constructor(@InjectGenServer(Ticker) readonly ticker: GenServerClient<Ticker>) {}
    }
    const double = { last: () => Promise.resolve(42) };
    const app = await started({
      imports: [PubSubModule.forRoot()],
      providers: [Ticker, Service],
      override: (builder) => builder.overrideProvider(getGenServerToken(Ticker)).useValue(double),
    });
    expect(await app.get(Service).ticker.last()).toBe(42);
  });
});
