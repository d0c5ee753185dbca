import { inspect } from 'node:util';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  type InjectionToken,
  Module,
  type ModuleMetadata,
  Optional,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { LazyModuleLoader, NestFactory, SerializedGraph } from '@nestjs/core';
import { Test, type TestingModule } from '@nestjs/testing';
import request from 'supertest';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  CallResult,
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerModule,
  type GenServerModuleOptions,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  InjectGenServer,
  NoProcessError,
  noReply,
  ok,
  provideGenServer,
  reply,
  StartError,
} from 'nestjs-genserver';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { compiled, moduleOf, started } from './support/application.js';

@GenServer()
class Counter extends GenServerBase<number> {
  override init(first = 0) {
    return ok(first);
  }
  @HandleCall() increment(by: number) {
    return reply(this.state + by, this.state + by);
  }
  @HandleCall() read() {
    return reply(this.state);
  }
  @HandleCast() reset(to: number) {
    return noReply(to);
  }
  @HandleInfo('idle') protected onIdle() {
    return noReply();
  }
  @HandleContinue('more') protected onMore() {
    return noReply();
  }
  /** Public, but no handler. */
  double() {
    return this.state * 2;
  }
}

interface Named {
  read(): CallResult<number, number>;
}

const clientOf = (application: { get<T>(token: InjectionToken): T }, type: Type = Counter, name?: string) =>
  application.get<GenServerClient<Counter>>(getGenServerToken(type, name));

