import { inspect } from 'node:util';
import { Body, Controller, Post } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type } from 'arktype';
import request from 'supertest';
import * as v from 'valibot';
import { describe, expect, it, onTestFinished } from 'vitest';
import * as z from 'zod';
import {
  ArgumentsRefusedError,
  type CallResult,
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerExceptionFilter,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  HandleInfo,
  InjectGenServer,
  noReply,
  ok,
  reply,
  type StandardSchema,
  Timeout,
  Validated,
} from 'nestjs-genserver';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { deferred } from '../support/deferred.js';
import { compiled, started } from './support/application.js';

const CANARY = 'canary-hunter2-4111';

/** A schema of no library at all. */
function schemaOf<Output>(validate: (value: unknown) => unknown): StandardSchema<unknown, Output> {
  return { '~standard': { version: 1, vendor: 'test', validate: validate as never } };
}

const accept = schemaOf<never>((value) => ({ value }));

describe.each([
  [
    'zod',
    z.object({ name: z.string().trim().min(2), count: z.number().max(9) }),
    z.object({ name: z.literal('tea'), count: z.number() }),
  ],
  [
    'valibot',
    v.object({ name: v.pipe(v.string(), v.trim(), v.minLength(2)), count: v.pipe(v.number(), v.maxValue(9)) }),
    v.object({ name: v.literal('tea'), count: v.number() }),
  ],
  [
    'arktype',
    type({ name: type('string.trim').to('string >= 2'), count: 'number <= 9' }),
    type({ name: '"tea"', count: 'number' }),
  ],
] as const)('a schema of %s', (_library, Item, Tea) => {
  @GenServer()
  class Basket extends GenServerBase<readonly { name: string; count: number }[]> {
    override init() {
      return ok([]);
    }
    @HandleCall({ schema: Item })
    add(item: { name: string; count: number }) {
      return reply(item.name, [...this.state, item]);
    }
    @HandleCall({ schema: Tea })
    brew(item: { name: string; count: number }) {
      return reply(item.name);
    }
    @HandleCast({ schema: Item })
    put(item: { name: string; count: number }) {
      return noReply([...this.state, item]);
    }
    @HandleCall() items() {
      return reply([...this.state]);
    }
  }
  const basketIn = async () => {
    const runtime = (await started({ providers: [Basket] })).get(GenServerRuntime);
    return { runtime, basket: runtime.client(Basket, Basket) };
  };

  it('gives the handler what it made of the argument', async () => {
    const { basket } = await basketIn();
    expect(await basket.add({ name: '  milk ', count: 1 })).toBe('milk');
    basket.put({ name: ' rice', count: 2 });
    expect(await basket.items()).toEqual([
      { name: 'milk', count: 1 },
      { name: 'rice', count: 2 },
    ]);
  });

  it('refuses a call with a typed error that says where, and the process lives on with its state', async () => {
    const { runtime, basket } = await basketIn();
    const pid = runtime.whereis(Basket);
    await basket.add({ name: 'milk', count: 1 });
    const refused = (await rejectionOf(basket.add({ name: 'm', count: 10 }))) as ArgumentsRefusedError;
    expect(refused).toBeInstanceOf(ArgumentsRefusedError);
    expect(refused).toMatchObject({ code: 'ARGUMENTS_REFUSED', server: 'Basket', handler: 'add' });
    expect(refused.issues.map(({ path }) => path).sort()).toEqual([
      [0, 'count'],
      [0, 'name'],
    ]);
    expect(refused.message).toMatch(/^Basket\.add did not take its arguments: argument 1, at (name|count): .+/);
    expect(await basket.items()).toEqual([{ name: 'milk', count: 1 }]);
    expect(runtime.whereis(Basket)).toBe(pid);
  });

  it('reports a cast that it refuses, and drops it', async () => {
    const { runtime, basket } = await basketIn();
    const events: unknown[] = [];
    runtime.events$.subscribe((event) => events.push(event));
    basket.put({ name: 'milk', count: 'many' } as never);
    expect(await basket.items()).toEqual([]);
    expect(events).toContainEqual({
      type: 'gen_server.arguments_refused',
      pid: runtime.whereis(Basket),
      label: 'Basket',
      kind: 'cast',
      handler: 'put',
      issues: [{ path: [0, 'count'], message: expect.any(String) }],
    });
  });

  it('never repeats what was given', async () => {
    const { basket } = await basketIn();
    for (const given of [
      { name: CANARY, count: CANARY },
      CANARY,
      [CANARY],
      { name: { [CANARY.slice(0, 3)]: CANARY } },
    ]) {
      const refused = await rejectionOf(basket.brew(given as never));
      expect(refused).toBeInstanceOf(ArgumentsRefusedError);
      expect(inspect(refused, { depth: Infinity, showHidden: true })).not.toContain(CANARY);
    }
  });
});

