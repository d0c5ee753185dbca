import {
  Controller,
  type DynamicModule,
  Global,
  Inject,
  Injectable,
  type MiddlewareConsumer,
  Module,
  type ModuleMetadata,
  Scope,
  UseGuards,
} from '@nestjs/common';
import { REQUEST } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  GenServer,
  GenServerBase,
  type GenServerClient,
  GenServerConfigError,
  type GenServerMistake,
  GenServerModule,
  type GenServerModuleOptions,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  InjectGenServer,
  noReply,
  ok,
  provideGenServer,
  reply,
  Supervisor,
  SupervisorConfigError,
} from 'nestjs-genserver';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { moduleOf } from './support/application.js';

interface Attempt {
  readonly error: unknown;
  /** What the server of a module that comes first went through. */
  readonly journal: readonly string[];
}

interface AttemptOptions {
  readonly options?: GenServerModuleOptions;
  readonly override?: (builder: TestingModuleBuilder) => TestingModuleBuilder;
}

/** Starts an application that cannot be started, with a server in it that nothing is wrong with. */
async function attempt(
  imports: NonNullable<ModuleMetadata['imports']>,
  { options, override = (builder) => builder }: AttemptOptions = {},
): Promise<Attempt> {
  const journal: string[] = [];
  @GenServer()
  class Innocent extends GenServerBase<null> {
    override init() {
      journal.push('init');
      return ok(null);
    }
    override terminate() {
      journal.push('terminate');
    }
  }
  const innocents = moduleOf('InnocentModule', { providers: [Innocent] });
  const start = async () => {
    const builder = Test.createTestingModule({ imports: [GenServerModule.forRoot(options), innocents, ...imports] });
    const application = await override(builder).compile();
    application.useLogger(false);
    onTestFinished(() => application.close().catch(() => undefined));
    await application.init();
  };
  return { error: await rejectionOf(start()), journal };
}

/** Expects a refusal before any server has run. */
async function expectRefusal(
  mistake: GenServerMistake,
  message: string,
  imports: NonNullable<ModuleMetadata['imports']>,
  options: AttemptOptions = {},
): Promise<void> {
  const { error, journal } = await attempt(imports, options);
  expectConfigError(error, mistake, message);
  expect(journal).toEqual([]);
}

function expectConfigError(error: unknown, mistake: GenServerMistake, message: string): void {
  expect(error).toBeInstanceOf(GenServerConfigError);
  expect(error).toMatchObject({ name: 'GenServerConfigError', code: 'GEN_SERVER_CONFIG', mistake, message });
}

@Injectable({ scope: Scope.REQUEST })
class Tenant {}

@Injectable()
class Repository {
  constructor(readonly tenant: Tenant) {}
}

@GenServer()
class Cart extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall()
  total() {
    return reply(this.state);
  }
}