describe('@InjectGenServer', () => {
  it('injects a client into any module, which needs to import nothing for it', async () => {
    @Injectable()
    class Shop {
      constructor(@InjectGenServer(Counter) readonly counter: GenServerClient<Counter>) {}
    }
    const application = await started({
      imports: [moduleOf('ShopModule', { providers: [Shop] }), moduleOf('CounterModule', { providers: [Counter] })],
    });
    expect(await application.get(Shop, { strict: false }).counter.increment(2)).toBe(2);
  });

  it('injects into properties, controllers and guards', async () => {
    @Injectable()
    class CounterGuard {
      constructor(@InjectGenServer(Counter) private readonly counter: GenServerClient<Counter>) {}
      async canActivate() {
        await this.counter.increment(1);
        return true;
      }
    }
    @UseGuards(CounterGuard)
    @Controller()
    class CounterController {
      @InjectGenServer(Counter) private readonly counter!: GenServerClient<Counter>;
      @Get() read() {
        return this.counter.read();
      }
    }
    const application = (
      await compiled({ providers: [Counter], controllers: [CounterController] })
    ).createNestApplication();
    await application.init();
    onTestFinished(() => application.close());
    await request(application.getHttpServer()).get('/').expect(200, '1');
  });

  it('gives the same client to everyone', async () => {
    @Injectable()
    class Shop {
      @InjectGenServer(Counter) readonly property!: GenServerClient<Counter>;
      constructor(
        @InjectGenServer(Counter) readonly parameter: GenServerClient<Counter>,
        @InjectGenServer(() => Counter) readonly lazy: GenServerClient<Counter>,
      ) {}
    }
    const application = await started({ providers: [Counter, Shop] });
    const { property, parameter, lazy } = application.get(Shop);
    expect(new Set([property, parameter, lazy, clientOf(application)]).size).toBe(1);
  });

  it('takes a function, for files that import each other', async () => {
    @GenServer()
    class Ping extends GenServerBase<null> {
      constructor(@InjectGenServer(() => Pong) private readonly pong: GenServerClient<Pong>) {
        super();
      }
      override init() {
        return ok(null);
      }
      @HandleCall() async ping(): Promise<CallResult<string, null>> {
        return reply(`ping ${await this.pong.pong()}`);
      }
      @HandleCall() name() {
        return reply('ping');
      }
    }
    @GenServer()
    class Pong extends GenServerBase<null> {
      constructor(@InjectGenServer(() => Ping) readonly ping: GenServerClient<Ping>) {
        super();
      }
      override init() {
        return ok(null);
      }
      @HandleCall() pong() {
        return reply('pong');
      }
    }
    const application = await started({ providers: [Ping, Pong] });
    expect(await application.get(GenServerRuntime).client<Ping>(Ping).ping()).toBe('ping pong');
  });

  it('tells instances of one class apart by their names', async () => {
    const key = Symbol('key');
    const global = { global: 'counter' };
    @Injectable()
    class Shop {
      constructor(
        @InjectGenServer(Counter) readonly unnamed: GenServerClient<Counter>,
        @InjectGenServer(Counter, 'text') readonly text: GenServerClient<Counter>,
        @InjectGenServer(Counter, key) readonly symbol: GenServerClient<Counter>,
        @InjectGenServer(Counter, { global: 'counter' }) readonly global: GenServerClient<Counter>,
      ) {}
    }
    const application = await started({
      providers: [
        Shop,
        Counter,
        provideGenServer(Counter, { name: 'text', args: [10] }),
        provideGenServer(Counter, { name: key, args: [20] }),
        provideGenServer(Counter, { name: global, args: [30] }),
      ],
    });
    const { unnamed, text, symbol, global: inGlobal } = application.get(Shop);
    expect(await Promise.all([unnamed, text, symbol, inGlobal].map((client) => client.read()))).toEqual([
      0, 10, 20, 30,
    ]);
  });

  it('takes the name that the class itself has, said or unsaid', async () => {
    @GenServer({ name: 'tally' })
    class Tally extends Counter {}
    @Injectable()
    class Shop {
      constructor(
        @InjectGenServer(Tally) readonly unsaid: GenServerClient<Tally>,
        @InjectGenServer(Tally, 'tally') readonly said: GenServerClient<Tally>,
      ) {}
    }
    const application = await started({ providers: [Tally, Shop] });
    const { said, unsaid } = application.get(Shop);
    await said.increment(3);
    expect(await unsaid.read()).toBe(3);
  });

  it('keeps two classes of one name apart', async () => {
    const other = (() => {
      @GenServer({ args: [7] })
      class Counter extends GenServerBase<number> {
        override init(first: number) {
          return ok(first);
        }
        @HandleCall() read() {
          return reply(this.state);
        }
      }
      return Counter;
    })();
    const application = await started({ providers: [Counter, other] });
    expect(await clientOf(application).read()).toBe(0);
    expect(await clientOf(application, other).read()).toBe(7);
  });

  it('keeps two applications in one Node process apart', async () => {
    const [one, two] = [await started({ providers: [Counter] }), await started({ providers: [Counter] })];
    const [first, second] = [clientOf(one), clientOf(two)];
    await first.increment(5);
    expect(await second.read()).toBe(0);
    await one.close();
    await expect(first.read()).rejects.toBeInstanceOf(NoProcessError);
    expect(await second.increment(1)).toBe(1);
  });

  it('does not disturb an application that knows neither the server nor its user', async () => {
    @GenServer()
    class Elsewhere extends GenServerBase<null> {}
    @Injectable()
    class _Stranger {
      constructor(@InjectGenServer(Elsewhere) readonly elsewhere: GenServerClient<Elsewhere>) {}
    }
    const application = await started({ providers: [Counter] });
    expect(await clientOf(application).read()).toBe(0);
  });

  it('gives nothing, and refuses nothing, where @Optional() asks for a server that no module provides', async () => {
    @GenServer()
    class Absent extends GenServerBase<null> {}
    @Injectable()
    class Modest {
      @Optional() @InjectGenServer(Absent) readonly property?: GenServerClient<Absent>;
      constructor(@Optional() @InjectGenServer(Absent) readonly parameter?: GenServerClient<Absent>) {}
    }
    const application = await started({ providers: [Modest, Counter] });
    expect(application.get(Modest)).toMatchObject({ property: undefined, parameter: undefined });
  });

  it('asks for a token that a unit test can provide, without any module of ours', async () => {
    @Injectable()
    class Shop {
      constructor(@InjectGenServer(Counter) readonly counter: GenServerClient<Counter>) {}
    }
    const fake = { read: vi.fn().mockResolvedValue(42) };
    const unit = await Test.createTestingModule({
      providers: [Shop, { provide: getGenServerToken(Counter), useValue: fake }],
    }).compile();
    expect(await unit.get(Shop).counter.read()).toBe(42);
    // By hand, too: a client is an interface that a literal can satisfy.
    const literal: GenServerClient<Named> = { read: () => Promise.resolve(1), with: () => literal };
    expect(await literal.read()).toBe(1);
  });

  it('lets servers inject their own client', async () => {
    @GenServer()
    class Recursive extends GenServerBase<null> {
      constructor(@InjectGenServer(Recursive) readonly own: GenServerClient<unknown>) {
        super();
      }
      override init() {
        return ok(null);
      }
      @HandleCall() hasOwn() {
        return reply(this.own !== undefined);
      }
    }
    const application = await started({ providers: [Recursive] });
    expect(await application.get(GenServerRuntime).call(Recursive, 'hasOwn')).toBe(true);
  });
});

