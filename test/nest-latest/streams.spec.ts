import { once } from 'node:events';
import { Readable } from 'node:stream';
import { Controller, Get, type INestApplication, Sse, StreamableFile } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { map } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  GenServer,
  GenServerBase,
  GenServerClient,
  HandleCall,
  HandleCast,
  InjectGenServer,
  noReply,
  ok,
  replyStream,
  type StreamSource,
  toObservable,
} from 'nestjs-genserver';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { compiled } from '../nest/support/application.js';
import { get, openEvents } from '../nest/support/event-stream.js';
import { HandFedSource } from '../nest/support/hand-fed-source.js';

/** What the server streams next. */
let source: StreamSource<string>;

@GenServer()
class Chat extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
  @HandleCall() tokens() {
    return replyStream(source);
  }
  @HandleCast() crash() {
    throw new Error('secret');
    return noReply();
  }
}

@Controller()
class ChatController {
  constructor(@InjectGenServer(Chat) private readonly chat: GenServerClient<Chat>) {}
  @Sse('tokens') tokens() {
    return toObservable(this.chat.tokens()).pipe(map((data) => ({ data })));
  }
  @Get('file') async file() {
    return new StreamableFile(Readable.from(await this.chat.tokens()));
  }
  /** Nest 12 sends an async iterable as it is. */
  @Get('body') body() {
    return this.chat.tokens();
  }
  @Get('crash') crash() {
    this.chat.crash();
  }
}

type Platform = 'Express' | 'Fastify';

async function chat(platform: Platform): Promise<INestApplication> {
  const testing = await compiled({ providers: [Chat], controllers: [ChatController] });
  const adapter = platform === 'Express' ? new ExpressAdapter() : new FastifyAdapter();
  const application = testing.createNestApplication<INestApplication>(adapter, { logger: false });
  onTestFinished(() => application.close());
  await application.listen(0, '127.0.0.1');
  return application;
}

// The same on Express, with every supported Nest: test/nest/streams.spec.ts.
describe('a stream on Fastify', () => {
  it('is sent as events, as its items come', async () => {
    const application = await chat('Fastify');
    const fed = new HandFedSource<string>();
    source = fed;
    const events = await openEvents(application, '/tokens');
    fed.give('one');
    expect(await events.next()).toEqual({ type: 'message', data: 'one' });
    fed.give('two');
    fed.end();
    expect(await events.rest()).toEqual(['two']);
  });

  it('ends its source when the client goes away', async () => {
    const application = await chat('Fastify');
    const fed = new HandFedSource<string>();
    source = fed;
    const events = await openEvents(application, '/tokens');
    fed.give('one');
    await events.next();
    events.leave();
    await fed.left;
    expect(fed.returned).toBe(1);
  });

  it('ends with an error event when its server crashes', async () => {
    const application = await chat('Fastify');
    const fed = new HandFedSource<string>();
    source = fed;
    const events = await openEvents(application, '/tokens');
    fed.give('one');
    await events.next();
    for await (const _chunk of await get(application, '/crash'));
    expect(await events.rest()).toEqual(['error: Internal server error']);
    expect(fed.returned).toBe(1);
  });

  it('ends when the application is closed, and does not hold that up', async () => {
    const application = await chat('Fastify');
    application.getHttpServer().keepAliveTimeout = 0;
    const fed = new HandFedSource<string>();
    source = fed;
    const events = await openEvents(application, '/tokens');
    fed.give('one');
    await events.next();
    await application.close();
    expect(fed.returned).toBe(1);
    expect(await events.rest()).toEqual(['error: Internal server error']);
  });
});

// `/file` on Express: test/nest/streams.spec.ts.
describe.each<[platform: Platform, path: string]>([
  ['Express', '/body'],
  ['Fastify', '/body'],
  ['Fastify', '/file'],
])('a stream on %s as the body of %s', (platform, path) => {
  /** Far more than all buffers between here and a client. */
  const ITEMS = 500;
  const ITEM = 'x'.repeat(64 * 1024);

  it('waits for a client that does not read, and goes on with it', async () => {
    const application = await chat(platform);
    let made = 0;
    source = (function* () {
      for (; made < ITEMS; made++) yield ITEM;
    })();
    const response = await get(application, path);
    await settle();
    expect(made).toBeLessThan(ITEMS);
    let length = 0;
    for await (const chunk of response) length += (chunk as Buffer).length;
    expect([length, made]).toEqual([ITEMS * ITEM.length, ITEMS]);
  });

  it('ends its source when the client goes away', async () => {
    const application = await chat(platform);
    const left = deferred();
    let made = 0;
    source = (function* () {
      try {
        for (; made < ITEMS; made++) yield ITEM;
      } finally {
        left.resolve();
      }
    })();
    (await get(application, path)).destroy();
    await left.promise;
    expect(made).toBeLessThan(ITEMS);
  });
});

describe.each<[platform: Platform, path: string]>([
  ['Express', '/body'],
  ['Express', '/file'], // Nest 12.2 leaves that connection open.
  ['Fastify', '/body'],
  ['Fastify', '/file'],
])('a stream on %s as the body of %s', (platform, path) => {
  it('breaks off when the server crashes in the middle, so that no client takes it for whole', async () => {
    const application = await chat(platform);
    const fed = new HandFedSource<string>();
    source = fed;
    fed.give('one');
    const response = await get(application, path);
    const [first] = (await once(response, 'data')) as [Buffer];
    const brokenOff = once(response, 'error');
    for await (const _chunk of await get(application, '/crash'));
    expect([String(first), ...(await brokenOff)]).toEqual(['one', expect.objectContaining({ code: 'ECONNRESET' })]);
    expect(fed.returned).toBe(1);
  });
});
