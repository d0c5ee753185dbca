import { Readable } from 'node:stream';
import { Controller, Get, type INestApplication, Param, Sse, StreamableFile } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { map } from 'rxjs';
import request from 'supertest';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  type DynamicSupervisorClient,
  GenServer,
  GenServerBase,
  GenServerClient,
  GenServerExceptionFilter,
  GenServerRuntime,
  getDynamicSupervisorToken,
  getGenServerToken,
  HandleCall,
  HandleCast,
  InjectDynamicSupervisor,
  InjectGenServer,
  noReply,
  ok,
  reply,
  type ReplyStream,
  replyStream,
  ServerExitedError,
  type StreamSource,
  toObservable,
} from 'nestjs-genserver';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { compiled } from './support/application.js';
import { get, openEvents } from './support/event-stream.js';
import { HandFedSource } from './support/hand-fed-source.js';

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);
/** What the server streams next. */
let source: StreamSource<string>;

beforeEach(() => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
});

afterEach(async () => {
  await settle();
  process.removeListener('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

@GenServer({ restart: 'transient' })
class Chat extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  @HandleCall() tokens() {
    return replyStream(source, this.state + 1);
  }
  @HandleCall() asked() {
    return reply(this.state);
  }
  @HandleCast() crash() {
    throw new Error('secret');
    return noReply();
  }
}

@GenServer({ start: 'on_demand' })
class Room extends GenServerBase<string> {
  override init(name: string) {
    return ok(name);
  }
  @HandleCall() lines() {
    return replyStream([`${this.state}: 1`, `${this.state}: 2`]);
  }
}

@Controller()
class ChatController {
  constructor(
    @InjectGenServer(Chat) private readonly chat: GenServerClient<Chat>,
    @InjectDynamicSupervisor(Room) private readonly rooms: DynamicSupervisorClient<Room>,
  ) {}
  @Sse('tokens') tokens() {
    return toObservable(this.chat.tokens()).pipe(map((data) => ({ data })));
  }
  @Get('file') async file() {
    return new StreamableFile(Readable.from(await this.chat.tokens()));
  }
  @Sse('rooms/:name') room(@Param('name') name: string) {
    const lines = this.rooms.getOrStart(name, name).then((room) => room.lines());
    return toObservable(lines).pipe(map((data) => ({ data })));
  }
  @Get('asked') asked() {
    return this.chat.asked();
  }
}

async function chat() {
  const testing = await compiled({
    providers: [Chat, Room, { provide: APP_FILTER, useClass: GenServerExceptionFilter }],
    controllers: [ChatController],
  });
  const application = testing.createNestApplication<INestApplication>({ logger: false });
  onTestFinished(() => application.close());
  await application.listen(0, '127.0.0.1');
  return {
    application,
    client: application.get<GenServerClient<Chat>>(getGenServerToken(Chat)),
    runtime: application.get(GenServerRuntime),
    http: request(application.getHttpServer()),
  };
}

describe('replyStream to an injected client', () => {
  it('makes no item before it is asked for, and leaves the server to others', async () => {
    const { client } = await chat();
    const fed = new HandFedSource<string>();
    source = fed;
    const stream: ReplyStream<string> = await client.tokens();
    fed.give('a', 'b', 'c');
    await settle();
    expect([fed.asked, await client.asked()]).toEqual([0, 1]);
    const items = stream[Symbol.asyncIterator]();
    expect(await items.next()).toEqual({ done: false, value: 'a' });
    await settle();
    expect([fed.asked, await client.asked()]).toEqual([1, 1]);
    await items.return();
    expect(fed.returned).toBe(1);
  });

  it('fails its reader with ServerExitedError when the server crashes in the middle', async () => {
    const { client } = await chat();
    const fed = new HandFedSource<string>();
    source = fed;
    const items = (await client.tokens())[Symbol.asyncIterator]();
    fed.give('a');
    await items.next();
    const next = rejectionOf(items.next());
    client.crash();
    const error = await next;
    expect(error).toBeInstanceOf(ServerExitedError);
    expect(error).toMatchObject({ server: 'Chat', reason: { message: 'secret' } });
    expect(fed.returned).toBe(1);
    expect(await items.next()).toEqual({ done: true, value: undefined });
    expect(await client.asked()).toBe(0); // the server has started again
  });

  it('comes from a process of a keyed server, and ends with that one only', async () => {
    const { application, runtime } = await chat();
    const rooms = application.get<DynamicSupervisorClient<Room>>(getDynamicSupervisorToken(Room));
    const [a, b] = await Promise.all(['a', 'b'].map(async (name) => (await rooms.getOrStart(name, name)).lines()));
    const { down } = runtime.monitor({ server: Room, key: 'a' });
    runtime.exit({ server: Room, key: 'a' }, 'kill');
    await down;
    expect(await rejectionOf(a![Symbol.asyncIterator]().next())).toMatchObject({ reason: 'killed' });
    const lines: string[] = [];
    for await (const line of b!) lines.push(line);
    expect(lines).toEqual(['b: 1', 'b: 2']);
  });
});

describe('a stream in an @Sse() route', () => {
  it('sends its items as events, as they come, and ends the response', async () => {
    const { application, http } = await chat();
    const fed = new HandFedSource<string>();
    source = fed;
    const events = await openEvents(application, '/tokens');
    expect(events.response.headers['content-type']).toContain('text/event-stream');
    fed.give('one');
    expect(await events.next()).toEqual({ type: 'message', data: 'one' });
    await http.get('/asked').expect(200, '1');
    fed.give('two', 'three');
    fed.end();
    expect(await events.rest()).toEqual(['two', 'three']);
    expect(fed.returned).toBe(0);
  });

  it.each<[what: string, source: () => StreamSource<string>]>([
    ['a Readable', () => Readable.from(['a', 'b'])],
    ['an iterable', () => new Set(['a', 'b'])],
    [
      'a generator',
      async function* () {
        yield* ['a', 'b'];
      },
    ],
  ])('sends %s', async (_what, make) => {
    const { application } = await chat();
    source = make();
    expect(await (await openEvents(application, '/tokens')).rest()).toEqual(['a', 'b']);
  });

  it('sends what the process of a key streams', async () => {
    const { application } = await chat();
    const both = await Promise.all(['x', 'y'].map(async (name) => openEvents(application, `/rooms/${name}`)));
    expect(await Promise.all(both.map((events) => events.rest()))).toEqual([
      ['x: 1', 'x: 2'],
      ['y: 1', 'y: 2'],
    ]);
  });

  it('ends the source when the client goes away, also while it waits for an item', async () => {
    const { application } = await chat();
    const fed = new HandFedSource<string>();
    source = fed;
    const events = await openEvents(application, '/tokens');
    fed.give('one');
    await events.next();
    events.leave();
    await fed.left;
    expect(fed.returned).toBe(1);
  });

  it('interrupts what a generator awaits when the client goes away', async () => {
    const { application } = await chat();
    const aborted = deferred<unknown>();
    source = async function* (signal) {
      yield 'one';
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted.resolve(signal.reason);
    };
    const events = await openEvents(application, '/tokens');
    await events.next();
    events.leave();
    expect(await aborted.promise).toBe('normal');
  });

  it('notices that the client has gone however fast the source is', async () => {
    const { application } = await chat();
    const left = deferred();
    let made = 0;
    source = (function* () {
      try {
        while (made++ < 200_000) yield 'again';
      } finally {
        left.resolve();
      }
    })();
    const events = await openEvents(application, '/tokens');
    expect(await events.next()).toEqual({ type: 'message', data: 'again' });
    events.leave();
    await left.promise;
    expect(made).toBeLessThan(200_000);
  });

  it('sends an error event, and no secret, when the server crashes in the middle; the next one streams again', async () => {
    const { application, client } = await chat();
    const fed = new HandFedSource<string>();
    source = fed;
    const events = await openEvents(application, '/tokens');
    fed.give('one');
    await events.next();
    client.crash();
    expect(await events.rest()).toEqual(['error: Internal server error']);
    expect(fed.returned).toBe(1);
    source = ['again'];
    expect(await (await openEvents(application, '/tokens')).rest()).toEqual(['again']);
  });

  it('sends an error event when the source throws; the server lives', async () => {
    const { application, client } = await chat();
    const fed = new HandFedSource<string>();
    source = fed;
    const events = await openEvents(application, '/tokens');
    fed.give('one');
    fed.fail(new Error('secret'));
    expect(await events.rest()).toEqual(['one', 'error: Internal server error']);
    expect(await client.asked()).toBe(1);
  });

  it('is a plain error response when there is no stream', async () => {
    const { http, runtime } = await chat();
    source = 'text' as never; // the handler crashes: that is no stream of its letters
    await http.get('/tokens').expect(500, { statusCode: 500, message: 'Internal server error' });
    await runtime.stop(Chat, 'shutdown').catch(() => undefined);
    await http.get('/tokens').expect(503).expect('Retry-After', '1');
  });

  it('ends when the application is closed, and does not hold that up', async () => {
    const { application } = await chat();
    // A connection whose response ends after Nest has closed the idle ones stays until it has been idle that long: for ever.
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

describe('a stream as the body of a response', () => {
  /** Far more than all buffers between here and a client. */
  const ITEMS = 500;
  const ITEM = 'x'.repeat(64 * 1024);

  function* bulk(seen: { made: number; hasLeft: boolean }) {
    try {
      for (; seen.made < ITEMS; seen.made++) yield ITEM;
    } finally {
      seen.hasLeft = true;
    }
  }

  it('waits for a client that does not read, and goes on with it', async () => {
    const { application } = await chat();
    const seen = { made: 0, hasLeft: false };
    source = bulk(seen);
    const response = await get(application, '/file');
    await settle();
    expect(seen.made).toBeLessThan(ITEMS);
    let length = 0;
    for await (const chunk of response) length += (chunk as Buffer).length;
    expect([length, seen.made]).toEqual([ITEMS * ITEM.length, ITEMS]);
  });

  it('ends the source when the client goes away', async () => {
    const { application } = await chat();
    const left = deferred();
    const seen = { made: 0, hasLeft: false };
    source = (function* () {
      try {
        yield* bulk(seen);
      } finally {
        left.resolve();
      }
    })();
    (await get(application, '/file')).destroy();
    await left.promise;
    expect(seen.made).toBeLessThan(ITEMS);
  });
});
