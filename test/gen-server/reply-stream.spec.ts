import { AsyncLocalStorage } from 'node:async_hooks';
import { PassThrough, Readable } from 'node:stream';
import { from as observableFrom, Observable, Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noReply, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import {
  ServerExitedError,
  StreamAlreadyReadError,
  StreamNotBegunError,
  StreamOverflowError,
} from '../../lib/gen-server/errors.js';
import { type ReplyStream, replyStream } from '../../lib/gen-server/streams/reply-stream.js';
import { MOST_BUFFERED, type StreamSource } from '../../lib/gen-server/streams/reply-stream-source.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

class Boom extends Error {}

/** A source that counts: how many items it made, and how often it was returned. */
function counted(limit = Infinity, onNext?: (at: number) => unknown) {
  const seen = { opened: 0, made: 0, returned: 0 };
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => {
      seen.opened++;
      return {
        next: async () => {
          const at = seen.made++;
          await onNext?.(at);
          return at < limit ? { done: false, value: at } : { done: true, value: undefined };
        },
        return: async () => (seen.returned++, { done: true, value: undefined }),
      };
    },
  };
  return { seen, source };
}

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

let world: TestWorld;
let pid: Pid;

beforeEach(async () => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
  world = testWorld();
  pid = await world.start(script({ label: 'Chat' }));
});

afterEach(async () => {
  await settle();
  process.removeListener('unhandledRejection', note);
  for (const each of world.runtime.processes()) world.exit(each.pid, 'kill');
  await settle();
  expect([world.runtime.processCount, world.runtime.deadlines.isEmpty, unhandled]).toEqual([0, true, []]);
});

const ask = <T>(source: StreamSource<T>, server = pid): Promise<ReplyStream<T>> =>
  world.call(server, () => replyStream(source)) as Promise<ReplyStream<T>>;