describe('a server class that makes no process', () => {
  const requestScoped = (server: string) =>
    `${server} in CartModule depends on a request-scoped provider, or is one itself. A process outlives every request: ` +
    'inject a singleton, and pass what belongs to a request as an argument.';

  it('is refused when it depends on a request-scoped provider', async () => {
    @GenServer()
    class TenantCart extends GenServerBase<null> {
      constructor(readonly tenant: Tenant) {
        super();
      }
    }
    const CartModule = moduleOf('CartModule', { providers: [Tenant, TenantCart] });
    await expectRefusal('request_scoped', requestScoped('TenantCart'), [CartModule]);
  });

  it('is refused when a dependency of a dependency is request-scoped', async () => {
    @GenServer()
    class DeepCart extends GenServerBase<null> {
      constructor(readonly repository: Repository) {
        super();
      }
    }
    const CartModule = moduleOf('CartModule', { providers: [Tenant, Repository, DeepCart] });
    await expectRefusal('request_scoped', requestScoped('DeepCart'), [CartModule]);
  });

  it('is refused when a property of it is request-scoped', async () => {
    @GenServer()
    class PropertyCart extends GenServerBase<null> {
      @Inject() readonly tenant!: Tenant;
    }
    const CartModule = moduleOf('CartModule', { providers: [Tenant, PropertyCart] });
    await expectRefusal('request_scoped', requestScoped('PropertyCart'), [CartModule]);
  });

  it('is refused when it injects the request', async () => {
    @GenServer()
    class NosyCart extends GenServerBase<null> {
      constructor(@Inject(REQUEST) readonly request: unknown) {
        super();
      }
    }
    await expectRefusal('request_scoped', requestScoped('NosyCart'), [
      moduleOf('CartModule', { providers: [NosyCart] }),
    ]);
    await expectRefusal('request_scoped', requestScoped('NosyCart'), [
      moduleOf('CartModule', { providers: [provideGenServer(NosyCart)] }),
    ]);
  });

  it('is refused when it is request-scoped itself', async () => {
    @Injectable({ scope: Scope.REQUEST })
    @GenServer()
    class RequestCart extends GenServerBase<null> {}
    const CartModule = moduleOf('CartModule', { providers: [RequestCart] });
    await expectRefusal('request_scoped', requestScoped('RequestCart'), [CartModule]);
  });

  it('is refused when it is transient', async () => {
    @Injectable({ scope: Scope.TRANSIENT })
    @GenServer()
    class TransientCart extends GenServerBase<null> {}
    const CartModule = moduleOf('CartModule', { providers: [TransientCart] });
    await expectRefusal(
      'transient',
      'TransientCart in CartModule is transient. A process is one instance per incarnation already: remove scope: ' +
        'Scope.TRANSIENT.',
      [CartModule],
    );
  });

  it('is refused when a factory makes it', async () => {
    const CartModule = moduleOf('CartModule', { providers: [{ provide: Cart, useFactory: () => new Cart() }] });
    await expectRefusal(
      'use_factory',
      'Cart in CartModule is given by useFactory, but every incarnation needs a new instance that Nest makes. ' +
        'List the class itself, or use provideGenServer(), and inject what the factory would have computed.',
      [CartModule],
    );
  });

  it('is refused when it does not extend GenServerBase', async () => {
    @GenServer()
    class Baseless {}
    const CartModule = moduleOf('CartModule', { providers: [Baseless] });
    await expectRefusal(
      'not_a_gen_server_base',
      'Baseless is decorated with @GenServer() but does not extend GenServerBase. ' +
        'Write: class Baseless extends GenServerBase<YourState>.',
      [CartModule],
    );
  });

  it('is refused when it has handlers and no @GenServer(), since nobody would ever run it', async () => {
    class ForgottenCart extends GenServerBase<null> {
      @HandleCast() ping() {
        return noReply();
      }
    }
    const { error, journal } = await attempt([moduleOf('CartModule', { providers: [ForgottenCart] })]);
    expect(error).toMatchObject({ mistake: 'not_decorated' });
    expect(journal).toEqual([]);
  });

  it.each([
    ['onModuleInit', 'init()'],
    ['onApplicationBootstrap', 'init()'],
    ['onModuleDestroy', 'terminate()'],
    ['beforeApplicationShutdown', 'terminate()'],
    ['onApplicationShutdown', 'terminate()'],
  ])('is refused when it defines the hook %s', async (hook, callback) => {
    @GenServer()
    class HookedCart extends GenServerBase<null> {}
    Object.defineProperty(HookedCart.prototype, hook, { value: () => undefined });
    const CartModule = moduleOf('CartModule', { providers: [HookedCart] });
    await expectRefusal(
      'lifecycle_hook',
      `HookedCart defines ${hook}(), which Nest would call on an unused template and never on the process. ` +
        `Use ${callback} instead.`,
      [CartModule],
    );
  });

  it('is refused when it inherits a hook', async () => {
    abstract class Hooked extends GenServerBase<null> {
      onModuleDestroy() {}
    }
    @GenServer()
    class HeirCart extends Hooked {}
    const { error } = await attempt([moduleOf('CartModule', { providers: [HeirCart] })]);
    expect(error).toMatchObject({ mistake: 'lifecycle_hook' });
  });
});