describe('an injected client', () => {
  it('is a plain object with writable methods of its own, one per call and cast', async () => {
    const client = clientOf(await started({ providers: [Counter] }));
    expect(Object.getPrototypeOf(client)).toBe(Object.prototype);
    expect(Object.keys(client)).toEqual(['increment', 'read', 'reset', 'double']);
    for (const key of Object.keys(client)) {
      expect(Object.getOwnPropertyDescriptor(client, key)).toMatchObject({ writable: true, configurable: true });
    }
    const { increment } = client;
    expect(await increment(3)).toBe(3);
    expect(client.reset(9)).toBeUndefined();
    expect(await client.read()).toBe(9);
  });

  it('has no handler that is not for clients, and nothing that Nest, a promise or a logger looks for', async () => {
    const client = clientOf(await started({ providers: [Counter] })) as unknown as Record<string, unknown>;
    const looked = [
      'onIdle',
      'onMore',
      'then',
      'catch',
      'finally',
      'onModuleInit',
      'onModuleDestroy',
      'toJSON',
      'init',
      'from',
    ];
    expect(looked.filter((key) => key in client)).toEqual([]);
    expect(JSON.stringify(client)).toBe('{}');
    expect(inspect(client)).toContain('increment: [Function');
    expect(await Promise.resolve(client)).toBe(client);
  });

  it('says of a public method that is no handler which decorator is missing', async () => {
    const client = clientOf(await started({ providers: [Counter] }));
    const error = thrownBy(() => (client.double as () => void)());
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      message:
        'Counter.double is not on the client, because it is no handler. Decorate it with @HandleCall() or @HandleCast().',
    });
  });

  it('can be spied upon', async () => {
    const client = clientOf(await started({ providers: [Counter] }));
    const increment = vi.spyOn(client, 'increment').mockResolvedValueOnce(99);
    expect(await client.increment(1)).toBe(99);
    expect(await client.increment(1)).toBe(1);
    expect(increment).toHaveBeenCalledTimes(2);
    increment.mockRestore();
    expect(await client.increment(1)).toBe(2);
  });

  it('can be decorated by the application option instanceDecorator', async () => {
    @GenServer()
    class Decorated extends Counter {}
    const calls: string[] = [];
    const decorate = (instance: unknown): unknown => {
      const { increment } = instance as Record<string, (...args: unknown[]) => unknown>;
      if (typeof increment !== 'function') return instance;
      (instance as Record<string, unknown>).increment = (...args: unknown[]) => {
        calls.push('increment');
        return increment(...args);
      };
      return instance;
    };
    @Module({ imports: [GenServerModule.forRoot()], providers: [Decorated] })
    class AppModule {}
    const application = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
      instrument: { instanceDecorator: decorate },
    });
    onTestFinished(() => application.close());
    expect(await clientOf(application, Decorated).increment(4)).toBe(4);
    expect(calls).toEqual(['increment']);
  });

  it('survives an instanceDecorator that puts proxies around everything', async () => {
    @Module({ imports: [GenServerModule.forRoot()], providers: [Counter, provideGenServer(Counter, { name: 'b' })] })
    class AppModule {}
    const application = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
      instrument: {
        instanceDecorator: (instance: unknown) =>
          typeof instance === 'object' && instance !== null && !(instance instanceof Map)
            ? new Proxy(instance, {})
            : instance,
      },
    });
    expect(await clientOf(application).increment(4)).toBe(4);
    expect(await clientOf(application, Counter, 'b').increment(4)).toBe(4);
    const runtime = application.get(GenServerRuntime);
    expect(runtime.status).toBe('running');
    await application.close();
    expect(runtime.status).toBe('stopped');
  });

  it('is never taken for something with hooks', async () => {
    @GenServer()
    class Plain extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      @HandleCall() onEverything() {
        return reply(1);
      }
    }
    const application = await started({ providers: [Plain] });
    expect(Object.keys(clientOf(application, Plain))).toEqual(['onEverything']);
  });

  it('.with({ timeoutMs }) is the same client with another timeout, and leaves the first alone', async () => {
    @GenServer()
    class Sleepy extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      @HandleCall() sleep() {
        return this.from<number>().later();
      }
      @HandleCall() ping() {
        return reply('pong');
      }
    }
    const application = await started({ providers: [Sleepy] });
    const sleepy = application.get<GenServerClient<Sleepy>>(getGenServerToken(Sleepy));
    const hasty = sleepy.with({ timeoutMs: 0 });
    expect(await rejectionOf(hasty.sleep())).toMatchObject({ code: 'CALL_TIMEOUT', timeoutMs: 0 });
    expect(await hasty.with({ timeoutMs: Infinity }).ping()).toBe('pong');
    expect(await sleepy.ping()).toBe('pong');
    expect(JSON.stringify(hasty)).toBe('{}');
    expect('then' in hasty).toBe(false);
  });

  it.each([-1, NaN])('.with({ timeoutMs: %o }) is refused at once', async (timeoutMs) => {
    const client = clientOf(await started({ providers: [Counter] }));
    expect(thrownBy(() => client.with({ timeoutMs }))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: `timeoutMs of a client of Counter must be a number of milliseconds, 0 or more (Infinity waits for ever), got: ${timeoutMs}`,
    });
  });

  it('is a destination, also with options and while its server is away', async () => {
    const application = await started({ providers: [Counter, provideGenServer(Counter, { name: 'b', args: [5] })] });
    const runtime = application.get(GenServerRuntime);
    const client = clientOf(application, Counter, 'b');
    for (const destination of [client, client.with({ timeoutMs: 100 }), runtime.client<Counter>('b')]) {
      expect(await runtime.call(destination, 'read')).toBe(5);
      expect(runtime.whereis(destination)).toBe(runtime.whereis('b'));
      expect(await runtime.client<Counter>(destination).read()).toBe(5);
    }
    await application.close();
    expect(await rejectionOf(runtime.client<Counter>(client).read())).toMatchObject({ destination: "'b'" });
  });
});