describe('replyStream', () => {
  it('gives the caller the items of anything that can be read', async () => {
    async function* generator() {
      yield* [1, 2, 3];
    }
    const sources: StreamSource<number>[] = [
      generator(),
      [1, 2, 3],
      new Set([1, 2, 3]),
      [1, Promise.resolve(2), 3] as number[],
      Readable.from([1, 2, 3]),
      observableFrom([1, 2, 3]),
      { subscribe: (observer) => observableFrom([1, 2, 3]).subscribe(observer as never) },
      { '@@observable': () => observableFrom([1, 2, 3]) } as never,
      () => [1, 2, 3],
      () => generator(),
    ];
    for (const source of sources) expect(await all(await ask(source))).toEqual([1, 2, 3]);
    expect(await all(await ask(Readable.from(['a', 'b'])))).toEqual(['a', 'b']);
  });

  it('sets a state that is given, and keeps it otherwise', async () => {
    await world.call(pid, () => replyStream([1], 'new'));
    expect(await world.call(pid, ({ state }: Context) => reply(state as string))).toBe('new');
    await world.call(pid, () => replyStream([1]));
    expect(await world.call(pid, ({ state }: Context) => reply(state as string))).toBe('new');
    await world.call(pid, () => replyStream([1], undefined).continue('next', () => noReply('continued')));
    expect(await world.call(pid, ({ state }: Context) => reply(state as string))).toBe('continued');
  });

  it.each([[5], ['text'], [undefined], [{}], [Promise.resolve([1])]])(
    'refuses %o, and the handler crashes as with any result that is none (R3)',
    async (source) => {
      const error = await rejectionOf(ask(source as never));
      expect(error).toMatchObject({ reason: { code: 'INVALID_ARGUMENT' } });
    },
  );

  it('is a result of a call only (R2)', async () => {
    world.cast(pid, () => replyStream([1]));
    await settle();
    expect(world.seen).toContainEqual(expect.objectContaining({ type: 'gen_server.crashed' }));
  });

  it('leaves the mailbox free while it streams', async () => {
    const gate = deferred();
    const { source } = counted(2, () => gate.promise);
    const items = all(await ask(source));
    await expect(world.call(pid, () => reply('meanwhile'))).resolves.toBe('meanwhile');
    gate.resolve();
    expect(await items).toEqual([0, 1]);
  });

  it('makes no item before the reader asks for it, and waits as long as it likes', async () => {
    const { seen, source } = counted();
    const stream = await ask(source);
    const reader = stream[Symbol.asyncIterator]();
    await world.clock.advance(29_999); // the timeout of the call does not count any more
    expect(seen).toEqual({ opened: 0, made: 0, returned: 0 });
    for (let at = 0; at < 3; at++) {
      expect(await reader.next()).toEqual({ done: false, value: at });
      await settle();
      expect(seen.made).toBe(at + 1);
      await world.clock.advance(60_000);
    }
    await reader.return();
  });

  it('leaves turns of the event loop to others, however fast the source and its reader are', async () => {
    let made = 0;
    function* numbers() {
      while (made < 10_000) yield made++;
    }
    const items = all(await ask(numbers()));
    await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeLessThan(10_000);
    expect((await items).length).toBe(10_000);
  });

  it('gives the items in order to a reader that asks for several at once', async () => {
    let running = 0;
    const { source } = counted(3, async () => {
      expect(++running).toBe(1);
      await Promise.resolve();
      running--;
    });
    const reader = (await ask(source))[Symbol.asyncIterator]();
    const results = await Promise.all(Array.from({ length: 5 }, () => reader.next()));
    expect(results.map(({ done, value }) => (done === true ? 'done' : value))).toEqual([0, 1, 2, 'done', 'done']);
  });

  it('ends with its source: the iterator is not returned then, and nothing watches the server any more', async () => {
    const { seen, source } = counted(2);
    expect(await all(await ask(source))).toEqual([0, 1]);
    await world.stop(pid);
    expect(seen).toEqual({ opened: 1, made: 3, returned: 0 });
  });

  it('returns the source once when the reader leaves', async () => {
    const { seen, source } = counted();
    const stream = await ask(source);
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    expect(await reader.return()).toEqual({ done: true, value: undefined });
    await reader.return();
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    await world.stop(pid);
    expect(seen).toEqual({ opened: 1, made: 1, returned: 1 });
  });

  it('lets a reader leave that waits for an item', async () => {
    const { seen, source } = counted(Infinity, never);
    const reader = (await ask(source))[Symbol.asyncIterator]();
    const waiting = reader.next();
    await reader.return();
    expect(await waiting).toEqual({ done: true, value: undefined });
    expect(seen.returned).toBe(1);
  });

  it('runs the finally of a generator when the reader leaves', async () => {
    const journal: string[] = [];
    const source = async function* () {
      try {
        for (let at = 0; ; at++) yield at;
      } finally {
        journal.push('closed');
      }
    };
    for await (const item of await ask(source())) if (item === 2) break;
    await settle();
    expect(journal).toEqual(['closed']);
  });

  it.each<[string, () => unknown, unknown]>([
    ['stops', () => world.stop(pid, 'shutdown'), 'shutdown'],
    ['stops normally', () => world.stop(pid), 'normal'],
    ['is killed', () => world.exit(pid, 'kill'), 'killed'],
    [
      'crashes',
      () =>
        world.cast(pid, () => {
          throw new Boom('boom');
        }),
      expect.any(Boom),
    ],
  ])(
    'fails the reader with the exit reason when the server %s, and returns the source once',
    async (_name, end, reason) => {
      const { seen, source } = counted(Infinity, (at) => (at === 1 ? never() : undefined));
      const reader = (await ask(source))[Symbol.asyncIterator]();
      await reader.next();
      const waiting = rejectionOf(reader.next());
      await end();
      const error = await waiting;
      expect(error).toBeInstanceOf(ServerExitedError);
      expect(error).toMatchObject({ server: 'Chat', reason });
      expect(await reader.next()).toEqual({ done: true, value: undefined });
      await reader.return();
      expect(seen).toEqual({ opened: 1, made: 2, returned: 1 });
    },
  );

  it('fails a reader that comes later, once', async () => {
    const { seen, source } = counted();
    const stream = await ask(source);
    world.exit(pid, 'kill');
    await settle();
    const reader = stream[Symbol.asyncIterator]();
    expect(await rejectionOf(reader.next())).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    expect(seen.made).toBe(0);
  });

  it('fails the reader with what the source throws, and leaves the server alone', async () => {
    const { seen, source } = counted(Infinity, (at) => {
      if (at === 1) throw new Boom('source');
    });
    const reader = (await ask(source))[Symbol.asyncIterator]();
    await reader.next();
    const [failed, after] = [rejectionOf(reader.next()), reader.next()];
    expect(await failed).toBeInstanceOf(Boom);
    expect(await after).toEqual({ done: true, value: undefined });
    expect(seen.returned).toBe(0); // it is at its end
    await expect(world.call(pid, () => reply('alive'))).resolves.toBe('alive');
  });

  it.each<[string, unknown]>([
    ['an iterator that cannot be made', { [Symbol.asyncIterator]: () => { throw new Boom('open'); } }], // prettier-ignore
    ['a function that throws', () => { throw new Boom('function'); }], // prettier-ignore
    ['an Observable that cannot be subscribed to', { subscribe: () => { throw new Boom('subscribe'); } }], // prettier-ignore
    ['a next that throws', { [Symbol.asyncIterator]: () => ({ next: () => { throw new Boom('next'); } }) }], // prettier-ignore
    ['an Observable that fails', new Observable((observer) => observer.error(new Boom('observable')))],
    ['a promise that rejects in an iterable', () => [Promise.reject(new Boom('item'))]],
  ])('fails the reader of %s', async (_name, source) => {
    expect(await rejectionOf(all(await ask(source as never)))).toBeInstanceOf(Boom);
    await expect(world.call(pid, () => reply('alive'))).resolves.toBe('alive');
  });

  it.each<[string, unknown]>([
    ['a function that gives nothing to read', () => 5],
    ['an iterator whose result is none', { [Symbol.asyncIterator]: () => ({ next: () => 5 }) }],
  ])('fails the reader of %s with a TypeError', async (_name, source) => {
    expect(await rejectionOf(all(await ask(source as never)))).toBeInstanceOf(TypeError);
  });

  it('has one reader: a second gets a clear error, and disturbs nobody', async () => {
    const { source } = counted(1);
    const stream = await ask(source);
    const reader = stream[Symbol.asyncIterator]();
    const error = await rejectionOf(all(stream));
    expect(error).toBeInstanceOf(StreamAlreadyReadError);
    expect(error).toMatchObject({ code: 'STREAM_ALREADY_READ', server: 'Chat' });
    expect((error as Error).message).toMatch(
      /^The stream that Chat gave for handleCall\(.*\) is being read, or was\. A stream has one reader: ask the server for another/,
    );
    expect(await reader.next()).toEqual({ done: false, value: 0 });
    expect(await all(reader)).toEqual([]);
  });

  describe('that nobody begins to read', () => {
    /** Sources that hold on to something before anybody reads, and how to see that they were let go. */
    const HOLDING: readonly (readonly [string, () => readonly [StreamSource<unknown>, () => Promise<boolean>]])[] = [
      ['a Readable', () => ((readable) => [readable, async () => readable.destroyed] as const)(new PassThrough())],
      [
        'a generator',
        () => {
          const generator = (async function* () {
            yield 1;
          })();
          return [generator, async () => (await generator.next()).done === true] as const;
        },
      ],
    ];

    it.each(HOLDING)('tells its source after 30 s, and not before: %s', async (_what, make) => {
      const [source, isReleased] = make();
      await ask(source);
      await world.clock.advance(29_999);
      expect(world.runtime.deadlines.isEmpty).toBe(false);
      await world.clock.advance(1);
      expect([await isReleased(), world.runtime.deadlines.isEmpty]).toEqual([true, true]);
    });

    it('waits as long as it is told to', async () => {
      const sources = [new PassThrough(), new PassThrough(), new PassThrough()];
      for (const [i, beginWithinMs] of [10, 100_000, Infinity].entries()) {
        await world.call(pid, () => replyStream(sources[i]!, i, { beginWithinMs }));
      }
      expect(await world.call(pid, ({ state }: Context) => reply(state))).toBe(2);
      const gone = () => sources.map(({ destroyed }) => destroyed);
      await world.clock.advance(10);
      expect(gone()).toEqual([true, false, false]);
      await world.clock.advance(99_990);
      expect(gone()).toEqual([true, true, false]);
      await world.clock.advance(10_000_000);
      expect(gone()).toEqual([true, true, false]);
    });

    it('tells a reader that comes too late, once, and opens nothing', async () => {
      const { seen, source } = counted();
      const reader = (await ask(source))[Symbol.asyncIterator]();
      await world.clock.advance(30_000);
      const error = await rejectionOf(reader.next());
      expect(error).toBeInstanceOf(StreamNotBegunError);
      expect(error).toMatchObject({ code: 'STREAM_NOT_BEGUN', server: 'Chat', beginWithinMs: 30_000 });
      expect((error as Error).message).toMatch(
        /^Nobody began to read the stream that Chat gave for handleCall\(.*\) within 30000 ms\. Begin sooner/,
      );
      expect(await reader.next()).toEqual({ done: true, value: undefined });
      expect(seen).toEqual({ opened: 0, made: 0, returned: 0 });
    });

    it('is not waited for any more when it was begun, left, or its server has ended', async () => {
      const begun = (await ask(counted().source))[Symbol.asyncIterator]();
      await begun.next();
      expect(world.runtime.deadlines.isEmpty).toBe(true);
      const left = (await ask(counted().source))[Symbol.asyncIterator]();
      await left.return();
      expect(world.runtime.deadlines.isEmpty).toBe(true);
      await ask(counted().source);
      await world.stop(pid);
      expect(world.runtime.deadlines.isEmpty).toBe(true);
      expect(await rejectionOf(begun.next())).toBeInstanceOf(ServerExitedError);
    });

    it.each([-1, NaN, '5', null])('refuses to wait for %o', async (beginWithinMs) => {
      await rejectionOf(world.call(pid, () => replyStream([1], 1, { beginWithinMs } as never)));
      expect(world.seen).toContainEqual(
        expect.objectContaining({
          type: 'gen_server.crashed',
          reason: expect.objectContaining({ code: 'INVALID_ARGUMENT' }) as unknown,
        }),
      );
    });
  });

  describe('that nobody reads', () => {
    it('lets go of what holds on to something when the server ends', async () => {
      const journal: string[] = [];
      const readable = new PassThrough().on('close', () => journal.push('readable closed'));
      const generator = counted().source;
      const returned: string[] = [];
      const iterator = Object.assign(generator, { return: async () => void returned.push('once') });
      const subject = new Subject<number>();
      for (const source of [readable, iterator, subject, [1], () => [1]]) await ask(source as never);
      expect(subject.observed).toBe(false);
      await world.stop(pid);
      await settle();
      expect([journal, returned]).toEqual([['readable closed'], ['once']]);
    });

    it('returns a generator that was never begun, so that it cannot be any more', async () => {
      const source = (async function* () {
        yield 1;
      })();
      await ask(source);
      await world.stop(pid);
      await settle();
      expect(await source.next()).toEqual({ done: true, value: undefined });
    });

    it('is let go of at once when its caller had given up', async () => {
      const gate = deferred();
      const readable = new PassThrough();
      const late = rejectionOf(
        world.call(pid, async () => {
          await gate.promise;
          return replyStream(readable);
        }),
      );
      await world.clock.advance(5_000);
      expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
      gate.resolve();
      await settle();
      expect(readable.destroyed).toBe(true);
    });

    it('survives a source that fails to let go', async () => {
      const [sync, later] = [new Boom('sync'), new Boom('later')];
      for (const give of [
        () => {
          throw sync;
        },
        () => Promise.reject(later),
      ]) {
        // prettier-ignore
        const source = { [Symbol.asyncIterator]: () => ({ next: async () => ({ value: 1 }), return: give }) };
        const reader = (await ask(source as never))[Symbol.asyncIterator]();
        await reader.next();
        expect(await reader.return()).toEqual({ done: true, value: undefined });
      }
    });
  });

  it('destroys a Readable whose next chunk never comes when the reader leaves', async () => {
    const readable = new PassThrough({ objectMode: true });
    readable.write('first');
    const reader = (await ask<unknown>(readable))[Symbol.asyncIterator]();
    expect(await reader.next()).toEqual({ done: false, value: 'first' });
    void reader.next();
    await settle();
    await reader.return();
    await settle();
    expect(readable.destroyed).toBe(true);
  });

  it('tells a function when nobody reads any more, by its signal', async () => {
    const signals: AbortSignal[] = [];
    const source = (signal: AbortSignal) => {
      signals.push(signal);
      return counted(2).source;
    };
    await ask(source);
    expect(signals).toEqual([]); // not before reading begins
    const [left, ended, cut] = await Promise.all([ask(source), ask(source), ask(source)]);
    const [leaving, cutOff] = [left[Symbol.asyncIterator](), cut[Symbol.asyncIterator]()];
    await leaving.next();
    await leaving.return();
    await all(ended);
    await cutOff.next();
    world.exit(pid, 'kill');
    await settle();
    expect(signals.map(({ aborted, reason }) => [aborted, reason as unknown])).toEqual([
      [true, 'normal'],
      [false, undefined],
      [true, 'killed'],
    ]);
    expect(await rejectionOf(cutOff.next())).toBeInstanceOf(ServerExitedError);
  });

  describe('from an Observable', () => {
    it('keeps what comes before it is asked for, and unsubscribes when the reader leaves', async () => {
      const subject = new Subject<number>();
      const reader = (await ask(subject))[Symbol.asyncIterator]();
      const first = reader.next();
      for (let at = 0; at < 3; at++) subject.next(at);
      expect([await first, await reader.next()]).toMatchObject([{ value: 0 }, { value: 1 }]);
      await reader.return();
      expect(subject.observed).toBe(false);
    });

    it('gives what was kept before its end, and its error after that', async () => {
      const subject = new Subject<number>();
      const [good, bad] = [await ask(subject), await ask(subject)].map((stream) => stream[Symbol.asyncIterator]());
      const firsts = [good!.next(), bad!.next()];
      subject.next(0);
      subject.next(1);
      await Promise.all(firsts);
      subject.error(new Boom('late'));
      expect(await good!.next()).toMatchObject({ value: 1 });
      expect(await rejectionOf(good!.next())).toBeInstanceOf(Boom);
      await bad!.return();
    });

    it(`fails a reader that is more than ${MOST_BUFFERED} items behind`, async () => {
      const subject = new Subject<number>();
      const reader = (await ask(subject))[Symbol.asyncIterator]();
      const first = reader.next();
      for (let at = 0; at <= MOST_BUFFERED; at++) subject.next(at);
      expect([await first, subject.observed]).toEqual([{ done: false, value: 0 }, true]);
      subject.next(-1);
      expect(subject.observed).toBe(false);
      const error = await rejectionOf(reader.next());
      expect(error).toBeInstanceOf(StreamOverflowError);
      expect(error).toMatchObject({ code: 'STREAM_OVERFLOW', server: 'Chat', limit: MOST_BUFFERED });
      await expect(world.call(pid, () => reply('alive'))).resolves.toBe('alive');
    });

    it('unsubscribes from one that says everything while it is subscribed to', async () => {
      let unsubscribed = 0;
      const source = new Observable<number>((observer) => {
        for (let at = 0; at <= MOST_BUFFERED + 10; at++) observer.next(at);
        return () => unsubscribed++;
      });
      expect(await rejectionOf(all(await ask(source)))).toBeInstanceOf(StreamOverflowError);
      expect(unsubscribed).toBe(1);
    });
  });

  it('runs the source in the root context, never in that of the reader (real clock)', async () => {
    const here = testWorld({ clock: systemClock });
    const storage = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    const server = await here.start(
      script({
        handleCall: () =>
          replyStream(async function* () {
            try {
              for (let at = 0; at < 3; at++) {
                seen.push(storage.getStore());
                await Promise.resolve();
                seen.push(storage.getStore());
                yield at;
              }
            } finally {
              seen.push(storage.getStore());
            }
          }),
      }),
    );
    await storage.run('reader', async () => {
      for await (const item of (await here.call(server, null)) as ReplyStream<number>) {
        expect(storage.getStore()).toBe('reader');
        if (item === 1) break;
      }
    });
    await settle();
    expect(seen).toEqual([undefined, undefined, undefined, undefined, undefined]);
    await here.stop(server);
    here.runtime.close();
  });

  it('copies the items of an isolated server, and fails the reader where that cannot be done', async () => {
    const isolated = await world.start(
      {
        handleCall: (request: string) =>
          replyStream<unknown>(request === 'items' ? [item] : [(): void => undefined, 'never given']),
      },
      { isolation: 'clone' },
    );
    const item = { a: 1 };
    const [copy] = await all((await world.call(isolated, 'items')) as ReplyStream<typeof item>);
    expect([copy, copy === item]).toEqual([{ a: 1 }, false]);
    const failing = (await world.call(isolated, 'functions')) as ReplyStream<unknown>;
    expect(await rejectionOf(all(failing))).toMatchObject({ name: 'DataCloneError' });
  });

  it('streams to a thousand readers at once, and leaves nothing behind', async () => {
    const streams = await Promise.all(Array.from({ length: 1_000 }, (_, at) => ask(counted(at % 5).source)));
    const lengths = (await Promise.all(streams.map((stream) => all(stream)))).map(({ length }) => length);
    expect(lengths).toEqual(Array.from({ length: 1_000 }, (_, at) => at % 5));
    world.cast(pid, () => stop('normal'));
  });
});