describe('a handler that could not work', () => {
  it.each([
    ['then', 'a client that has it would be taken for a promise'],
    ['catch', 'a client that has it would be taken for a promise'],
    ['finally', 'a client that has it would be taken for a promise'],
    ['with', 'every client has a method of that name'],
    ['init', 'it is a callback of every server'],
    ['terminate', 'it is a callback of every server'],
    ['codeChange', 'it is a callback of every server'],
    ['formatStatus', 'it is a callback of every server'],
    ['onConfigChange', 'it is a callback of every server'],
    ['constructor', 'it is a callback of every server'],
    ['from', 'GenServerBase has a member of that name'],
    ['__proto__', 'every object has a member of that name'],
    ['toJSON', 'printing or serialising a client would call it'],
    ['toString', 'printing or serialising a client would call it'],
    ['valueOf', 'printing or serialising a client would call it'],
    ['hasOwnProperty', 'printing or serialising a client would call it'],
  ])('is refused when it is named %s', async (name, why) => {
    for (const decorate of [HandleCall(), HandleCast()] as readonly MethodDecorator[]) {
      @GenServer()
      class NamedCart extends GenServerBase<null> {}
      const method = Object.getOwnPropertyDescriptor(NamedCart.prototype, name) ?? { value: () => reply(1) };
      Object.defineProperty(NamedCart.prototype, name, method);
      decorate(NamedCart.prototype, name, method);
      const CartModule = moduleOf('CartModule', { providers: [NamedCart] });
      await expectRefusal('reserved_name', `NamedCart.${name} cannot be a handler: ${why}. Rename the method.`, [
        CartModule,
      ]);
    }
  });

  it.each([
    [
      'an info handler',
      (proto: object, of: PropertyDescriptor) => HandleInfo('x')(proto as never, 'then', of as never),
    ],
    ['a method without a decorator', () => undefined],
  ])('is refused as %s named then, for which Nest would wait for ever', async (_what, decorate) => {
    @GenServer()
    class ThenableCart extends GenServerBase<null> {
      then() {
        return noReply();
      }
    }
    decorate(ThenableCart.prototype, Object.getOwnPropertyDescriptor(ThenableCart.prototype, 'then')!);
    const { error, journal } = await attempt([moduleOf('CartModule', { providers: [ThenableCart] })]);
    expect(error).toMatchObject({ mistake: 'reserved_name' });
    expect(journal).toEqual([]);
  });

  it('is refused when another method handles the same message', async () => {
    @GenServer()
    class TwiceCart extends GenServerBase<null> {
      @HandleInfo('idle') onIdle() {
        return noReply();
      }
      @HandleInfo('idle') onIdleToo() {
        return noReply();
      }
    }
    await expectRefusal(
      'handled_twice',
      "TwiceCart handles the message 'idle' twice, in onIdle() and in onIdleToo(). One of them would never run: " +
        'remove it, or give it another tag.',
      [moduleOf('CartModule', { providers: [TwiceCart] })],
    );
  });

  it('is refused when another method of a base class handles the same message', async () => {
    class Base extends GenServerBase<null> {
      @HandleInfo(Error) onError() {
        return noReply();
      }
    }
    @GenServer()
    class HeirCart extends Base {
      @HandleInfo(Error) onFailure() {
        return noReply();
      }
    }
    await expectRefusal(
      'handled_twice',
      'HeirCart handles the message Error twice, in onError() and in onFailure(). One of them would never run: ' +
        'remove it, or give it another tag.',
      [moduleOf('CartModule', { providers: [HeirCart] })],
    );
  });

  it('is refused when another method takes the rest as well', async () => {
    @GenServer()
    class RestCart extends GenServerBase<null> {
      @HandleInfo() one() {
        return noReply();
      }
      @HandleInfo() two() {
        return noReply();
      }
    }
    await expectRefusal(
      'handled_twice',
      'RestCart handles every other message twice, in one() and in two(). One of them would never run: remove it, ' +
        'or give it another tag.',
      [moduleOf('CartModule', { providers: [RestCart] })],
    );
  });

  it('is refused when another method handles the same continue', async () => {
    @GenServer()
    class ContinueCart extends GenServerBase<null> {
      @HandleContinue('load') load() {
        return noReply();
      }
      @HandleContinue('load') reload() {
        return noReply();
      }
    }
    await expectRefusal(
      'handled_twice',
      "ContinueCart handles continue 'load' twice, in load() and in reload(). One of them would never run: remove it, " +
        'or give it another tag.',
      [moduleOf('CartModule', { providers: [ContinueCart] })],
    );
  });

  it('is refused when it is of two kinds', async () => {
    @GenServer()
    class MixedCart extends GenServerBase<number> {
      @HandleCall()
      // @ts-expect-error -- a cast does not reply
      @HandleCast()
      add() {
        return reply(1);
      }
    }
    await expectRefusal(
      'kind_changed',
      'MixedCart.add is a call handler and a cast handler at once. Callers rely on what it was first: keep one ' +
        'decorator, or rename the method. An override keeps the decoration it inherits.',
      [moduleOf('CartModule', { providers: [MixedCart] })],
    );
  });

  it('is refused when an override is of another kind', async () => {
    class Base extends GenServerBase<number> {
      @HandleCall() add() {
        return reply(1);
      }
    }
    @GenServer()
    class ChangedCart extends Base {
      // @ts-expect-error -- a cast does not reply
      @HandleCast() override add() {
        return noReply(1);
      }
    }
    const { error } = await attempt([moduleOf('CartModule', { providers: [ChangedCart] })]);
    expect(error).toMatchObject({ mistake: 'kind_changed', message: expect.stringContaining('ChangedCart.add') });
  });

  it('is refused when it is no method', async () => {
    @GenServer()
    class GetterCart extends GenServerBase<number> {
      get total(): number {
        return this.state;
      }
    }
    HandleCall()(GetterCart.prototype, 'total', undefined as never);
    await expectRefusal('not_a_method', 'GetterCart.total is decorated as a handler but is no method of the class.', [
      moduleOf('CartModule', { providers: [GetterCart] }),
    ]);
  });
});