describe('GenServerModule', () => {
  const ask = async (imports: NonNullable<ModuleMetadata['imports']>) => {
    const application = await Test.createTestingModule({ imports }).compile();
    onTestFinished(() => application.close());
    application.useLogger(false);
    await application.init();
    return clientOf(application).increment(1);
  };
  const CounterModule = moduleOf('CounterModule', { providers: [Counter] });

  it('.forRoot() may stand first or last', async () => {
    expect(await ask([GenServerModule.forRoot(), CounterModule])).toBe(1);
    expect(await ask([CounterModule, GenServerModule.forRoot()])).toBe(1);
  });

  it('.forRoot() may be called before the classes that ask for clients exist', async () => {
    const root = GenServerModule.forRoot();
    @GenServer()
    class Late extends GenServerBase<number> {
      override init() {
        return ok(1);
      }
      @HandleCall() read() {
        return reply(this.state);
      }
    }
    @Injectable()
    class Asking {
      constructor(@InjectGenServer(Late) readonly late: GenServerClient<Late>) {}
    }
    const application = await Test.createTestingModule({ imports: [root], providers: [Late, Asking] }).compile();
    onTestFinished(() => application.close());
    application.useLogger(false);
    await application.init();
    expect(await application.get(Asking).late.read()).toBe(1);
  });

  it('.forRoot() may stand anywhere below the root module', async () => {
    expect(await ask([moduleOf('CoreModule', { imports: [GenServerModule.forRoot()] }), CounterModule])).toBe(1);
  });

  it('.forRootAsync() takes useFactory, useClass and useExisting, each with imports', async () => {
    const made: string[] = [];
    class Settings {
      readonly label = 'settings';
    }
    const SettingsModule = moduleOf('SettingsModule', { providers: [Settings], exports: [Settings] });
    @Injectable()
    class OptionsFactory {
      constructor(readonly settings: Settings) {}
      create(): GenServerModuleOptions {
        made.push(this.settings.label);
        return { onTreeExit: 'keep' };
      }
    }
    const FactoryModule = moduleOf('FactoryModule', {
      imports: [SettingsModule],
      providers: [OptionsFactory],
      exports: [OptionsFactory],
    });
    const roots = [
      GenServerModule.forRootAsync({
        imports: [SettingsModule],
        inject: [Settings],
        useFactory: async (settings: Settings) => {
          await Promise.resolve();
          made.push(settings.label);
          return {};
        },
      }),
      GenServerModule.forRootAsync({ imports: [SettingsModule], useClass: OptionsFactory }),
      GenServerModule.forRootAsync({ imports: [FactoryModule], useExisting: OptionsFactory }),
    ];
    for (const root of roots) expect(await ask([root, CounterModule])).toBe(1);
    expect(made).toEqual(['settings', 'settings', 'settings']);
  });

  it('.forRootAsync() options are checked and used', async () => {
    const refused = ask([GenServerModule.forRootAsync({ useFactory: () => ({ onTreeExit: 'never' as never }) })]);
    await expect(refused).rejects.toMatchObject({ mistake: 'invalid_option' });
    const pure = await Test.createTestingModule({
      imports: [GenServerModule.forRootAsync({ useFactory: () => ({ supervisor: { maxRestarts: -1 } }) })],
    }).compile();
    await expect(pure.init()).rejects.toMatchObject({ mistake: 'invalid_intensity' });
  });

  it('.forFeature() brings servers, made from what the importing module has', async () => {
    class Prices {
      readonly first = 12;
    }
    @GenServer()
    class Shop extends GenServerBase<number> {
      constructor(private readonly prices: Prices) {
        super();
      }
      override init() {
        return ok(this.prices.first);
      }
      @HandleCall() read() {
        return reply(this.state);
      }
    }
    @Injectable()
    class Customer {
      constructor(@InjectGenServer(Shop) readonly shop: GenServerClient<Shop>) {}
    }
    const ShopModule = moduleOf('ShopModule', {
      imports: [GenServerModule.forFeature([Shop, { server: Counter, options: { name: 'visits', args: [3] } }])],
      providers: [Prices, Customer],
    });
    const application = await started({ imports: [ShopModule] });
    expect(await application.get(Customer, { strict: false }).shop.read()).toBe(12);
    expect(await clientOf(application, Counter, 'visits').read()).toBe(3);
  });

  it('is looked at but not run in preview mode', async () => {
    @Module({ imports: [GenServerModule.forRoot(), CounterModule] })
    class AppModule {}
    const application = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
      preview: true,
    });
    await application.close();
  });

  it('is in the graph of an application with snapshot: true', async () => {
    @Module({ imports: [GenServerModule.forRoot(), CounterModule] })
    class AppModule {}
    const application = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
      snapshot: true,
    });
    onTestFinished(() => application.close());
    const graph = JSON.stringify(application.get(SerializedGraph));
    expect(graph).toContain('GenServerRuntime');
    expect(graph).toContain('Counter');
    expect(await clientOf(application).read()).toBe(0);
  });

  it.each(['reference', 'deep-hash'] as const)('works with module ids by %s', async (moduleIdGeneratorAlgorithm) => {
    @Module({ imports: [GenServerModule.forRoot(), CounterModule, GenServerModule.forFeature([])] })
    class AppModule {}
    const application = await NestFactory.createApplicationContext(AppModule, {
      logger: false,
      abortOnError: false,
      moduleIdGeneratorAlgorithm,
    });
    onTestFinished(() => application.close());
    expect(await clientOf(application).increment(1)).toBe(1);
  });
});

