import { APP_FILTER } from '@nestjs/core';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerExceptionFilter,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  InjectGenServer,
  noReply,
  ok,
  OverloadedError,
  reply,
} from 'nestjs-genserver';
import { GenServerOrchestrator } from '../../lib/nest/tree/gen-server.orchestrator.js';
import { deferred } from '../support/deferred.js';
import { ManualClock } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { compiled, started } from './support/application.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const turns = async (): Promise<void> => {
  for (let at = 0; at < 8; at++) await turn();
};

@GenServer({ maxMailbox: { limit: 2, overflow: 'reject' } })
class Till extends GenServerBase<null> {
  static release: (() => void)[] = [];
  override init() {
    return ok(null);
  }
  @HandleCall() pay() {
    return new Promise<void>((resolve) => Till.release.push(resolve)).then(() => reply('paid'));
  }
}

@Controller()
class Shop {
  constructor(@InjectGenServer(Till) private readonly till: GenServerClient<Till>) {}
  @Get('pay') pay() {
    return this.till.pay();
  }
}

describe('maxMailbox of @GenServer', () => {
  it('answers 503 with Retry-After over HTTP when there is no room', async () => {
    Till.release = [];
    const application = await compiled({
      providers: [Till, { provide: APP_FILTER, useClass: GenServerExceptionFilter }],
      controllers: [Shop],
    });
    const http: INestApplication = application.createNestApplication();
    http.useLogger(false);
    await http.init();
    onTestFinished(() => http.close());
    const till = http.get(GenServerRuntime).client<Till>(Till);
    const waiting = [till.pay()];
    await turns(); // in hand, and no longer in the queue
    waiting.push(till.pay(), till.pay());
    await turns();
    const response = await request(http.getHttpServer() as never)
      .get('/pay')
      .expect(503)
      .expect('Retry-After', '1');
    expect(response.body).toEqual({
      statusCode: 503,
      error: 'OVERLOADED',
      message: 'The server is not available. Try again.',
    });
    expect(await rejectionOf(till.pay())).toBeInstanceOf(OverloadedError);
    for (let served = 0; served < 3; served++) {
      Till.release.shift()!();
      await turns();
    }
    expect(await Promise.all(waiting)).toEqual(['paid', 'paid', 'paid']);
  });

  it('is refused at the start when it makes no sense', async () => {
    @GenServer({ maxMailbox: { limit: 0, overflow: 'reject' } })
    class Broken extends GenServerBase<null> {}
    await expect(started({ providers: [Broken] })).rejects.toThrow(/maxMailbox/);
  });
});

interface AnnClient {
  name(): Promise<string>;
  tellBob(free: Promise<void>, tell: (outcome: unknown) => void): Promise<unknown>;
  askBob(): Promise<unknown>;
  askMyself(): Promise<unknown>;
}

let annClient: AnnClient;

@GenServer()
class Bob extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() async askAnn() {
    await turn();
    return reply(await rejectionOf(annClient.askBob()));
  }
  @HandleCall() async askName() {
    return reply(await annClient.name());
  }
}

@GenServer()
class Ann extends GenServerBase<number> {
  constructor(@InjectGenServer(Bob) private readonly bob: GenServerClient<Bob>) {
    super();
  }
  override init() {
    return ok(0);
  }
  @HandleCall() async askBob() {
    await turn();
    return reply(await this.bob.askAnn());
  }
  @HandleCall() async tellBob(free: Promise<void>, tell: (outcome: unknown) => void) {
    void this.bob.askName().then(tell, tell);
    await free;
    return reply('told');
  }
  @HandleCall() name() {
    return reply('Ann');
  }
  @HandleCall() async askMyself() {
    await turn();
    return reply(await rejectionOf(annClient.askMyself()));
  }
}

@GenServer()
class Floater extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() count() {
    return reply(this.state + 1, this.state + 1);
  }
  @HandleCast() float(error: unknown, later?: Promise<unknown>) {
    void (async () => {
      await later;
      throw error;
    })();
    return noReply();
  }
  @HandleCall() async floatAndGoOn(error: unknown, tell: (whatHappened: string) => void) {
    void Promise.reject(error);
    await turns(); // Node has found the rejection by then
    tell('handled');
    return reply(null);
  }
  @HandleCall() pid() {
    return reply(this.self.pid);
  }
}

describe('tracking of forRoot', () => {
  it('makes injected clients notice a circle and a call to oneself after an await', async () => {
    const clock = new ManualClock();
    const application = await started({ providers: [Ann, Bob], options: { tracking: true, clock } });
    annClient = application.get(GenServerRuntime).client(Ann) as unknown as AnnClient;
    const asked = annClient.askBob();
    await clock.advance(1_000);
    expect(await asked).toMatchObject({ code: 'CALL_CYCLE', chain: ['Ann', 'Bob', 'Ann'] });
    expect(await annClient.askMyself()).toMatchObject({ code: 'CALLING_SELF', server: 'Ann' });
  });

  it('takes no circle for one when the first server does not wait for the second, and answers it when it is free', async () => {
    const clock = new ManualClock();
    const application = await started({ providers: [Ann, Bob], options: { tracking: true, clock } });
    annClient = application.get(GenServerRuntime).client(Ann) as unknown as AnnClient;
    const free = deferred();
    const [told, answer] = [deferred<unknown>(), annClient.tellBob(free.promise, (outcome) => told.resolve(outcome))];
    await clock.advance(999);
    free.resolve();
    expect([await answer, await told.promise]).toEqual(['told', 'Ann']);
    expect(application.get(GenServerOrchestrator).runtime.deadlines.isEmpty).toBe(true);
  });

  it('follows nothing when it is off', async () => {
    const application = await started({ providers: [Floater], options: { tracking: false } });
    expect(application.get(GenServerOrchestrator).runtime.tracking).toBeNull();
  });

  it.each([
    [{ tracking: 1 as never }, /tracking/],
    [{ attributeRejections: 'yes' as never }, /attributeRejections/],
    [{ attributeRejections: true, tracking: false }, /tracking/],
    [{ attributeExceptions: 'yes' as never }, /attributeExceptions/],
    [{ attributeExceptions: true, tracking: false }, /tracking/],
  ])('refuses %o', async (options, message) => {
    await expect(started({ providers: [Floater], options })).rejects.toThrow(message);
  });
});