describe('A source that misbehaves', () => {
  const giving = (result: unknown): AsyncIterable<number> => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(result as IteratorResult<number>) }),
  });

  it.each([
    [
      'done',
      {
        get done() {
          throw new Boom('done');
        },
      },
    ],
    [
      'value',
      {
        done: false,
        get value() {
          throw new Boom('value');
        },
      },
    ],
  ])('fails the stream, and nothing else, when %s of a result throws', async (what, result) => {
    const stream = await ask(giving(result));
    expect(await rejectionOf(all(stream))).toEqual(new Boom(what));
    expect(await world.call(pid, () => reply('alive'))).toBe('alive');
  });

  it('is told of its end when one of the promises that it gave is rejected', async () => {
    let returned = 0;
    function* promises() {
      try {
        yield Promise.reject(new Boom('item'));
      } finally {
        returned++;
      }
    }
    const stream = await ask(promises() as Iterable<unknown>);
    expect(await rejectionOf(all(stream))).toEqual(new Boom('item'));
    expect(returned).toBe(1);
  });

  it.each([
    ['was killed', (server: Pid) => world.exit(server, 'kill')],
    ['has asked to exit', (server: Pid) => world.cast(server, () => noReply())],
  ])('is let go when its server %s before the handler gave it', async (what, end) => {
    const gate = deferred();
    const readable = new PassThrough();
    const called = rejectionOf(
      world.call(pid, async ({ self }: Context) => {
        await gate.promise;
        if (what === 'has asked to exit') {
          try {
            self.exit('shutdown');
          } catch {
            // a handler that swallows its exit
          }
        }
        return replyStream(readable);
      }),
    );
    await settle();
    end(pid);
    await settle();
    gate.resolve();
    expect(await called).toBeInstanceOf(ServerExitedError);
    await settle();
    expect(readable.destroyed).toBe(true);
  });

  it('is let go when a handler gives it that nobody can get it from', async () => {
    const readable = new PassThrough();
    world.cast(pid, () => replyStream(readable));
    await settle();
    expect(readable.destroyed).toBe(true);
  });
});