describe('options that make no sense', () => {
  it.each([
    ['name', { name: '' }, 'a non-empty string, a symbol, a class, { global } or { via, key }', "''"],
    ['args', { args: 1 }, 'an array of the arguments of init, or a function that returns one', '1'],
    ['restart', { restart: 'always' }, "'permanent', 'transient' or 'temporary'", "'always'"],
    ['shutdownMs', { shutdownMs: -1 }, "milliseconds, 0 or more, Infinity or 'brutal_kill'", '-1'],
    ['shutdownMs', { shutdownMs: 'soon' }, "milliseconds, 0 or more, Infinity or 'brutal_kill'", "'soon'"],
    ['callTimeoutMs', { callTimeoutMs: NaN }, 'a number of milliseconds, 0 or more (Infinity waits for ever)', 'NaN'],
    [
      'startTimeoutMs',
      { startTimeoutMs: '5s' },
      'a number of milliseconds, 0 or more (Infinity waits for ever)',
      "'5s'",
    ],
    ['isolation', { isolation: 'deep' }, "'none' or 'clone'", "'deep'"],
    ['trapExit', { trapExit: 'yes' }, 'true or false', "'yes'"],
    ['drain', { drain: 0 }, 'true or false', '0'],
  ])('of a server are refused: %s in %o', async (option, options, expected, got) => {
    const message = (server: string) => `${option} of ${server} must be ${expected}, got: ${got}`;
    @GenServer(options as never)
    class OddCart extends GenServerBase<number> {}
    await expectRefusal('invalid_option', message('OddCart'), [moduleOf('CartModule', { providers: [OddCart] })]);
    const provided = moduleOf('CartModule', { providers: [provideGenServer(Cart, options as never)] });
    await expectRefusal('invalid_option', message('Cart'), [provided]);
  });

  it('of a handler are refused', async () => {
    @GenServer()
    class HastyCart extends GenServerBase<number> {
      @HandleCall({ timeoutMs: -1 }) total() {
        return reply(1);
      }
    }
    await expectRefusal(
      'invalid_option',
      'timeoutMs of HastyCart.total must be a number of milliseconds, 0 or more (Infinity waits for ever), got: -1',
      [moduleOf('CartModule', { providers: [HastyCart] })],
    );
  });

  it.each([
    ['onTreeExit', { onTreeExit: 'restart' }, "'shutdown', 'keep' or a function", "'restart'"],
    ['replyErrors', { replyErrors: Error }, 'an array of error classes', '[Function: Error]'],
    ['replyErrors', { replyErrors: ['Error'] }, 'an array of error classes', "[ 'Error' ]"],
  ])('of the module are refused: %s in %o', async (option, options, expected, got) => {
    await expectRefusal(
      'invalid_option',
      `${option} of GenServerModule.forRoot() must be ${expected}, got: ${got}`,
      [],
      { options: options as never },
    );
  });

  it('that nobody reads are refused, naming those there are', async () => {
    @GenServer({ calTimeoutMs: 5 } as never)
    class TypoCart extends GenServerBase<null> {}
    const { error } = await attempt([moduleOf('CartModule', { providers: [TypoCart] })]);
    expect(error).toMatchObject({
      mistake: 'invalid_option',
      message: expect.stringContaining('TypoCart has no option calTimeoutMs. Use one of: name, args,') as string,
    });
    const ofModule = await attempt([], { options: { supervisior: {} } as never });
    expect(ofModule.error).toMatchObject({
      mistake: 'invalid_option',
      message: expect.stringContaining('forRoot() has no option supervisior') as string,
    });
  });

  const clock = { now: () => 0, wallTime: () => 0, setTimer: () => 0, nextTurn: () => 0 };

  it.each([
    [{ clock: {} }, /clock of .* must be an object with the methods now, /],
    [{ clock: { ...clock, afterCallback: 5 } }, /missing: afterCallback/],
    [{ globalNames: { register: 1 } }, /missing: register, unregister, whereis/],
  ])('of the module that lack what will be called are refused: %o', async (options, message) => {
    const { error } = await attempt([], { options: options as never });
    expect(error).toMatchObject({ message: expect.stringMatching(message) as string });
  });

  it.each([
    [
      { strategy: 'one_for_some' },
      'invalid_strategy',
      "strategy must be 'one_for_one', 'one_for_all' or 'rest_for_one', got: 'one_for_some'",
    ],
    [{ maxRestarts: -1 }, 'invalid_intensity', 'maxRestarts must be a number of restarts, 0 or more, got: -1'],
    [{ withinMs: 0 }, 'invalid_period', 'withinMs must be milliseconds, more than 0, got: 0'],
  ])('of a supervisor are refused: %o', async (options, mistake, message) => {
    @Supervisor(options as never)
    @Module({ providers: [Cart] })
    class CartModule {}
    for (const [owner, found] of [
      ['CartModule', await attempt([CartModule])],
      ['application', await attempt([], { options: { supervisor: options as never } })],
    ] as const) {
      expect(found.error).toBeInstanceOf(SupervisorConfigError);
      expect(found.error).toMatchObject({
        name: 'SupervisorConfigError',
        code: 'SUPERVISOR_CONFIG',
        mistake,
        message: `${message} (supervisor ${owner})`,
      });
      expect(found.journal).toEqual([]);
    }
  });
});

