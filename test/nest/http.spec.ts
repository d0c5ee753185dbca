import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type ArgumentsHost,
  Controller,
  Delete,
  Get,
  type INestApplication,
  type MiddlewareConsumer,
  Module,
  Param,
  Post,
  Query,
  Res,
  UseFilters,
} from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ClientProxyFactory, MessagePattern, Transport } from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';
import request from 'supertest';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  CallTimeoutError,
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerExceptionFilter,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  HandleContinue,
  HandleInfo,
  InjectGenServer,
  NoProcessError,
  noReply,
  ok,
  reply,
  ServerExitedError,
  stop,
  Supervisor,
} from 'nestjs-genserver';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { compiled, moduleOf, type Setup } from './support/application.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** An HTTP application, closed when the test is over. */
async function served(setup: Setup, prepare?: (application: INestApplication) => unknown): Promise<INestApplication> {
  const application = (await compiled(setup)).createNestApplication({ logger: false });
  onTestFinished(() => application.close());
  prepare?.(application);
  return application.init();
}

const SECRET = 'card-number-4111';

@GenServer({ restart: 'temporary' })
class Payments extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
  @HandleCall() never(_card: string) {
    return this.from<number>().later();
  }
  @HandleCall() crash(card: string) {
    throw new Error(`cannot charge ${card}`);
    return reply(1);
  }
  @HandleCall() close(_card: string) {
    return Math.random() < 2 ? stop('shutdown') : reply(1);
  }
}

@Controller()
class PaymentsController {
  constructor(@InjectGenServer(Payments) private readonly payments: GenServerClient<Payments>) {}
  @Get('timeout') timeout() {
    return this.payments.with({ timeoutMs: 0 }).never(SECRET);
  }
  @Get('crash') crash() {
    return this.payments.crash(SECRET);
  }
  @Get('close') close() {
    return this.payments.close(SECRET);
  }
  @Get('partial') partial(@Res() response: { write(text: string): void }) {
    response.write('partial');
    return this.payments.close(SECRET);
  }
}

const filters: Record<string, [setup: Partial<Setup>, prepare?: (application: INestApplication) => unknown]> = {
  'as APP_FILTER': [{ providers: [Payments, { provide: APP_FILTER, useClass: GenServerExceptionFilter }] }],
  'with @UseFilters on a controller': [
    {
      controllers: [
        (() => {
          @UseFilters(GenServerExceptionFilter)
          @Controller()
          class FilteredController extends PaymentsController {}
          return FilteredController;
        })(),
      ],
    },
  ],
  'with useGlobalFilters, made by hand': [
    {},
    (application) => application.useGlobalFilters(new GenServerExceptionFilter(application.getHttpAdapter())),
  ],
};

describe.each(Object.keys(filters))('GenServerExceptionFilter %s', (form) => {
  const [setup, prepare] = filters[form]!;
  const payments = async () => {
    const application = await served({ providers: [Payments], controllers: [PaymentsController], ...setup }, prepare);
    return { application, http: request(application.getHttpServer()) };
  };
  const unavailable = { statusCode: 503, error: 'SERVER_EXITED', message: 'The server is not available. Try again.' };

  it('answers 504 to a timeout', async () => {
    const { http } = await payments();
    const response = await http.get('/timeout').expect(504);
    expect(response.body).toEqual({
      statusCode: 504,
      error: 'CALL_TIMEOUT',
      message: 'The server did not answer in time.',
    });
    expect(response.headers).not.toHaveProperty('retry-after');
  });

  it('answers 503 with Retry-After when the server is shut down or not there', async () => {
    const { http } = await payments();
    const first = await http.get('/close').expect(503).expect('Retry-After', '1');
    expect(first.body).toEqual(unavailable);
    const second = await http.get('/close').expect(503).expect('Retry-After', '1');
    expect(second.body).toEqual({ ...unavailable, error: 'NO_PROCESS' });
  });

  it('answers 500 to a crash, and shows neither the error nor the arguments', async () => {
    const { http } = await payments();
    const response = await http.get('/crash').expect(500);
    expect(response.body).toEqual({ statusCode: 500, message: 'Internal server error' });
    expect(JSON.stringify([response.headers, response.text])).not.toContain(SECRET);
  });

  it('answers 503 to requests that arrive while the application is being closed', async () => {
    const { application, http } = await payments();
    await application.get(GenServerRuntime).stop(Payments);
    await http.get('/crash').expect(503);
  });

  it('ends a response whose headers are out', async () => {
    const { http } = await payments();
    const response = await http.get('/partial').expect(200);
    expect(response.text).toBe('partial');
  });
});

