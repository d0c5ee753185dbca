import { Inject, Injectable, type OnModuleInit, Scope } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  type GenServerEvent,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  InjectGenServer,
  NoProcessError,
  noReply,
  ok,
  provideGenServer,
  reply,
  ServerExitedError,
  Supervisor,
  type ViaRegistry,
} from 'nestjs-genserver';
import { deferred, type Deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { compiled, moduleOf, started } from './support/application.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

class Boom extends Error {}

@GenServer()
class Counter extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() increment() {
    return reply(this.state + 1, this.state + 1);
  }
  @HandleCall() where() {
    return reply(this.self.pid);
  }
  @HandleCall() crash() {
    throw new Boom('boom');
    return reply(1);
  }
  @HandleCall() async crashLater() {
    await turn();
    throw new Boom('boom');
    return reply(1);
  }
  @HandleCast() reset() {
    return noReply(0);
  }
}

function expectNoProcess(error: unknown, destination: string, hint: string): void {
  expect(error).toBeInstanceOf(NoProcessError);
  expect(error).toMatchObject({
    name: 'NoProcessError',
    code: 'NO_PROCESS',
    destination,
    message: `No process: ${destination}. ${hint}`,
  });
}

describe('before the servers start', () => {
  const hint = 'Servers start when every onModuleInit is done: call it from onApplicationBootstrap or later.';

  it('a call is refused at once, and says when servers start', async () => {
    let error: unknown;
    @Injectable()
    class Early implements OnModuleInit {
      constructor(@InjectGenServer(Counter) private readonly counter: GenServerClient<Counter>) {}
      async onModuleInit() {
        error = await rejectionOf(this.counter.increment());
      }
    }
    await started({ providers: [Counter, Early] });
    expectNoProcess(error, 'Counter', hint);
  });

  it('a call through the runtime says the same', async () => {
    const application = await compiled({ providers: [Counter] });
    const runtime = application.get(GenServerRuntime);
    expectNoProcess(await rejectionOf(runtime.call(Counter, 'increment')), 'Counter', hint);
    expectNoProcess(await rejectionOf(runtime.client<Counter>(Counter).increment()), 'Counter', hint);
  });

  it('a cast is dropped, reported and warned about once, and never throws', async () => {
    const application = await compiled({ providers: [Counter] });
    const events: GenServerEvent[] = [];
    const warnings: string[] = [];
    application.useLogger({ log: () => {}, error: () => {}, warn: (line: string) => warnings.push(line) });
    application.get(GenServerRuntime).events$.subscribe((event) => events.push(event));
    const counter = application.get<GenServerClient<Counter>>(getGenServerToken(Counter));
    expect(counter.reset()).toBeUndefined();
    counter.reset();
    const dropped = { type: 'gen_server.cast_dropped', destination: 'Counter', handler: 'reset', why: hint };
    expect(events).toEqual([dropped, dropped]);
    expect(warnings).toEqual([expect.stringContaining(`CAST DROPPED reset to Counter: ${hint}`)]);
  });

  it('a plain message to a name throws, since nobody holds it', async () => {
    const application = await compiled({ providers: [Counter] });
    expect(thrownBy(() => application.get(GenServerRuntime).send(Counter, 'hello'))).toBeInstanceOf(NoProcessError);
  });
});

describe('while the servers start', () => {
  it('a call to a later sibling is refused at once, naming where that stands', async () => {
    const errors: unknown[] = [];
    @GenServer()
    class First extends GenServerBase<null> {
      constructor(
        @InjectGenServer(Counter) private readonly counter: GenServerClient<Counter>,
        private readonly runtime: GenServerRuntime,
      ) {
        super();
      }
      override async init() {
        errors.push(await rejectionOf(this.counter.increment()));
        errors.push(await rejectionOf(this.runtime.call(Counter, 'increment')));
        this.counter.reset();
        return ok(null);
      }
    }
    await started({ imports: [moduleOf('CartModule', { providers: [First, Counter] })] });
    const hint =
      'It has not started yet: servers start one at a time, in the order of modules and providers, and it stands in ' +
      'CartModule. List it earlier, or call it from onApplicationBootstrap.';
    for (const error of errors) expectNoProcess(error, 'Counter', hint);
    expect(errors).toHaveLength(2);
  });

  it('a call to an earlier sibling is answered', async () => {
    let answer: unknown;
    @GenServer()
    class Second extends GenServerBase<null> {
      constructor(@InjectGenServer(Counter) private readonly counter: GenServerClient<Counter>) {
        super();
      }
      override async init() {
        answer = await this.counter.increment();
        return ok(null);
      }
    }
    await started({ providers: [Counter, Second] });
    expect(answer).toBe(1);
  });
});

