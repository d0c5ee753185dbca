import { describe, expect, it } from 'vitest';
import { noReply, ok } from '../../lib/gen-server/results/callback-result.js';
import { GenServer, GenServerBase, HandleCall, reply } from '../../lib/index.js';
import {
  explore,
  type ExploreContext,
  ExploreError,
  type Scenario,
  startSupervised,
  TestProbe,
} from '../../lib/testing/index.js';
import { deferred } from '../support/deferred.js';
import { rejectionOf } from '../support/thrown.js';

class Repository {
  private value = 0;
  async load(): Promise<number> {
    return this.value;
  }
  async save(value: number): Promise<void> {
    this.value = value;
  }
}

/** What it has read may be old when it writes. */
class PlainCounter {
  constructor(private readonly repository: Repository) {}
  async increment(): Promise<void> {
    await this.repository.save((await this.repository.load()) + 1);
  }
}

@GenServer()
class CounterServer extends GenServerBase<null> {
  constructor(private readonly repository: Repository) {
    super();
  }
  override init() {
    return ok(null);
  }
  @HandleCall() async increment() {
    await this.repository.save((await this.repository.load()) + 1);
    return reply(undefined);
  }
}

const twice = async (
  { run, pausing }: ExploreContext,
  make: (repository: Repository) => Promise<{ increment(): Promise<void> }>,
): Promise<void> => {
  const repository = new Repository();
  const counter = await make(pausing(repository));
  await run([() => counter.increment(), () => counter.increment()]);
  expect(await repository.load()).toBe(2);
};
const plain: Scenario = (context) => twice(context, async (repository) => new PlainCounter(repository));
const server: Scenario = (context) =>
  twice(context, (repository) => startSupervised(context.world, CounterServer, { dependencies: [repository] }));

const failureOf = async (...given: Parameters<typeof explore>): Promise<ExploreError> => {
  const error = await rejectionOf(explore(...given));
  if (!(error instanceof ExploreError)) throw error;
  return error;
};