describe('a name that is wanted twice', () => {
  it('is refused when two modules list one class', async () => {
    await expectRefusal(
      'two_modules',
      'Cart is listed by FirstModule and by SecondModule, and both would be registered as Cart. List it in one of them ' +
        "(clients need no import), or name one: provideGenServer(Cart, { name: '…' }).",
      [moduleOf('FirstModule', { providers: [Cart] }), moduleOf('SecondModule', { providers: [Cart] })],
    );
  });

  it('is refused when two features bring one class', async () => {
    const { error, journal } = await attempt([
      moduleOf('FirstModule', { imports: [GenServerModule.forFeature([Cart])] }),
      moduleOf('SecondModule', { imports: [GenServerModule.forFeature([Cart])] }),
    ]);
    expect(error).toMatchObject({
      mistake: 'two_modules',
      message: expect.stringContaining('Cart is listed by FirstModule and by SecondModule'),
    });
    expect(journal).toEqual([]);
  });

  it.each(['carts', Symbol('carts'), { global: 'carts' }])('is refused for two servers named %o', async (name) => {
    @GenServer()
    class Basket extends GenServerBase<null> {}
    const { error, journal } = await attempt([
      moduleOf('FirstModule', { providers: [provideGenServer(Cart, { name })] }),
      moduleOf('SecondModule', { providers: [provideGenServer(Basket, { name })] }),
    ]);
    const printed =
      typeof name === 'symbol' ? name.toString() : typeof name === 'string' ? `'${name}'` : "{ global: 'carts' }";
    expectConfigError(
      error,
      'name_taken',
      `The name ${printed} is wanted twice, by Cart in FirstModule and by Basket in SecondModule. Names are unique in an ` +
        'application: change one.',
    );
    expect(journal).toEqual([]);
  });

  it('is refused for the class itself and one more of it without a name, in one module', async () => {
    await expectRefusal(
      'name_taken',
      'The name Cart is wanted twice, by Cart in CartModule and by Cart in CartModule. Names are unique in an ' +
        'application: change one.',
      [moduleOf('CartModule', { providers: [Cart, provideGenServer(Cart)] })],
    );
  });

  it('is refused for two of one class in one module, where the container would keep the last', async () => {
    const providers = [provideGenServer(Cart, { name: 'a' }), provideGenServer(Cart, { name: 'a', args: [1] })];
    const message =
      "The name 'a' is wanted twice, by Cart in CartModule and by Cart in CartModule. Names are unique in an " +
      'application: change one.';
    await expectRefusal('name_taken', message, [moduleOf('CartModule', { providers })]);
  });
});