describe('while and after the application is closed', () => {
  it('a call is refused at once and a cast dropped', async () => {
    const application = await started({ providers: [Counter] });
    const counter = application.get<GenServerClient<Counter>>(getGenServerToken(Counter));
    const runtime = application.get(GenServerRuntime);
    expect(runtime.stopReport).toBeUndefined();
    await application.close();
    expectNoProcess(
      await rejectionOf(counter.increment()),
      'Counter',
      'The application has been closed, or did not start.',
    );
    expect(counter.reset()).toBeUndefined();
    expect(runtime.droppedCasts).toBe(1);
    expect(runtime.stopReport).toMatchObject({
      count: 1,
      stopped: [{ server: 'Counter', reason: 'shutdown', undrained: 0 }],
    });
  });

  it('a call from terminate to a server that has stopped before is refused, one to an earlier is answered', async () => {
    const outcomes: unknown[] = [];
    @GenServer()
    class Middle extends GenServerBase<null> {
      constructor(
        @InjectGenServer(Counter) private readonly earlier: GenServerClient<Counter>,
        @InjectGenServer(Counter, 'later') private readonly later: GenServerClient<Counter>,
      ) {
        super();
      }
      override init() {
        return ok(null);
      }
      override async terminate() {
        outcomes.push(await this.earlier.increment(), await rejectionOf(this.later.increment()));
      }
    }
    const application = await started({ providers: [Counter, Middle, provideGenServer(Counter, { name: 'later' })] });
    await application.close();
    expect(outcomes[0]).toBe(1);
    expectNoProcess(outcomes[1], "'later'", 'The application is shutting down.');
  });
});