describe('GenServerExceptionFilter outside of HTTP', () => {
  const request = { handler: 'charge', args: [SECRET] };
  const timeout = new CallTimeoutError('Payments', request, 100, 'running', 0);
  const errors = [
    [timeout, 'CALL_TIMEOUT', 'The server did not answer in time.'],
    [new NoProcessError('Payments'), 'NO_PROCESS', 'The server is not available. Try again.'],
    [
      new ServerExitedError('Payments', request, new Error(SECRET), undefined),
      'SERVER_EXITED',
      'The server is not available. Try again.',
    ],
  ] as const;

  it('answers a microservice with the stable code', async () => {
    @UseFilters(GenServerExceptionFilter)
    @Controller()
    class PaymentsHandler {
      constructor(@InjectGenServer(Payments) private readonly payments: GenServerClient<Payments>) {}
      @MessagePattern('timeout') timeout() {
        return this.payments.with({ timeoutMs: 0 }).never(SECRET);
      }
    }
    const application = (
      await compiled({ providers: [Payments], controllers: [PaymentsHandler] })
    ).createNestMicroservice({ transport: Transport.TCP, options: { port: 0, host: '127.0.0.1' }, logger: false });
    await application.listen();
    onTestFinished(() => application.close());
    const { port } = application.unwrap<{ address(): AddressInfo }>().address();
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port, host: '127.0.0.1' } });
    onTestFinished(() => client.close());
    expect(await rejectionOf(lastValueFrom(client.send('timeout', {})))).toEqual({
      status: 'error',
      code: 'CALL_TIMEOUT',
      message: 'The server did not answer in time.',
    });
  });

  it.each(errors)('tells a WebSocket: %s', (error, code, message) => {
    const emitted: unknown[] = [];
    const socket = { emit: (...args: unknown[]) => emitted.push(args) };
    const host = { getType: () => 'ws', switchToWs: () => ({ getClient: () => socket }) } as unknown as ArgumentsHost;
    expect(new GenServerExceptionFilter().catch(error, host)).toBeUndefined();
    expect(emitted).toEqual([['exception', { status: 'error', code, message }]]);
  });

  it('leaves other transports to their own filters', () => {
    const host = { getType: () => 'graphql' } as unknown as ArgumentsHost;
    expect(thrownBy(() => new GenServerExceptionFilter().catch(timeout, host))).toBe(timeout);
  });
});

