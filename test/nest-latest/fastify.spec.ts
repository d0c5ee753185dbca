import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CanActivate, Controller, type ExecutionContext, Get, Injectable, Sse, UseGuards } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerExceptionFilter,
  GenServerModule,
  HandleCall,
  InjectGenServer,
  ok,
  reply,
  toObservable,
} from 'nestjs-genserver';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';

const SECRET = 'card-number-4111';

@GenServer({ restart: 'temporary' })
class Payments extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() count() {
    return reply(this.state + 1, this.state + 1);
  }
  @HandleCall() never(_card: string) {
    return this.from<number>().later();
  }
  @HandleCall() crash(card: string) {
    throw new Error(`cannot charge ${card}`);
    return reply(1);
  }
}

@Controller()
class PaymentsController {
  constructor(@InjectGenServer(Payments) private readonly payments: GenServerClient<Payments>) {}
  @Get() count() {
    return this.payments.count();
  }
  @Get('timeout') timeout() {
    return this.payments.with({ timeoutMs: 0 }).never(SECRET);
  }
  @Get('crash') crash() {
    return this.payments.crash(SECRET);
  }
}

describe('GenServerExceptionFilter on Fastify', () => {
  async function payments() {
    const testing = await Test.createTestingModule({
      imports: [GenServerModule.forRoot()],
      providers: [Payments, { provide: APP_FILTER, useClass: GenServerExceptionFilter }],
      controllers: [PaymentsController],
    }).compile();
    const application = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    onTestFinished(() => application.close());
    await application.init();
    return (url: string) => application.inject({ method: 'GET', url });
  }

  it('lets answers through', async () => {
    const get = await payments();
    expect((await get('/')).body).toBe('1');
    expect((await get('/')).body).toBe('2');
  });

  it('answers 504 to a timeout', async () => {
    const get = await payments();
    const response = await get('/timeout');
    expect(response.statusCode).toBe(504);
    expect(response.json()).toEqual({
      statusCode: 504,
      error: 'CALL_TIMEOUT',
      message: 'The server did not answer in time.',
    });
  });

  it('answers 500 to a crash, without the arguments, and then 503 with Retry-After', async () => {
    const get = await payments();
    const crashed = await get('/crash');
    expect(crashed.statusCode).toBe(500);
    expect(crashed.json()).toEqual({ statusCode: 500, message: 'Internal server error' });
    const gone = await get('/crash');
    expect(gone.statusCode).toBe(503);
    expect(gone.headers).toMatchObject({ 'retry-after': '1' });
    expect(gone.json()).toEqual({
      statusCode: 503,
      error: 'NO_PROCESS',
      message: 'The server is not available. Try again.',
    });
    expect(JSON.stringify([crashed.headers, crashed.body, gone.headers, gone.body])).not.toContain(SECRET);
  });
});

describe('toObservable on Fastify', () => {
  it('leaves nothing behind when a client leaves while a guard runs, and the call is refused', async () => {
    const entered = deferred<IncomingMessage>();
    const gate = deferred();
    @Injectable()
    class SlowGuard implements CanActivate {
      async canActivate(context: ExecutionContext) {
        entered.resolve(context.switchToHttp().getRequest<{ raw: IncomingMessage }>().raw);
        await gate.promise;
        return true;
      }
    }
    @UseGuards(SlowGuard)
    @Controller()
    class StreamController {
      constructor(@InjectGenServer(Payments) private readonly payments: GenServerClient<Payments>) {}
      @Sse() stream() {
        return toObservable(this.payments.crash(SECRET) as unknown as Promise<AsyncIterable<{ data: string }>>);
      }
    }
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    const testing = await Test.createTestingModule({
      imports: [GenServerModule.forRoot()],
      providers: [Payments, SlowGuard],
      controllers: [StreamController],
    }).compile();
    const application = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    await application.listen(0);
    const { port } = application.getHttpServer().address() as AddressInfo;
    const request = get(`http://127.0.0.1:${port}/`).on('error', () => undefined);
    const { socket } = await entered.promise;
    request.destroy();
    await once(socket, 'close');
    gate.resolve();
    await settle();
    await application.close();
    expect(unhandled).toEqual([]);
  });
});