// The listeners of the test runner would take every rejection for a failure of the test, so they are put aside.
describe('attributeRejections', () => {
  const NAMES = ['unhandledRejection', 'uncaughtException'] as const;
  const aside = new Map<string, unknown[]>();
  let uncaught: unknown[][] = [];
  beforeEach(() => {
    uncaught = [];
    for (const name of NAMES) {
      aside.set(name, process.listeners(name as never));
      process.removeAllListeners(name);
    }
    process.on('uncaughtException', (...args) => void uncaught.push(args));
  });
  afterEach(() => {
    for (const name of NAMES) {
      process.removeAllListeners(name);
      for (const listener of aside.get(name)!) process.on(name, listener as never);
    }
  });

  const boom = new Error('boom');
  const floating = async (options = {}) => {
    const application = await started({ providers: [Floater], options: { attributeRejections: true, ...options } });
    const { runtime, world } = application.get(GenServerOrchestrator);
    const crashes: unknown[] = [];
    world.events.on('gen_server.crashed', ({ reason }) => crashes.push(reason));
    const client = application.get(GenServerRuntime).client<Floater>(Floater);
    return { application, runtime, crashes, client };
  };

  it('crashes the server that left the promise behind, once and with its error, and the supervisor starts another', async () => {
    const { client, crashes } = await floating();
    const before = await client.pid();
    client.float(boom);
    await turns();
    const after = await client.pid();
    expect([after.id, after.incarnation]).toEqual([before.id, before.incarnation + 1]);
    expect([crashes, uncaught]).toEqual([[boom], []]);
  });

  it('takes two of one server for one crash', async () => {
    const { client, crashes } = await floating();
    await client.count();
    client.float(boom);
    client.float(new Error('another'));
    await turns();
    expect([crashes, uncaught, await client.count()]).toEqual([[boom], [], 1]);
  });

  it('lets the handler at work come to its end before the crash, which is what its caller learns of', async () => {
    const { application, client } = await floating();
    const order: string[] = [];
    application.get(GenServerOrchestrator).world.events.on('gen_server.crashed', () => order.push('crashed'));
    const answer = client.floatAndGoOn(boom, (whatHappened) => order.push(whatHappened));
    expect(await rejectionOf(answer)).toMatchObject({ code: 'SERVER_EXITED', cause: boom });
    expect(order).toEqual(['handled', 'crashed']);
  });

  it('leaves alone an incarnation that did not do it: then Node deals with the error', async () => {
    const { client, crashes, application } = await floating();
    let fail!: () => void;
    client.float(boom, new Promise<void>((resolve) => (fail = resolve)));
    application.get(GenServerRuntime).exit(await client.pid(), 'kill');
    await turns();
    await client.count();
    fail();
    await turns();
    expect(uncaught).toEqual([[boom, 'unhandledRejection']]);
    expect([crashes, await client.count()]).toEqual([[], 2]);
  });

  it('passes on what no server owns, with the origin and the error that Node gives it, every time', async () => {
    const { client } = await floating();
    for (let time = 0; time < 2; time++) {
      void Promise.reject(boom);
      await turns();
    }
    void Promise.reject('a string');
    await turns();
    expect(uncaught.slice(0, 2)).toEqual([
      [boom, 'unhandledRejection'],
      [boom, 'unhandledRejection'],
    ]);
    expect(uncaught[2]![0]).toMatchObject({ code: 'ERR_UNHANDLED_REJECTION' });
    client.float(boom);
    await turns();
    expect(uncaught).toHaveLength(3);
    expect(await client.count()).toBe(1);
  });

  it('leaves it to the listeners that were there', async () => {
    const told: unknown[] = [];
    process.on('unhandledRejection', (reason) => told.push(reason));
    await floating();
    void Promise.reject(boom);
    await turns();
    expect([told, uncaught]).toEqual([[boom], []]);
  });

  it('passes on once for any number of applications, and each takes its own', async () => {
    const one = await floating();
    const other = await floating();
    void Promise.reject(boom);
    await turns();
    expect(uncaught).toHaveLength(1);
    other.client.float(boom);
    await turns();
    expect([one.crashes, other.crashes, uncaught.length]).toEqual([[], [boom], 1]);
  });

  it('listens from the start of the servers to their stop, and not at all unless asked to', async () => {
    const count = () => process.listenerCount('unhandledRejection');
    await started({ providers: [Floater], options: { tracking: true } });
    expect(count()).toBe(0);
    const { application } = await floating();
    expect(count()).toBe(1);
    await application.close();
    expect(count()).toBe(0);
  });

  it('stops listening when the start fails', async () => {
    @GenServer()
    class Broken extends GenServerBase<null> {
      override init(): never {
        throw boom;
      }
    }
    await started({ providers: [Broken], options: { attributeRejections: true } }).catch(() => undefined);
    expect(process.listenerCount('unhandledRejection')).toBe(0);
  });
});
