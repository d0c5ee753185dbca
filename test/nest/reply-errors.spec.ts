import { ConflictException, HttpException, NotFoundException } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import { describe, expect, it } from 'vitest';
import {
  GenServer,
  GenServerBase,
  type GenServerModuleOptions,
  GenServerRuntime,
  HandleCall,
  HandleCast,
  noReply,
  ok,
  reply,
  replyError,
  ServerExitedError,
} from 'nestjs-genserver';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { started } from './support/application.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

@GenServer()
class Shop extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() increment() {
    return reply(this.state + 1, this.state + 1);
  }
  @HandleCall() fail(error: unknown) {
    throw error;
    return reply(1);
  }
  @HandleCall() async failLater(error: unknown) {
    await turn();
    throw error;
    return reply(1);
  }
  @HandleCall() answerWith(error: unknown) {
    return replyError(error, 100);
  }
  @HandleCast() failCast(error: unknown) {
    throw error;
    return noReply();
  }
}

async function shop(replyErrors?: GenServerModuleOptions['replyErrors']) {
  const options = replyErrors === undefined ? {} : { replyErrors };
  const application = await started({ providers: [Shop], options });
  const runtime = application.get(GenServerRuntime);
  const client = runtime.client<Shop>(Shop);
  await client.increment();
  return { runtime, client };
}

class DomainError extends Error {}
class OutOfStock extends DomainError {}

/** As `@nestjs/websockets` has it, which need not be installed. */
class WsException extends Error {}
class CartWsException extends WsException {}

describe('an error that is an answer', () => {
  const answers: readonly [name: string, error: Error][] = [
    ['HttpException', new HttpException('teapot', 418)],
    ['an heir of HttpException', new NotFoundException('no such item')],
    ['RpcException', new RpcException('no such item')],
    ['WsException', new WsException('no such item')],
    ['an heir of WsException', new CartWsException('no such item')],
  ];

  describe.each(answers)('%s', (_name, error) => {
    it.each(['fail', 'failLater'] as const)(
      'rejects the caller with itself, and the process lives on with its old state [%s]',
      async (fail) => {
        const { runtime, client } = await shop();
        const pid = runtime.whereis(Shop);
        expect(await rejectionOf(client[fail](error))).toBe(error);
        expect(await client.increment()).toBe(2);
        expect(runtime.whereis(Shop)).toBe(pid);
      },
    );

    it('is a crash when a cast handler throws it', async () => {
      const { runtime, client } = await shop();
      client.failCast(error);
      await settle();
      expect(runtime.whereis(Shop)).toMatchObject({ incarnation: 1 });
      expect(await client.increment()).toBe(1);
    });

    it('is a crash with replyErrors: []', async () => {
      const { client } = await shop([]);
      const rejection = await rejectionOf(client.fail(error));
      expect(rejection).toBeInstanceOf(ServerExitedError);
      expect(rejection).toMatchObject({ reason: error, cause: error });
      expect(await client.increment()).toBe(1);
    });
  });

  it('is one of the classes in replyErrors, and of no others', async () => {
    const { client } = await shop([DomainError]);
    const error = new OutOfStock();
    expect(await rejectionOf(client.fail(error))).toBe(error);
    expect(await client.increment()).toBe(2);
    const conflict = new ConflictException();
    expect(await rejectionOf(client.fail(conflict))).toMatchObject({ code: 'SERVER_EXITED', cause: conflict });
    expect(await client.increment()).toBe(1);
  });
});

describe('any other error', () => {
  it.each([new Error('boom'), new DomainError(), 'text', undefined, null, { status: 404 }])(
    'that a call handler throws is a crash: %o',
    async (error) => {
      const { client } = await shop();
      expect(await rejectionOf(client.fail(error))).toMatchObject({ code: 'SERVER_EXITED' });
      expect(await client.increment()).toBe(1);
    },
  );
});

describe('replyError', () => {
  it.each([new Error('boom'), 'text', undefined, new NotFoundException()])(
    'rejects the caller with what it was given, and may change the state: %o',
    async (error) => {
      const { client } = await shop([]);
      expect(await rejectionOf(client.answerWith(error))).toBe(error);
      expect(await client.increment()).toBe(101);
    },
  );
});
