import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reply } from '../../lib/gen-server/results/callback-result.js';
import { CallCycleError } from '../../lib/gen-server/errors.js';
import { Task } from '../../lib/gen-server/tasks/task.js';
import { Down } from '../../lib/runtime/exits/messages.js';
import { never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { expectWorldEnds } from '../support/world-end.js';
import { testWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
/** Traps exits, so that a task that fails is an outcome. */
let owner: Probe;

beforeEach(async () => {
  world = testWorld();
  owner = await startProbe(world, { trapExit: true });
});

afterEach(() => expectWorldEnds(world));

/** Takes as many milliseconds as the item says, and gives it back. */
const sleep = (ms: number): Promise<number> => new Promise((resolve) => world.clock.setTimer(ms, () => resolve(ms)));
const fail = (item: number): never => {
  throw new Error(`no ${item}`);
};
const ok = (...values: unknown[]) => values.map((value) => ({ status: 'ok', value }));
const exits = (...items: number[]) =>
  items.map((item) => ({ status: 'exit', reason: expect.objectContaining({ message: `no ${item}` }) as unknown }));

async function* take<T>(stream: AsyncIterable<T>, count: number): AsyncGenerator<T> {
  let left = count;
  if (left > 0)
    for await (const item of stream) {
      yield item;
      if (--left === 0) return;
    }
}

function* upTo(limit: number, from = 1): Generator<number, void> {
  for (let item = from; item <= limit; item++) yield item;
}

/** What a stream gives, while time goes by. */
async function read<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const done = collect(stream);
  await world.clock.advance(1_000);
  return done;
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const outcome of stream) all.push(outcome);
  return all;
}

/** Nothing of a stream is left: no process but the owner, no message, no timer. */
const expectNothingLeft = async (): Promise<void> => {
  await settle();
  expect([world.runtime.processCount, owner.messages, world.runtime.deadlines.isEmpty]).toEqual([1, [], true]);
};

describe.each([
  ['as many as there are items', 4],
  ['fewer', 2],
  ['more', 8],
])('Task.asyncStream with as maxConcurrency %s', (_name, maxConcurrency) => {
  const stream = <T>(items: Iterable<number>, work: (item: number) => T | Promise<T>, options = {}) =>
    Task.asyncStream(owner.self, items, work, { maxConcurrency, ...options });

  it('gives the results in the order of the items, and leaves nothing behind', async () => {
    expect(await read(stream(upTo(4), sleep))).toEqual(ok(1, 2, 3, 4));
    await expectNothingLeft();
  });

  it('does so with the slowest first', async () => {
    expect(await read(stream([40, 30, 20, 10], sleep))).toEqual(ok(40, 30, 20, 10));
  });

  it('gives failures in the order of the items, and no Exit for them', async () => {
    expect(await read(stream(upTo(4), fail))).toEqual(exits(1, 2, 3, 4));
    await expectNothingLeft();
  });

  it('stops the tasks that nobody reads any more, and leaves neither links nor messages', async () => {
    const work = (item: number): Promise<number> => (item === 1 ? sleep(1) : never());
    expect(await read(take(stream(upTo(4), work), 1))).toEqual(ok(1));
    await expectNothingLeft();
  });

  it.each([
    ['results', [1, 2, 3, 4], sleep, ok(1, 2, 3, 4)],
    ['failures', [1, 2, 3, 4], fail, exits(1, 2, 3, 4)],
    ['results with the slowest first', [40, 30, 20, 10], sleep, ok(40, 30, 20, 10)],
  ] as [string, number[], (item: number) => Promise<number>, unknown[]][])(
    'can be read together with another: %s',
    async (_of, items, work, expected) => {
      const [left, right] = [stream(items, work), stream(items, work)];
      async function* zip() {
        for await (const first of left) yield [first, (await right.next()).value];
        await right.return!();
      }
      expect(await read(zip())).toEqual(expected.map((each) => [each, each]));
    },
  );

  it.each([
    ['results', upTo(8), sleep, ok(1, 2, 3, 4)],
    ['failures', upTo(8), fail, exits(1, 2, 3, 4)],
    ['results with the slowest first', [80, 70, 60, 50, 40], sleep, ok(80, 70, 60, 50)],
  ] as [string, Iterable<number>, (item: number) => Promise<number>, unknown[]][])(
    'ends with an input that ends early: %s',
    async (_of, items, work, expected) => {
      function* four() {
        let count = 0;
        for (const item of items) {
          yield item;
          if (++count === 4) return;
        }
      }
      expect(await read(stream(four(), work))).toEqual(expected);
      await expectNothingLeft();
    },
  );

  it.each([
    ['results', upTo(8), sleep, ok(1, 2, 3, 4)],
    ['failures', upTo(8), fail, exits(1, 2, 3, 4)],
    ['results with the slowest first', [80, 70, 60, 50, 40, 30], sleep, ok(80, 70, 60, 50)],
  ] as [string, Iterable<number>, (item: number) => Promise<number>, unknown[]][])(
    'ends with a reader who stops early: %s',
    async (_of, items, work, expected) => {
      expect(await read(take(stream(items, work), 4))).toEqual(expected);
      await expectNothingLeft();
    },
  );

  it('lets its input clean up, and its reader as well', async () => {
    const cleaned: string[] = [];
    function* input() {
      try {
        yield* upTo(4);
      } finally {
        cleaned.push('input');
      }
    }
    async function* reader(inner: AsyncIterable<unknown>) {
      try {
        yield* inner;
      } finally {
        cleaned.push('reader');
      }
    }
    expect(await read(reader(stream(input(), sleep)))).toEqual(ok(1, 2, 3, 4));
    expect(cleaned).toEqual(['input', 'reader']);
    expect(await read(take(reader(stream(input(), sleep)), 2))).toEqual(ok(1, 2));
    expect(cleaned).toEqual(['input', 'reader', 'input', 'reader']);
  });

  it("kills what takes too long with onTimeout: 'kill_task', in its place, and leaves no message", async () => {
    const timeout = { status: 'exit', reason: 'timeout' };
    const options = { onTimeout: 'kill_task', timeoutMs: 50 };
    expect(await read(stream([100, 1, 100, 1], sleep, options))).toEqual([timeout, ...ok(1), timeout, ...ok(1)]);
    await expectNothingLeft();
  });

  it('says with zipInputOnExit which item took too long', async () => {
    const options = { onTimeout: 'kill_task', timeoutMs: 50, zipInputOnExit: true };
    expect(await read(stream([1, 100], sleep, options))).toEqual([
      ...ok(1),
      { status: 'exit', reason: 'timeout', input: 100 },
    ]);
  });

  it('says with zipInputOnExit which items failed, as far as they are read', async () => {
    const outcomes = await read(take(stream(upTo(8), fail, { zipInputOnExit: true }), 4));
    expect(outcomes).toEqual(exits(1, 2, 3, 4).map((exit, at) => ({ ...exit, input: at + 1 })));
    await expectNothingLeft();
  });
});