describe('overrideProvider', () => {
  it('of the client token gives everyone the fake, however they asked', async () => {
    const fake = { read: () => Promise.resolve(42) };
    @Injectable()
    class Shop {
      constructor(
        @InjectGenServer(Counter) readonly counter: GenServerClient<Counter>,
        @InjectGenServer(() => Counter) readonly lazy: GenServerClient<Counter>,
        @InjectGenServer(Counter, 'b') readonly named: GenServerClient<Counter>,
      ) {}
    }
    const application = await started({
      providers: [Counter, provideGenServer(Counter, { name: 'b' }), Shop],
      override: (builder) => builder.overrideProvider(getGenServerToken(Counter)).useValue(fake),
    });
    const { counter, lazy, named } = application.get(Shop);
    expect(counter).toBe(fake);
    expect(lazy).toBe(fake);
    expect(await named.read()).toBe(0);
  });

  it('of the client token of a provided server stands in for the server', async () => {
    const fake = { read: () => Promise.resolve(42) };
    @Injectable()
    class Shop {
      constructor(@InjectGenServer(Counter, 'b') readonly named: GenServerClient<Counter>) {}
    }
    const application = await started({
      imports: [moduleOf('CounterModule', { providers: [provideGenServer(Counter, { name: 'b' })] })],
      providers: [Shop],
      override: (builder) => builder.overrideProvider(getGenServerToken(Counter, 'b')).useValue(fake),
    });
    expect(application.get(Shop).named).toBe(fake);
    expect(application.get(GenServerRuntime).whereis('b')).toBeUndefined();
  });

  it('of the class with a value makes that value the client, and starts nothing', async () => {
    const fake = { read: () => Promise.resolve(42) };
    @Injectable()
    class Shop {
      constructor(
        @InjectGenServer(Counter) readonly counter: GenServerClient<Counter>,
        @InjectGenServer(Counter, 'b') readonly named: GenServerClient<Counter>,
      ) {}
    }
    const application = await started({
      imports: [moduleOf('ShopModule', { providers: [Shop] })],
      providers: [Counter, provideGenServer(Counter, { name: 'b', args: [7] })],
      override: (builder) => builder.overrideProvider(Counter).useValue(fake),
    });
    const { counter, named } = application.get(Shop, { strict: false });
    expect(counter).toBe(fake);
    expect(application.get(GenServerRuntime).whereis(Counter)).toBeUndefined();
    // Another instance of the class is another server, which nobody has overridden.
    expect(await named.read()).toBe(7);
  });

  it('of the class with another server runs that one, under the name of the first', async () => {
    @GenServer({ name: 'counter' })
    class Named extends Counter {}
    @GenServer({ args: [100] })
    class FakeCounter extends Counter {
      @HandleCall() override read() {
        return reply(-this.state);
      }
    }
    for (const [type, name] of [
      [Counter, Counter],
      [Named, 'counter'],
    ] as const) {
      const application = await started({
        providers: [type],
        override: (builder) => builder.overrideProvider(type).useClass(FakeCounter),
      });
      expect(await clientOf(application, type).read()).toBe(-100);
      expect(await application.get(GenServerRuntime).call(name, 'read')).toBe(-100);
    }
  });

  it('of a dependency is what incarnations get', async () => {
    class Prices {
      first = 1;
    }
    @GenServer()
    class Shop extends GenServerBase<number> {
      constructor(@Inject(Prices) private readonly prices: Prices) {
        super();
      }
      override init() {
        return ok(this.prices.first);
      }
      @HandleCall() read() {
        return reply(this.state);
      }
    }
    const application = await started({
      providers: [Prices, Shop],
      override: (builder) => builder.overrideProvider(Prices).useValue({ first: 5 }),
    });
    expect(await application.get(GenServerRuntime).call(Shop, 'read')).toBe(5);
  });
});

