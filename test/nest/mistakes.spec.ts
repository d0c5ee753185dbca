import type { Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  error,
  GenServer,
  GenServerBase,
  type GenServerClient,
  GenServerModule,
  type GenServerModuleOptions,
  GenServerRuntime,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  noReply,
  ok,
  provideGenServer,
  reply,
  type ViaRegistry,
} from 'nestjs-genserver';

async function compile(options: GenServerModuleOptions, ...providers: Provider[]) {
  const module = await Test.createTestingModule({
    imports: [GenServerModule.forRoot({ onTreeExit: 'keep', ...options })],
    providers,
  }).compile();
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  return app;
}

@GenServer()
class Counter extends GenServerBase<number> {
  override init() {
    return ok(0);
  }

  @HandleCall()
  count() {
    return reply(this.state);
  }

  @HandleCall()
  promise() {
    // As JavaScript would: the compiler refuses a promise.
    const value: string = Promise.reject(new Error('nobody awaits me')) as never;
    return reply(value);
  }

  @HandleCast()
  add() {
    return noReply(this.state + 1);
  }
}

/** Takes names, and throws when somebody asks for one. */
class Broken implements ViaRegistry {
  registerName(): boolean {
    return true;
  }

  unregisterName(): void {}

  whereisName(): never {
    throw new Error('the registry is broken');
  }

  send(): void {}
}

describe('a server class', () => {
  it.each([
    [
      'an info handler',
      (proto: object, of: PropertyDescriptor) => HandleInfo('x')(proto as never, 'then', of as never),
    ],
    ['a method without a decorator', () => undefined],
  ])('may not have %s named then, for which Nest would wait for ever', async (_what, decorate) => {
    class Thenable extends GenServerBase<null> {
      then() {
        return noReply();
      }
    }
    decorate(Thenable.prototype, Object.getOwnPropertyDescriptor(Thenable.prototype, 'then')!);
    GenServer()(Thenable);
    await expect(compile({}, Thenable)).rejects.toMatchObject({ mistake: 'reserved_name' });
  });

  it('may not be listed with handlers and without @GenServer(), since nobody would ever run it', async () => {
    class Forgotten extends GenServerBase<null> {
      ping() {
        return noReply();
      }
    }
    const ping = Object.getOwnPropertyDescriptor(Forgotten.prototype, 'ping')!;
    HandleCast()(Forgotten.prototype, 'ping' as never, ping);
    await expect(compile({}, Forgotten)).rejects.toMatchObject({ mistake: 'not_decorated' });
  });
});

describe('options', () => {
  it('that nobody reads are refused, naming those there are', async () => {
    class Typing extends GenServerBase<null> {}
    GenServer({ calTimeoutMs: 5 } as never)(Typing);
    await expect(compile({}, Typing)).rejects.toMatchObject({
      mistake: 'invalid_option',
      message: expect.stringContaining('Typing has no option calTimeoutMs. Use one of: name, args,') as string,
    });
    await expect(compile({ supervisior: {} } as never)).rejects.toThrow(/forRoot\(\) has no option supervisior/);
  });

  it('of the module that lack what will be called are refused', async () => {
    await expect(compile({ clock: {} as never })).rejects.toThrow(
      /clock of .* must be an object with the methods now, /,
    );
    const clock = { now: () => 0, wallTime: () => 0, setTimer: () => 0, nextTurn: () => 0 };
    await expect(compile({ clock: { ...clock, afterCallback: 5 } as never })).rejects.toThrow(/missing: afterCallback/);
    await expect(compile({ globalNames: { register: 1 } as never })).rejects.toThrow(
      /missing: register, unregister, whereis/,
    );
  });

  it.each([
    [{ isolation: 'bogus' }, /isolation of Counter must be 'none' or 'clone'/],
    [{ trapExit: 'no' }, /trapExit of Counter must be true or false/],
    [{ args: 5 }, /args of Counter must be an array/],
  ])('of runtime.start are checked as well: %o', async (options, message) => {
    const app = await compile({}, Counter);
    await app.init();
    const runtime = app.get(GenServerRuntime);
    await expect(runtime.start(Counter, options as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(runtime.start(Counter, options as never)).rejects.toThrow(message);
  });
});

describe('a client of a name in a registry that throws', () => {
  it('rejects calls and drops casts', async () => {
    const name = { via: new Broken(), key: 'k' };
    const needs = {
      provide: 'needs',
      useFactory: (client: unknown) => client,
      inject: [getGenServerToken(Counter, name)],
    };
    const app = await compile({}, provideGenServer(Counter, { name }), needs);
    await app.init();
    const client = app.get<GenServerClient<Counter>>('needs');
    await expect(client.count()).rejects.toThrow('the registry is broken');
    expect(client.add()).toBeUndefined();
  });
});

describe('a promise in place of a reply', () => {
  it('is a bad return value, and its own rejection is nobody else’s business', async () => {
    const needs = { provide: 'needs', useFactory: (client: unknown) => client, inject: [getGenServerToken(Counter)] };
    const app = await compile({}, Counter, needs);
    await app.init();
    const client = app.get<GenServerClient<Counter>>('needs');
    await expect(client.promise()).rejects.toMatchObject({
      code: 'SERVER_EXITED',
      cause: { code: 'BAD_RETURN_VALUE', message: expect.stringContaining('await it first') as string },
    });
    expect(await client.count()).toBe(0);
  });
});

describe('app.close()', () => {
  it('leaves no process, also when one starts another with its last words', async () => {
    const started: string[] = [];
    @GenServer()
    class Hydra extends GenServerBase<number> {
      override init(heads: number) {
        started.push(`${heads}`);
        return heads > 5 ? error('enough') : ok(heads);
      }

      override async terminate() {
        await this.self.startLink(Hydra, { args: [this.state + 1] });
      }
    }
    const app = await compile({}, Counter, provideGenServer(Hydra, { args: [0], name: 'first' }));
    await app.init();
    const runtime = app.get(GenServerRuntime);
    const pid = await runtime.start(Hydra, { args: [1] });
    await app.close();
    expect(started.length).toBeGreaterThan(2);
    expect(runtime.whereis(pid)).toBeUndefined();
    await expect(runtime.call(Counter, 'count')).rejects.toMatchObject({ code: 'NO_PROCESS' });
  });
});