describe('a client of a server that no module provides', () => {
  const message = (consumer: string, server = 'Cart') =>
    `${consumer} injects a client of ${server}, but no module provides that server. Add ${server} to the providers of a ` +
    'module of this application, or provideGenServer() with the name that is asked for.';

  it('is refused, naming the parameter, class and module', async () => {
    @Injectable()
    class Checkout {
      constructor(
        readonly tenantless: object,
        @InjectGenServer(Cart) readonly cart: GenServerClient<Cart>,
      ) {}
    }
    const ShopModule = moduleOf('ShopModule', { providers: [Checkout, { provide: Object, useValue: {} }] });
    await expectRefusal('not_provided', message('parameter 2 of the constructor of Checkout in ShopModule'), [
      ShopModule,
    ]);
  });

  it('is refused, naming the property of a controller', async () => {
    @Controller()
    class CartController {
      @InjectGenServer(Cart) readonly cart!: GenServerClient<Cart>;
    }
    const ShopModule = moduleOf('ShopModule', { controllers: [CartController] });
    await expectRefusal('not_provided', message('property cart of CartController in ShopModule'), [ShopModule]);
  });

  it('is refused for a guard', async () => {
    @Injectable()
    class CartGuard {
      constructor(@InjectGenServer(Cart) readonly cart: GenServerClient<Cart>) {}
      canActivate() {
        return true;
      }
    }
    @UseGuards(CartGuard)
    @Controller()
    class CartController {}
    const ShopModule = moduleOf('ShopModule', { controllers: [CartController] });
    await expectRefusal('not_provided', message('parameter 1 of the constructor of CartGuard in ShopModule'), [
      ShopModule,
    ]);
  });

  it('is refused for middleware, which Nest makes last', async () => {
    @Injectable()
    class CartMiddleware {
      constructor(@InjectGenServer(Cart) readonly cart: GenServerClient<Cart>) {}
      use(_request: unknown, _response: unknown, next: () => void) {
        next();
      }
    }
    class ShopModule {
      configure(consumer: MiddlewareConsumer) {
        consumer.apply(CartMiddleware).forRoutes('*path');
      }
    }
    Module({})(ShopModule);
    const start = async (fake?: object) => {
      const builder = Test.createTestingModule({ imports: [GenServerModule.forRoot(), ShopModule] });
      if (fake !== undefined) builder.overrideProvider(getGenServerToken(Cart)).useValue(fake);
      const application = (await builder.compile()).createNestApplication({ logger: false });
      onTestFinished(() => application.close().catch(() => undefined));
      await application.init();
    };
    expectConfigError(
      await rejectionOf(start()),
      'not_provided',
      message('parameter 1 of the constructor of CartMiddleware in ShopModule'),
    );
    await start({ total: () => Promise.resolve(1) });
  });

  it('is refused for a factory', async () => {
    const ShopModule = moduleOf('ShopModule', {
      providers: [{ provide: 'SHOP', inject: [getGenServerToken(Cart)], useFactory: (cart: unknown) => cart }],
    });
    await expectRefusal('not_provided', message('A factory in ShopModule'), [ShopModule]);
  });

  it('is refused for a name that nobody has', async () => {
    @Injectable()
    class Checkout {
      constructor(@InjectGenServer(Cart, 'other') readonly cart: GenServerClient<Cart>) {}
    }
    const ShopModule = moduleOf('ShopModule', { providers: [Cart, Checkout] });
    await expectRefusal(
      'not_provided',
      message('parameter 1 of the constructor of Checkout in ShopModule', "Cart named 'other'"),
      [ShopModule],
    );
  });

  it('is refused for a class that was asked for by a function', async () => {
    @Injectable()
    class Checkout {
      constructor(@InjectGenServer(() => Cart) readonly cart: GenServerClient<Cart>) {}
    }
    const ShopModule = moduleOf('ShopModule', { providers: [Checkout] });
    await expectRefusal('not_provided', message('parameter 1 of the constructor of Checkout in ShopModule'), [
      ShopModule,
    ]);
  });

  it('is refused for what inherits the constructor that asks', async () => {
    class Base {
      constructor(@InjectGenServer(Cart) readonly cart: GenServerClient<Cart>) {}
    }
    @Injectable()
    class Checkout extends Base {}
    const ShopModule = moduleOf('ShopModule', { providers: [Checkout] });
    await expectRefusal('not_provided', message('parameter 1 of the constructor of Checkout in ShopModule'), [
      ShopModule,
    ]);
  });
});