describe('provideGenServer in a lazy module', () => {
  function journaled(name: string, journal: string[], onInit: () => unknown = () => undefined) {
    @GenServer()
    class Journaled extends GenServerBase<string> {
      constructor(@Inject('PLACE') private readonly place: string) {
        super();
      }
      override async init() {
        journal.push(`${name} init`);
        await new Promise((resolve) => setImmediate(resolve));
        await onInit();
        journal.push(`${name} up`);
        return ok(this.place);
      }
      @HandleCall() read() {
        return reply(this.state);
      }
      override terminate() {
        journal.push(`${name} terminate`);
      }
    }
    return Journaled;
  }
  const place = { provide: 'PLACE', useValue: 'lazy' };

  it('starts when the module is loaded, in its place, and stops first', async () => {
    const journal: string[] = [];
    const [a, b, c] = ['a', 'b', 'c'].map((name) => journaled(name, journal));
    const application = await started({ providers: [{ provide: 'PLACE', useValue: 'eager' }, a!] });
    const lazy = moduleOf('LazyModule', {
      providers: [place, provideGenServer(b!, { name: 'b' }), provideGenServer(c!, { name: 'c' })],
    });
    const loaded = await application.get(LazyModuleLoader).load(() => lazy);
    expect(journal).toEqual(['a init', 'a up', 'b init', 'b up', 'c init', 'c up']);
    expect(await loaded.get<GenServerClient<Counter>>(getGenServerToken(c!, 'c')).read()).toBe('lazy');
    expect(application.get(GenServerRuntime).tree()?.children).toMatchObject([
      { label: 'RootTestModule', children: [{ label: 'Journaled' }] },
      { label: 'LazyModule', children: [{ name: "'b'" }, { name: "'c'" }] },
    ]);
    journal.length = 0;
    await application.close();
    expect(journal).toEqual(['c terminate', 'b terminate', 'a terminate']);
  });

  it('is started again when it crashes', async () => {
    const application = await started({});
    const lazy = moduleOf('LazyModule', { providers: [provideGenServer(Counter, { name: 'lazy' })] });
    await application.get(LazyModuleLoader).load(() => lazy);
    const runtime = application.get(GenServerRuntime);
    const first = runtime.whereis('lazy')!;
    runtime.exit('lazy', 'kill');
    await new Promise((resolve) => setImmediate(resolve));
    expect(runtime.whereis('lazy')).toMatchObject({ id: first.id, incarnation: 1 });
  });

  it('may inject clients of servers that are there, also where nobody else does', async () => {
    @GenServer()
    class Unasked extends GenServerBase<number> {
      override init() {
        return ok(8);
      }
      @HandleCall() read() {
        return reply(this.state);
      }
    }
    const application = await started({ providers: [Unasked] });
    @Injectable()
    class Plugin {
      constructor(@InjectGenServer(Unasked) readonly unasked: GenServerClient<Unasked>) {}
    }
    const lazy = moduleOf('LazyModule', { providers: [Plugin] });
    const loaded = await application.get(LazyModuleLoader).load(() => lazy);
    expect(await loaded.get(Plugin).unasked.read()).toBe(8);
  });

  it('starts with the others when it is loaded before them', async () => {
    const journal: string[] = [];
    const [a, b] = ['a', 'b'].map((name) => journaled(name, journal));
    const lazy = moduleOf('LazyModule', { providers: [place, provideGenServer(b!, { name: 'b' })] });
    @Injectable()
    class Loader {
      constructor(private readonly loader: LazyModuleLoader) {}
      async onModuleInit() {
        await this.loader.load(() => lazy);
      }
    }
    const application = await started({ providers: [place, a!, Loader] });
    expect(journal).toEqual(['a init', 'a up', 'b init', 'b up']);
    expect(await application.get(GenServerRuntime).call('b', 'read')).toBe('lazy');
  });

  it('starts behind the others when one of them loads it in its init', async () => {
    const journal: string[] = [];
    const lazyServer = journaled('lazy', journal);
    const lazy = moduleOf('LazyModule', { providers: [place, provideGenServer(lazyServer, { name: 'lazy' })] });
    const loading = journaled('loading', journal, () => application.get(LazyModuleLoader).load(() => lazy));
    const last = journaled('last', journal);
    const application: TestingModule = await compiled({ providers: [place, loading, last] });
    await application.init();
    const runtime = application.get(GenServerRuntime);
    // A request to the supervisors waits behind the server that is still to come.
    const loader = application.get(LazyModuleLoader);
    await loader.load(() => moduleOf('MoreModule', { providers: [provideGenServer(Counter, { name: 'more' })] }));
    expect(await runtime.call('lazy', 'read')).toBe('lazy');
    expect(journal).toEqual(['loading init', 'loading up', 'last init', 'last up', 'lazy init', 'lazy up']);
  });

  it('rejects the load when it does not start, and leaves the others alone', async () => {
    const journal: string[] = [];
    const broken = journaled('broken', journal, () => Promise.reject(new Error('no disk')));
    const application = await started({ providers: [Counter] });
    const lazy = moduleOf('LazyModule', { providers: [place, provideGenServer(broken, { name: 'broken' })] });
    const error = await rejectionOf(application.get(LazyModuleLoader).load(() => lazy, { logger: false }));
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({
      server: "'broken' of LazyModule",
      message: "'broken' of LazyModule did not start: Error: no disk",
    });
    expect(await clientOf(application).increment(1)).toBe(1);
  });

  it('is refused when its name is taken', async () => {
    const application = await started({ providers: [provideGenServer(Counter, { name: 'a' })] });
    @GenServer()
    class Other extends GenServerBase<null> {}
    const lazy = moduleOf('LazyModule', { providers: [provideGenServer(Other, { name: 'a' })] });
    await expect(application.get(LazyModuleLoader).load(() => lazy, { logger: false })).rejects.toMatchObject({
      mistake: 'name_taken',
      message: expect.stringContaining('Counter in RootTestModule and by Other in LazyModule'),
    });
    const again = moduleOf('AgainModule', { providers: [provideGenServer(Counter, { name: 'a', args: [1] })] });
    await expect(application.get(LazyModuleLoader).load(() => again, { logger: false })).rejects.toMatchObject({
      mistake: 'name_taken',
    });
  });
});