describe('explore', () => {
  it('finds a value that is read before and written after an await of somebody else', async () => {
    const error = await failureOf(100, plain);
    expect(error).toMatchObject({
      code: 'EXPLORE',
      cause: expect.objectContaining({ message: expect.stringContaining('expected 1 to be 2') }),
    });
  });

  it('finds nothing when a server does the same', async () => {
    expect(await explore(200, server)).toEqual({ runs: 200, orders: expect.any(Number) });
  });

  it('finds a race between awaits that nobody pauses at', async () => {
    const error = await failureOf(100, async ({ run }) => {
      let value = 0;
      const increment = async (): Promise<void> => {
        const read = value;
        await Promise.resolve();
        value = read + 1;
      };
      await run([increment, increment]);
      expect(value).toBe(2);
    });
    expect(error.trace).toHaveLength(2);
  });

  it('finds the one order of many', async () => {
    const error = await failureOf(2_000, async ({ run, pause }) => {
      const order: number[] = [];
      await run([3, 2, 1, 0].map((at) => () => pause().then(() => order.push(at))));
      expect(order).not.toEqual([0, 1, 2, 3]);
    });
    const ends = error.trace.filter((step) => step.endsWith('a pause'));
    expect(ends.map((step) => /#\d/.exec(step)![0])).toEqual(['#4', '#3', '#2', '#1']);
  });

  it('finds a deadlock', async () => {
    const locked = (): (() => Promise<() => void>) => {
      let last: Promise<unknown> = Promise.resolve();
      return async () => {
        const [before, mine] = [last, deferred()];
        last = mine.promise;
        await before;
        return mine.resolve;
      };
    };
    const error = await failureOf(100, async ({ run, pause }) => {
      const [a, b] = [locked(), locked()];
      const both = async (first: typeof a, second: typeof a): Promise<void> => {
        const releaseFirst = await first();
        await pause();
        (await second())();
        releaseFirst();
      };
      await run([() => both(a, b), () => both(b, a)]);
    });
    expect(error.message).toContain('Nothing goes on');
  });

  it('takes the same order for the same seed', async () => {
    const traces = new Set<string>();
    for (let time = 0; time < 5; time++) traces.add((await failureOf(100, plain)).message);
    expect(traces.size).toBe(1);
  });

  it('takes many orders for many seeds', async () => {
    const { orders } = await explore(100, ({ run, pause }) => run(Array.from({ length: 4 }, () => () => pause())));
    expect(orders).toBeGreaterThan(50);
  });

  it('says how to run it again, by the seed and by the shortest order, and so it fails again', async () => {
    const { message, seed, order, trace } = await failureOf(100, plain);
    expect(message).toContain(`Run it again: explore(1, scenario, { seed: ${seed} })`);
    expect(message).toContain(`explore(1, scenario, { seed: ${seed}, order: [${order!.join(', ')}] })`);
    expect((await failureOf(1, plain, { seed })).trace).toEqual(trace);
    expect((await failureOf(1, plain, { seed, order: order! })).trace).toEqual(trace);
  });

  it('shows the shortest order, in which only what matters is not the first that could go on', async () => {
    const { trace, order } = await failureOf(100, plain);
    expect(order).toEqual([]);
    expect(trace.indexOf('#2: Repository.load')).toBeLessThan(trace.indexOf('#1: Repository.save'));
  });

  it('keeps the order that was found when it may not look for a shorter one', async () => {
    const kept = await failureOf(100, plain, { shrinkRuns: 0 });
    expect((await failureOf(1, plain, { seed: kept.seed, order: kept.order! })).trace).toContain(kept.trace[0]);
    expect(kept.order!.length).toBeGreaterThanOrEqual((await failureOf(100, plain)).order!.length);
  });

  it('says when a failure depends on something else than the order', async () => {
    let runs = 0;
    const error = await failureOf(10, () => {
      if (++runs === 3) throw new Error('the third time');
    });
    expect(error).toMatchObject({ order: undefined, message: expect.stringContaining('depends on something else') });
    expect(error.message).toContain('Run 3 of 10 failed, with seed 3: the third time');
  });

  it('gives each run numbers of its own, the same for the same seed', async () => {
    const drawn: number[][] = [];
    const draw: Scenario = ({ random }) => void drawn.push([random(), random()]);
    await explore(2, draw);
    await explore(2, draw);
    expect(drawn[0]).toEqual(drawn[2]);
    expect(drawn[1]).toEqual(drawn[3]);
    expect(drawn[0]).not.toEqual(drawn[1]);
  });

  it('lets time pass when nothing else can happen', async () => {
    await explore(20, async ({ world, run }) => {
      const probe = await TestProbe.start(world);
      const begin = world.clock.now();
      const slow = await startSupervised(world, {
        init: () => ok(null),
        handleCall: (ms, from, _state, self) => {
          self.sendAfter(self.pid, from, ms as number);
          return from.later();
        },
        handleInfo: (from) => {
          (from as { reply(value: unknown): void }).reply('late');
          return noReply();
        },
      });
      const answers = await run([() => world.call(slow, 30), () => world.call(slow, 10), () => probe.pid]);
      expect(answers).toEqual(['late', 'late', probe.pid]);
      expect(world.clock.now() - begin).toBe(30);
    });
  });

  it('lets a scenario turn the clock and expect messages while others pause', async () => {
    await explore(20, async ({ world, run, pause }) => {
      const probe = await TestProbe.start(world);
      await run([
        async () => {
          await pause();
          probe.self.sendAfter(probe.pid, 'tick', 10);
        },
        async () => {
          await world.clock.advance(5);
          await pause();
        },
      ]);
      await probe.expectMessage('tick', { withinMs: 10 });
    });
  });

  it('nests: a branch may run branches', async () => {
    const { message } = await failureOf(1, async ({ run, pause }) => {
      await run([
        function outer() {
          return run([() => pause('inside')]);
        },
      ]);
      throw new Error('show me');
    });
    expect(message).toContain('outer > #1: inside');
  });

  it('waits for all branches, and rejects as the first of the list that failed', async () => {
    let done: string[] = [];
    const error = await failureOf(1, ({ run, pause }) => {
      done = [];
      return run([
        () => pause().then(() => done.push('a')),
        () => Promise.reject(new Error('b')),
        () => pause().then(() => Promise.reject(new Error('c'))),
      ]);
    });
    expect([done, error.cause]).toEqual([['a'], new Error('b')]);
  });

  it('ends the world of each run, with the processes that still pause', async () => {
    const worlds: ExploreContext['world'][] = [];
    await explore(3, async ({ world, pause }) => {
      worlds.push(world);
      const pid = await startSupervised(world, {
        init: () => ok(null),
        handleCast: async () => {
          await pause();
          await pause();
          return noReply();
        },
      });
      world.cast(pid, 'begin');
    });
    expect(worlds.map(({ runtime }) => runtime.processCount)).toEqual([0, 0, 0]);
  });

  it('pauses in methods only: what else an object has stays as it is', async () => {
    await explore(1, ({ pausing }) => {
      class Thing {
        readonly name = 'thing';
        get twice(): string {
          return this.name + this.name;
        }
      }
      const thing = pausing(new Thing());
      expect([thing.name, thing.twice, thing instanceof Thing, thing.constructor]).toEqual([
        'thing',
        'thingthing',
        true,
        Thing,
      ]);
    });
  });

  it.each<[string, Parameters<typeof explore>]>([
    ['seedCount', [0, () => undefined]],
    ['seedCount', [1.5, () => undefined]],
    ['seed', [1, () => undefined, { seed: NaN }]],
    ['shrinkRuns', [1, () => undefined, { shrinkRuns: -1 }]],
  ])('refuses a %s that makes no sense', async (what, given) => {
    expect(await rejectionOf(explore(...given))).toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining(`${what} of explore must be a whole number`),
    });
  });
});