describe('after a crash', () => {
  it.each(['crash', 'crashLater'] as const)(
    'the next call by the same client reaches the new incarnation, without waiting [%s]',
    async (crash) => {
      const application = await started({ providers: [Counter] });
      const counter = application.get<GenServerClient<Counter>>(getGenServerToken(Counter));
      await counter.increment();
      const before = await counter.where();
      const error = await rejectionOf(counter[crash]());
      expect(await counter.increment()).toBe(1);
      const after = await counter.where();
      expect(error).toBeInstanceOf(ServerExitedError);
      expect(error).toMatchObject({ server: 'Counter', reason: { message: 'boom' }, cause: { message: 'boom' } });
      expect(after).toMatchObject({ id: before.id, incarnation: before.incarnation + 1 });
    },
  );

  it('each caller that waited is rejected with an error of its own, and may call again at once', async () => {
    const application = await started({ providers: [Counter] });
    const counter = application.get<GenServerClient<Counter>>(getGenServerToken(Counter));
    const errors: unknown[] = [];
    const again = (error: unknown) => {
      errors.push(error);
      return counter.increment();
    };
    const calls = [counter.crashLater(), counter.increment(), counter.increment()];
    const answers = await Promise.all(calls.map((call) => call.catch(again)));
    expect(answers.sort()).toEqual([1, 2, 3]);
    expect(new Set(errors).size).toBe(3);
    for (const error of errors) expect(error).toMatchObject({ code: 'SERVER_EXITED', reason: { message: 'boom' } });
  });

  it('a call that comes while the new incarnation is in init waits for it', async () => {
    const inits: Deferred<void>[] = [];
    @GenServer()
    class Slow extends GenServerBase<number> {
      override async init() {
        const init = deferred();
        if (inits.push(init) > 1) await init.promise;
        return ok(inits.length);
      }
      @HandleCall() lives() {
        return reply(this.state);
      }
      @HandleCast() crash() {
        throw new Boom('boom');
        return noReply();
      }
    }
    const application = await started({ providers: [Slow] });
    const slow = application.get(GenServerRuntime).client<Slow>(Slow);
    slow.crash();
    await settle();
    const answer = slow.lives();
    await settle();
    inits[1]!.resolve();
    expect(await answer).toBe(2);
  });

  it('a call that comes while siblings are being stopped is refused at once', async () => {
    const gate = deferred();
    @GenServer()
    class Sibling extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      override terminate() {
        return gate.promise;
      }
    }
    const CartModule = moduleOf('CartModule', { providers: [Counter, Sibling] });
    Supervisor({ strategy: 'one_for_all' })(CartModule);
    const application = await started({ imports: [CartModule] });
    const counter = application.get<GenServerClient<Counter>>(getGenServerToken(Counter));
    await rejectionOf(counter.crash());
    await settle();
    const hint = 'It has ended, or is being restarted: nothing waits for it to come back.';
    expectNoProcess(await rejectionOf(counter.increment()), 'Counter', hint);
    gate.resolve();
    await settle();
    expect(await counter.increment()).toBe(1);
  });

  it('the new incarnation is a new instance with the same singletons, and transients of its own', async () => {
    @Injectable()
    class Singleton {}
    @Injectable({ scope: Scope.TRANSIENT })
    class Transient {}
    const instances: Instance[] = [];
    @GenServer()
    class Instance extends GenServerBase<null> {
      @Inject() readonly property!: Singleton;
      constructor(
        readonly singleton: Singleton,
        readonly transient: Transient,
        @InjectGenServer(Counter) readonly counter: GenServerClient<Counter>,
      ) {
        super();
      }
      override init() {
        instances.push(this);
        return ok(null);
      }
      @HandleCall() crash() {
        throw new Boom('boom');
        return reply(1);
      }
    }
    const application = await started({ providers: [Singleton, Transient, Counter, Instance] });
    await rejectionOf(application.get(GenServerRuntime).call(Instance, 'crash'));
    await settle();
    const [first, second, ...others] = instances;
    expect(others).toEqual([]);
    expect(second).not.toBe(first);
    expect(second).not.toBe(application.get(Instance)); // the template, which runs nothing
    expect(second!.singleton).toBe(first!.singleton);
    expect(second!.singleton).toBe(application.get(Singleton));
    expect(second!.property).toBe(first!.singleton);
    expect(second!.counter).toBe(first!.counter);
    expect(second!.transient).toBeInstanceOf(Transient);
    expect(second!.transient).not.toBe(first!.transient);
  });

  it('init gets the very arguments of the first time, or what their function makes anew', async () => {
    @GenServer()
    class WithArguments extends GenServerBase<unknown> {
      override init(...args: unknown[]) {
        return ok(args);
      }
      @HandleCall() args() {
        return reply(this.state as unknown[]);
      }
      @HandleCall() crash() {
        throw new Boom('boom');
        return reply(1);
      }
    }
    let made = 0;
    const fixed = [{ startedAt: new Date() }, 'x'];
    const application = await started({
      providers: [
        provideGenServer(WithArguments, { name: 'fixed', args: fixed }),
        provideGenServer(WithArguments, { name: 'made', args: () => [++made] }),
      ],
    });
    const runtime = application.get(GenServerRuntime);
    const [one, two] = ['fixed', 'made'].map((name) => runtime.client<WithArguments>(name));
    expect(await two!.args()).toEqual([1]);
    await rejectionOf(one!.crash());
    const args = await one!.args();
    expect(args).toEqual(fixed);
    expect(args[0]).toBe(fixed[0]);
    await rejectionOf(two!.crash());
    expect(await two!.args()).toEqual([2]);
  });

  it('what its server was started with is unchanged, and its pid is the next incarnation', async () => {
    interface AppInfo {
      readonly startedAt: Date;
    }
    @GenServer()
    class Hashmap extends GenServerBase<AppInfo> {
      override init(app: AppInfo) {
        return ok(app);
      }
      @HandleCall() startedAt() {
        return reply(this.state.startedAt);
      }
      @HandleCall() crash() {
        throw new Boom('boom');
        return reply(1);
      }
    }
    const startedAt = new Date(0);
    const application = await started({ providers: [provideGenServer(Hashmap, { args: [{ startedAt }] })] });
    const hashmap = application.get<GenServerClient<Hashmap>>(getGenServerToken(Hashmap));
    const runtime = application.get(GenServerRuntime);
    const first = runtime.whereis(Hashmap)!;
    await rejectionOf(hashmap.crash());
    expect(await hashmap.startedAt()).toBe(startedAt);
    expect(first.toString()).toBe(`<0.${first.id}.0>`);
    expect(runtime.whereis(Hashmap)?.toString()).toBe(`<0.${first.id}.1>`);
  });
});

describe('a name in a registry that throws', () => {
  class BrokenRegistry implements ViaRegistry {
    registerName(): boolean {
      return true;
    }
    unregisterName(): void {}
    whereisName(): never {
      throw new Error('the registry is broken');
    }
    send(): void {}
  }

  it('rejects the calls of a client, and drops its casts', async () => {
    const name = { via: new BrokenRegistry(), key: 'k' };
    const needs = {
      provide: 'needs',
      useFactory: (client: unknown) => client,
      inject: [getGenServerToken(Counter, name)],
    };
    const application = await started({ providers: [provideGenServer(Counter, { name }), needs] });
    const client = application.get<GenServerClient<Counter>>('needs');
    expect(await rejectionOf(client.increment())).toMatchObject({ message: 'the registry is broken' });
    expect(client.reset()).toBeUndefined();
  });
});