describe('an application under load', () => {
  /** Sends many requests over a few connections that are kept, and gives what came back, in the order of sending. */
  async function hammer(application: INestApplication, requests: readonly (readonly [method: string, path: string])[]) {
    await application.listen(0, '127.0.0.1');
    const { port } = application.getHttpServer().address() as AddressInfo;
    const agent = new Agent({ keepAlive: true, maxSockets: 64 });
    onTestFinished(() => agent.destroy());
    const send = (method: string, path: string) =>
      new Promise<{ status: number; text: string }>((resolve, reject) => {
        httpRequest({ agent, port, method, path, host: '127.0.0.1' }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve({ status: response.statusCode!, text }));
        })
          .on('error', reject)
          .end();
      });
    return Promise.all(requests.map(([method, path]) => send(method, path)));
  }

  @GenServer({ callTimeoutMs: Infinity })
  class Counter extends GenServerBase<number> {
    override init() {
      return ok(0);
    }
    @HandleCall() async increment() {
      const before = this.state;
      if (before % 16 === 0) await turn(); // long enough for everything else to come in between
      return reply(before + 1, before + 1);
    }
    @HandleCall() read() {
      return reply(this.state);
    }
    @HandleCall() async crash() {
      if (this.state % 2 === 0) await turn();
      throw new Error('boom');
      return reply(1);
    }
    @HandleCast() crashCast() {
      throw new Error('boom');
      return noReply();
    }
  }

  @Controller()
  class CounterController {
    constructor(@InjectGenServer(Counter) private readonly counter: GenServerClient<Counter>) {}
    @Post() increment() {
      return this.counter.increment();
    }
    @Get() read() {
      return this.counter.read();
    }
    @Post('crash') crash() {
      return this.counter.crash();
    }
    @Delete() crashCast() {
      this.counter.crashCast();
    }
  }

  it('counts 10 000 concurrent increments to exactly 10 000', { timeout: 60_000 }, async () => {
    const application = await served({ providers: [Counter], controllers: [CounterController] });
    const requests = Array.from({ length: 10_000 }, () => ['POST', '/'] as const);
    const responses = await hammer(application, requests);
    expect(new Set(responses.map(({ status }) => status))).toEqual(new Set([201]));
    expect(new Set(responses.map(({ text }) => text)).size).toBe(10_000);
    expect(await application.get(GenServerRuntime).call(Counter, 'read')).toBe(10_000);
  });

  it(
    'answers every request while handlers crash, and Node sees no unhandled rejection',
    { timeout: 60_000 },
    async () => {
      const unhandled: unknown[] = [];
      const listen = (reason: unknown) => unhandled.push(reason);
      process.on('unhandledRejection', listen);
      onTestFinished(() => void process.off('unhandledRejection', listen));
      const CounterModule = moduleOf('CounterModule', {
        providers: [Counter, { provide: APP_FILTER, useClass: GenServerExceptionFilter }],
        controllers: [CounterController],
      });
      Supervisor({ maxRestarts: 10_000 })(CounterModule);
      const application = await served({ imports: [CounterModule] });
      const requests = Array.from({ length: 1_000 }, (_, at) =>
        at % 5 === 0
          ? (['POST', '/crash'] as const)
          : at % 7 === 0
            ? (['DELETE', '/'] as const)
            : (['POST', '/'] as const),
      );
      const responses = await hammer(application, requests);
      await turn();
      expect(responses.filter((_, at) => at % 5 === 0).every(({ status }) => status === 500 || status === 503)).toBe(
        true,
      );
      expect(responses.filter((_, at) => at % 5 !== 0 && at % 7 === 0).every(({ status }) => status === 200)).toBe(
        true,
      );
      expect(responses.filter(({ status }) => ![200, 201, 500, 503].includes(status))).toEqual([]);
      expect(unhandled).toEqual([]);
      expect(await application.get(GenServerRuntime).call(Counter, 'read')).toBeTypeOf('number');
    },
  );

  it(
    'runs no handler in the async context of a request, and each response in its own',
    { timeout: 60_000 },
    async () => {
      const storage = new AsyncLocalStorage<string>();
      const strangers = new Map<string, unknown>();
      const look = (where: string) => strangers.set(where, strangers.get(where) ?? storage.getStore());

      @GenServer({ callTimeoutMs: Infinity })
      class Witness extends GenServerBase<number> {
        override async init() {
          look('init');
          await turn();
          look('init, later');
          return ok(0).continue('more');
        }
        @HandleCall() sync() {
          look('call');
          return reply(storage.getStore());
        }
        @HandleCall() async later() {
          look('async call');
          await turn();
          look('async call, later');
          this.self.send(this.self.pid, 'hello');
          this.self.sendAfter(this.self.pid, 'hello', 0);
          return reply(storage.getStore());
        }
        @HandleCall() crash() {
          throw new Error('boom');
          return reply<string | undefined>(undefined);
        }
        @HandleCast() cast() {
          look('cast');
          return noReply().timeout(0);
        }
        @HandleContinue('more') protected onMore() {
          look('continue');
          return noReply();
        }
        @HandleInfo() protected onInfo() {
          look('info');
          return noReply();
        }
        override terminate() {
          look('terminate');
        }
      }
      @Controller()
      class WitnessController {
        constructor(@InjectGenServer(Witness) private readonly witness: GenServerClient<Witness>) {}
        @Get(':kind') async ask(@Param('kind') kind: 'sync' | 'later' | 'crash', @Query('id') id: string) {
          this.witness.cast();
          const inHandler = await this.witness[kind]().catch(() => undefined);
          return { inHandler, isOwn: storage.getStore() === id };
        }
      }
      class WitnessModule {
        configure(consumer: MiddlewareConsumer) {
          consumer
            .apply(({ url }: { url: string }, _response: unknown, next: () => void) =>
              storage.run(new URL(url, 'http://localhost').searchParams.get('id')!, next),
            )
            .forRoutes('*path');
        }
      }
      Module({ providers: [Witness], controllers: [WitnessController] })(WitnessModule);
      Supervisor({ maxRestarts: 10_000 })(WitnessModule);
      const application = await served({ imports: [WitnessModule] });
      const requests = Array.from(
        { length: 1_000 },
        (_, id) => ['GET', `/${id % 10 === 0 ? 'crash' : id % 3 === 0 ? 'later' : 'sync'}?id=${id}`] as const,
      );
      const responses = await hammer(application, requests);
      expect(new Set(responses.map(({ text }) => text))).toEqual(new Set(['{"isOwn":true}']));
      await application.close();
      expect(Object.fromEntries(strangers)).toEqual({
        init: undefined,
        'init, later': undefined,
        continue: undefined,
        call: undefined,
        'async call': undefined,
        'async call, later': undefined,
        cast: undefined,
        info: undefined,
        terminate: undefined,
      });
    },
  );
});