describe('schemas', () => {
  /** A server whose handlers are guarded by what the test brings. */
  function guardedBy(
    schema: StandardSchema | readonly StandardSchema[],
    handle: (...args: unknown[]) => void = () => {},
  ) {
    @GenServer()
    class Guarded extends GenServerBase<number> {
      override init() {
        return ok(0);
      }
      @HandleCall({ schema: schema as never })
      run(...args: unknown[]): CallResult<number, number> {
        handle(...args);
        return reply(args.length, this.state + 1);
      }
      @HandleCast({ schema: schema as never })
      tell(...args: unknown[]) {
        handle(...args);
        return noReply(this.state + 1);
      }
      @HandleCall() runs() {
        return reply(this.state);
      }
    }
    return Guarded;
  }
  const startedWith = async (...args: Parameters<typeof guardedBy>) => {
    const Guarded = guardedBy(...args);
    const runtime = (await started({ providers: [Guarded] })).get(GenServerRuntime);
    return { runtime, Guarded, client: runtime.client(Guarded, Guarded) };
  };

  it('are one for each argument, and an argument too many is refused', async () => {
    const { client } = await startedWith([z.string(), z.number().optional()]);
    expect(await client.run('a', 1)).toBe(2);
    expect(await client.run('a')).toBe(2);
    expect(await rejectionOf(client.run('a', 1, 2))).toMatchObject({ issues: [{ path: [2] }] });
    expect(await rejectionOf(client.run())).toMatchObject({ issues: [{ path: [0] }] });
    expect(await rejectionOf(client.run(1, 'a'))).toMatchObject({ issues: [{ path: [0] }, { path: [1] }] });
    expect(await client.runs()).toBe(2);
  });

  it('none at all means no arguments', async () => {
    const { client } = await startedWith([]);
    expect(await client.run()).toBe(0);
    expect(await rejectionOf(client.run(undefined))).toMatchObject({ issues: [{ path: [0] }] });
  });

  it('that is not in an array means exactly one argument', async () => {
    const { client } = await startedWith(accept);
    expect(await client.run(1)).toBe(1);
    expect(await rejectionOf(client.run(1, 2))).toMatchObject({ issues: [{ path: [1] }] });
  });

  it('guard every way to a handler', async () => {
    const { runtime, Guarded, client } = await startedWith(z.string());
    const refused = { code: 'ARGUMENTS_REFUSED' };
    expect(await rejectionOf(runtime.call(Guarded, 'run', [1]))).toMatchObject(refused);
    expect(await rejectionOf(client.with({ timeoutMs: 100 }).run(1))).toMatchObject(refused);
    runtime.cast(Guarded, 'tell', [1]);
    client.tell(1);
    expect(await client.runs()).toBe(0);
  });

  it.each<[string, (value: unknown) => unknown]>([
    ['throws', () => thrower(new Error('regular expression too complex'))],
    ['rejects', async () => thrower(new Error('regular expression too complex'))],
    ['gives undefined', () => undefined],
    ['gives null', () => null],
    ['gives an object without a value', () => ({})],
    ['gives issues that are no list', () => ({ issues: 'many' })],
    ['gives an empty list of issues', () => ({ issues: [], value: 1 })],
  ])('that %s lets nothing through, and the process lives on', async (_what, validate) => {
    const seen: unknown[] = [];
    const { runtime, Guarded, client } = await startedWith(schemaOf(validate), (...args) => seen.push(args));
    const pid = runtime.whereis(Guarded);
    expect(await rejectionOf(client.run(1))).toBeInstanceOf(ArgumentsRefusedError);
    client.tell(1);
    expect(await client.runs()).toBe(0);
    expect(seen).toEqual([]);
    expect(runtime.whereis(Guarded)).toBe(pid);
  });

  it.each<[string, () => unknown]>([
    ['a proxy whose traps throw', () => new Proxy({}, EVERY_TRAP_THROWS)],
    ['what has one for a prototype', () => Object.setPrototypeOf({}, new Proxy({}, EVERY_TRAP_THROWS)) as unknown],
    ['a list of them', () => [new Proxy({}, EVERY_TRAP_THROWS)]],
    [
      'a getter that throws',
      () => Object.defineProperty({}, 'a', { get: () => thrower(new Error('a trap')), enumerable: true }),
    ],
    ['a proxy that was revoked', () => revoked()],
  ])('refuse what cannot be looked at, and the process lives on: %s', async (_what, make) => {
    const complain = schemaOf(() => ({ issues: [{ message: 'wrong', path: [0, 'a'] }, { message: 'wrong' }] }));
    const { runtime, Guarded, client } = await startedWith([complain, z.number()]);
    const pid = runtime.whereis(Guarded);
    const refused = (await rejectionOf(client.run(make(), make()))) as ArgumentsRefusedError;
    expect(refused).toBeInstanceOf(ArgumentsRefusedError);
    expect(refused.issues.length).toBe(3);
    client.tell(make(), make());
    expect(await client.runs()).toBe(0);
    expect(runtime.whereis(Guarded)).toBe(pid);
  });

  it('that throws is the cause', async () => {
    const boom = new Error('boom');
    const { client } = await startedWith(schemaOf(() => thrower(boom)));
    expect(await rejectionOf(client.run(1))).toMatchObject({ cause: boom });
  });

  it('that is slow is overtaken by nothing', async () => {
    const gate = deferred<void>();
    const order: unknown[] = [];
    const slow = schemaOf(async (value) => {
      if (value === 'slow') await gate.promise;
      return { value };
    });
    const { client } = await startedWith(slow, (...args) => order.push(...args));
    const both = [client.run('slow'), client.run('fast')];
    client.tell('told');
    const runs = client.runs();
    await settle();
    expect(order).toEqual([]);
    gate.resolve();
    await Promise.all(both);
    expect(await runs).toBe(3);
    expect(order).toEqual(['slow', 'fast', 'told']);
  });

  it('that is slow does not bring a handler to life whose process was killed meanwhile', async () => {
    const gate = deferred<void>();
    const seen: unknown[] = [];
    const { runtime, Guarded, client } = await startedWith(
      schemaOf(async (value) => (await gate.promise, { value })),
      (...args) => seen.push(args),
    );
    const call = rejectionOf(client.run('late'));
    await settle();
    runtime.exit(Guarded, 'kill');
    gate.resolve();
    expect(await call).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
    await settle();
    expect(seen).toEqual([]);
  });

  it('look at the very value that the handler gets, in the turn of the message', async () => {
    const seen: unknown[] = [];
    const { client } = await startedWith(z.object({ role: z.literal('guest') }), (...args) => seen.push(...args));
    const given = { role: 'guest' };
    const call = rejectionOf(client.run(given));
    given.role = 'admin'; // after it was sent, before it is handled
    expect(await call).toBeInstanceOf(ArgumentsRefusedError);
    expect(seen).toEqual([]);
  });

  it('name at most a hundred issues', async () => {
    const issues = Array.from({ length: 5_000 }, (_, at) => ({ message: 'wrong', path: [at] }));
    const { client } = await startedWith(schemaOf(() => ({ issues })));
    const refused = (await rejectionOf(client.run(1))) as ArgumentsRefusedError;
    expect(refused.issues).toHaveLength(100);
    expect(refused.message.length).toBeLessThan(300);
  });

  it('that refuse do not end the wait for a timeout: no message came', async () => {
    const clock = new ManualClock();
    @GenServer()
    class Session extends GenServerBase<string> {
      override init() {
        return ok('open').timeout(1_000);
      }
      @HandleCall({ schema: z.string() }) touch(_by: string) {
        return reply('touched').timeout(1_000);
      }
      @HandleInfo(Timeout) protected expire() {
        return noReply('expired');
      }
      @HandleCall() status() {
        return reply(this.state);
      }
    }
    const runtime = (await started({ providers: [Session], options: { clock } })).get(GenServerRuntime);
    const session = runtime.client(Session, Session);
    await clock.advance(900);
    await Promise.all([rejectionOf(session.touch(1 as never)), rejectionOf(session.touch(2 as never))]);
    expect((await runtime.sys.getStatus(Session)).state).toBe('open');
    await clock.advance(1_000);
    expect(await session.status()).toBe('expired');
  });

  it('that are none are refused when the application starts', async () => {
    for (const schema of [{}, null, 'string', [z.string(), {}], { '~standard': { version: 2, validate: () => {} } }]) {
      const Guarded = guardedBy(schema as never);
      const refused = await compiled({ providers: [Guarded] }).catch((error: unknown) => error);
      expect(refused).toMatchObject({
        mistake: 'invalid_option',
        message: expect.stringContaining('schema of Guarded.'),
      });
    }
  });

  it('stand in front of what a subclass makes of the handler', async () => {
    const Guarded = guardedBy(z.string());
    @GenServer()
    class Stricter extends Guarded {
      override run(...args: unknown[]) {
        return reply(-args.length, this.state);
      }
    }
    const runtime = (await started({ providers: [Stricter] })).get(GenServerRuntime);
    const client = runtime.client(Stricter, Stricter);
    expect(await client.run('a')).toBe(-1);
    expect(await rejectionOf(client.run(1))).toBeInstanceOf(ArgumentsRefusedError);
  });
});