describe('Task.asyncStream', () => {
  it('fails at once with a timeout of 0 when a task takes any time at all, and leaves no message', async () => {
    const stream = Task.asyncStream(owner.self, [1], never, { timeoutMs: 0 });
    const first = rejectionOf(stream.next());
    await world.clock.advance(1);
    expect(await first).toMatchObject({ code: 'TASK_TIMEOUT', timeoutMs: 0 });
    await expectNothingLeft();
  });

  it('waits for ever with a timeout of Infinity', async () => {
    const stream = Task.asyncStream(owner.self, [10 ** 9], sleep, { timeoutMs: Infinity });
    const first = stream.next();
    await settle();
    expect(world.runtime.deadlines.isEmpty).toBe(true);
    await world.clock.advance(10 ** 9);
    expect(await first).toMatchObject({ value: { status: 'ok' } });
    await stream.return!();
  });

  it.each([
    [1, [400, 300, 200, 100]],
    [4, [100, 200, 300, 400]],
  ])('without order and with maxConcurrency %i gives %o', async (maxConcurrency, expected) => {
    const options = { maxConcurrency, ordered: false };
    expect(await read(Task.asyncStream(owner.self, [400, 300, 200, 100], sleep, options))).toEqual(ok(...expected));
  });

  it('without order gives those that were killed for taking too long when they are', async () => {
    const options = { maxConcurrency: 4, ordered: false, onTimeout: 'kill_task', timeoutMs: 50 } as const;
    const timeout = { status: 'exit', reason: 'timeout' };
    const outcomes = await read(Task.asyncStream(owner.self, [100, 1, 100, 1], sleep, options));
    expect(outcomes).toEqual([...ok(1, 1), timeout, timeout]);
    await expectNothingLeft();
  });

  it('is not misled by a Down that somebody forges: what is sent to the owner is for the owner', async () => {
    const forged = new Down(world.runtime.newRef(), owner.pid, owner.pid, 'oops');
    const work = (item: number): number => {
      for (const { pid } of world.runtime.processes()) world.send(pid, forged);
      return item;
    };
    expect(await read(Task.asyncStream(owner.self, [1], work))).toEqual(ok(1));
    expect(owner.messages).toEqual([forged]);
  });

  it('may be read by anybody: its tasks are of the process whose self it was given', async () => {
    const ran: number[] = [];
    const stream = Task.asyncStream(owner.self, [1, 2, 3], (item) => ran.push(item));
    const reader = await world.start(script());
    const length = world.call(reader, async () => reply((await read(stream)).length));
    expect(await length).toBe(3);
    expect(ran).toEqual([1, 2, 3]);
    world.exit(reader, 'kill');
    await expectNothingLeft();
  });

  it('takes an input that is put together of several, one of which ends early', async () => {
    function* input() {
      for (const item of ['foo', 'bar']) {
        yield item;
        break;
      }
      yield* ['one', 'two'];
    }
    expect(await read(Task.asyncStream(owner.self, input(), (item) => item))).toEqual(ok('foo', 'one', 'two'));
  });

  it('hands the chain of callers on to its tasks, and to the streams in them', async () => {
    world = testWorld({ tracking: true });
    const pid = await world.start(script({ label: 'Cart' }), { trapExit: true });
    const callBack = () => world.call(pid, () => reply('never'));
    const outcomes = world.call(
      pid,
      async ({ self }: Context) =>
        reply(
          await collect(
            Task.asyncStream(self, [1], async () => {
              await Promise.resolve();
              return collect(Task.asyncStream(self, [1], callBack));
            }),
          ),
        ),
      Infinity,
    );
    await world.clock.advance(1_000);
    const inner = [{ status: 'exit', reason: expect.any(CallCycleError) as unknown }];
    expect(await outcomes).toEqual([{ status: 'ok', value: inner }]);
  });
});