describe('runtime.client', () => {
  it('gives a client for a class, a name or a pid', async () => {
    const application = await started({ providers: [Counter, provideGenServer(Counter, { name: 'b', args: [5] })] });
    const runtime = application.get(GenServerRuntime);
    expect(await runtime.client<Counter>(Counter).read()).toBe(0);
    expect(await runtime.client<Counter>('b').read()).toBe(5);
    const pid = await runtime.start(Counter, { args: [9] });
    expect(await runtime.client<Counter>(pid).read()).toBe(9);
    expect(await runtime.client(pid, Counter).read()).toBe(9);
  });

  it('gives one for a name that nobody holds yet, when it is told the class', async () => {
    const application = await started({ providers: [Counter] });
    const runtime = application.get(GenServerRuntime);
    const later = runtime.client('later', Counter);
    expect(await rejectionOf(later.read())).toMatchObject({ code: 'NO_PROCESS', destination: "'later'" });
    await runtime.start(Counter, { name: 'later', args: [3] });
    expect(await later.read()).toBe(3);
  });

  it('throws for a name that nobody knows', async () => {
    const application = await started({ providers: [Counter] });
    const error = thrownBy(() => application.get(GenServerRuntime).client('nobody'));
    expect(error).toBeInstanceOf(NoProcessError);
    expect(error).toMatchObject({
      message: "No process: 'nobody'. Give the class as second argument to make a client all the same.",
    });
  });
});