describe('provideGenServer', () => {
  it('refuses a class that is no server', async () => {
    class Plain extends GenServerBase<null> {}
    await expectRefusal('not_decorated', 'Plain is no server: decorate the class with @GenServer().', [
      moduleOf('CartModule', { providers: [provideGenServer(Plain, { name: 'plain' })] }),
    ]);
  });

  it('refuses an heir of a server that does not say so itself', async () => {
    class Heir extends Cart {}
    const { error } = await attempt([moduleOf('CartModule', { imports: [GenServerModule.forFeature([Heir])] })]);
    expect(error).toMatchObject({ mistake: 'not_decorated', message: expect.stringContaining('Heir') });
  });

  it.each(['constructor', 'property'])('refuses a class with a request-scoped %s dependency', async (where) => {
    @GenServer()
    class ConstructorCart extends GenServerBase<null> {
      constructor(readonly repository: Repository) {
        super();
      }
    }
    @GenServer()
    class PropertyCart extends GenServerBase<null> {
      @Inject() readonly tenant!: Tenant;
    }
    const type = where === 'constructor' ? ConstructorCart : PropertyCart;
    const CartModule = moduleOf('CartModule', {
      providers: [Tenant, Repository, provideGenServer(type, { name: 'tenant' })],
    });
    await expectRefusal(
      'request_scoped',
      `${type.name} in CartModule depends on a request-scoped provider, or is one itself. A process outlives every ` +
        'request: inject a singleton, and pass what belongs to a request as an argument.',
      [CartModule],
    );
  });

  it.each([undefined, null, {}, 'Cart'])('refuses %o in place of a class', (type) => {
    const thrown = thrownBy(() => provideGenServer(type as never));
    expectConfigError(
      thrown,
      'not_a_class',
      `A server must be given as its class, got: ${typeof type === 'string' ? `'${type}'` : type === undefined ? 'undefined' : type === null ? 'null' : '{}'}. ` +
        'If the class is undefined here, two files import each other: write @InjectGenServer(() => TheServer).',
    );
  });
});

describe('InjectGenServer', () => {
  it.each([undefined, null])('refuses %o, which files that import each other give, and says what helps', (type) => {
    const thrown = thrownBy(() => InjectGenServer(type as never));
    expect(thrown).toMatchObject({
      mistake: 'not_a_class',
      message: expect.stringContaining('write @InjectGenServer(() => TheServer)'),
    });
  });
});

describe('overrideProvider', () => {
  it('is refused when it puts a class that is no server in the place of one', async () => {
    class Plain {}
    await expectRefusal(
      'override_is_no_server',
      'Cart is overridden by Plain, which is no @GenServer() class. Decorate it, or override the client: ' +
        'overrideProvider(getGenServerToken(Cart)).useValue(…).',
      [moduleOf('CartModule', { providers: [Cart] })],
      { override: (builder) => builder.overrideProvider(Cart).useClass(Plain) },
    );
  });
});

describe('GenServerModule', () => {
  it('is refused when forRoot() is imported twice', async () => {
    await expectRefusal(
      'two_roots',
      'GenServerModule.forRoot() is imported twice, which would make two runtimes that know nothing of each other. ' +
        'Import it once, in the root module; other modules need no import at all.',
      [moduleOf('CartModule', { imports: [GenServerModule.forRoot()] })],
    );
  });

  it('is not refused when one forRoot() is imported by two modules', async () => {
    const root: DynamicModule = GenServerModule.forRoot();
    @Global()
    @Module({ imports: [root] })
    class CoreModule {}
    const application = await Test.createTestingModule({ imports: [root, CoreModule] }).compile();
    application.useLogger(false);
    await application.init();
    await application.close();
  });

  it('is refused when it is imported without forRoot()', async () => {
    const start = Test.createTestingModule({ imports: [GenServerModule] }).compile();
    expectConfigError(
      await rejectionOf(start),
      'not_provided',
      'GenServerModule is imported without options: import GenServerModule.forRoot() in the root module instead.',
    );
  });
});