describe('over HTTP', () => {
  it('a refusal is a 400 with the issues, and without what was given', async () => {
    const Order = z.object({
      email: z.string().regex(/@/, { error: (issue) => `no address: ${String(issue.input)}` }),
    });

    @GenServer()
    class Orders extends GenServerBase<number> {
      override init() {
        return ok(0);
      }
      @HandleCall({ schema: Order }) place(_order: Validated<typeof Order>) {
        return reply(this.state + 1, this.state + 1);
      }
    }
    @Controller('orders')
    class OrdersController {
      constructor(@InjectGenServer(Orders) private readonly orders: GenServerClient<Orders>) {}
      @Post() place(@Body() order: { email: string }) {
        return this.orders.place(order);
      }
    }
    const module = await compiled({
      providers: [Orders, { provide: APP_FILTER, useClass: GenServerExceptionFilter }],
      controllers: [OrdersController],
    });
    const application = module.createNestApplication({ logger: false });
    onTestFinished(() => application.close());
    await application.init();
    const server = application.getHttpServer();
    await request(server).post('/orders').send({ email: 'a@b' }).expect(201);
    const { body } = await request(server).post('/orders').send({ email: CANARY }).expect(400);
    expect(body).toEqual({
      statusCode: 400,
      error: 'ARGUMENTS_REFUSED',
      message: 'The request is not what the server takes.',
      issues: [{ path: ['email'], message: 'no address: …' }],
    });
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}

const EVERY_TRAP_THROWS: ProxyHandler<object> = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, () => thrower(new Error('a trap'))]),
);

function revoked(): unknown {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
