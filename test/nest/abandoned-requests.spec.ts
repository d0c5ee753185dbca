import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CanActivate, Controller, type ExecutionContext, Injectable, Sse, UseGuards } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerRuntime,
  HandleCall,
  InjectGenServer,
  ok,
  replyError,
  replyStream,
  toObservable,
} from 'nestjs-genserver';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { compiled } from './support/application.js';

@GenServer()
class Chat extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
  @HandleCall() refuse() {
    return replyError(new Error('not today'));
  }
  @HandleCall() crash() {
    throw new Error('crashed');
    return replyStream(['never']);
  }
  @HandleCall() say() {
    return replyStream(['hello']);
  }
}

let entered: ReturnType<typeof deferred<IncomingMessage>>;
let gate: ReturnType<typeof deferred<void>>;

@Injectable()
class SlowGuard implements CanActivate {
  async canActivate(context: ExecutionContext) {
    entered.resolve(context.switchToHttp().getRequest<IncomingMessage>());
    await gate.promise;
    return true;
  }
}

@UseGuards(SlowGuard)
@Controller()
class ChatController {
  constructor(@InjectGenServer(Chat) private readonly chat: GenServerClient<Chat>) {}
  @Sse('refuse') refuse() {
    return toObservable(this.chat.refuse() as unknown as Promise<AsyncIterable<{ data: string }>>);
  }
  @Sse('crash') crash() {
    return toObservable(this.chat.crash() as unknown as Promise<AsyncIterable<{ data: string }>>);
  }
  @Sse('say') say() {
    return toObservable(this.chat.say() as unknown as Promise<AsyncIterable<{ data: string }>>);
  }
}

describe('a client that leaves while a guard runs', () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): void => void unhandled.push(reason);

  beforeEach(() => {
    [entered, gate] = [deferred<IncomingMessage>(), deferred<void>()];
    process.on('unhandledRejection', note);
  });

  afterEach(() => {
    process.off('unhandledRejection', note);
    expect(unhandled.splice(0)).toEqual([]);
  });

  it.each(['refuse', 'crash', 'say'])('leaves nothing behind of the stream it asked for: %s', async (route) => {
    const testing = await compiled({ providers: [Chat, SlowGuard], controllers: [ChatController] });
    const application = testing.createNestApplication();
    await application.listen(0);
    const { port } = (application.getHttpServer() as { address(): AddressInfo }).address();
    const request = get(`http://127.0.0.1:${port}/${route}`).on('error', () => undefined);
    const { socket } = await entered.promise;
    request.destroy();
    await once(socket, 'close');
    gate.resolve(undefined);
    await settle();
    expect(testing.get(GenServerRuntime).isReady).toBe(true);
    await application.close();
  });
});
