import { describe, expect, it } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { DynamicSupervisor, blueprintOfDynamicSupervisor } from '../../lib/supervision/dynamic-supervisor.js';
import { SupervisorConfigError } from '../../lib/supervision/errors.js';
import {
  partitionOf,
  PartitionSupervisor,
  type PartitionSupervisorSpec,
  startPartitionSupervisor,
} from '../../lib/supervision/partition-supervisor.js';
import { Supervisor } from '../../lib/supervision/supervisor.js';
import { settle } from '../support/manual-clock.js';
import { seededRandom } from '../support/seeded-random.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { crash, end, type Job, type TreeWorld } from '../support/tree.js';
import { expectNothingLeft, tidyWorld } from './tidy-world.js';

expectNothingLeft();

const whoAmI: Job = (self) => reply(self.pid);
const state = Symbol('state');

interface WorkerOptions {
  readonly init?: (args: readonly unknown[]) => unknown;
  readonly seen?: unknown[];
}

/** The source of a partition that keeps what it was started with, and lists the messages that it got. */
function source(world: TreeWorld, { init = (args) => ok(args), seen = [] }: WorkerOptions = {}) {
  return blueprintOfBehaviour({
    label: 'part',
    init: (args) => {
      world.journal.push(`init ${String(args)}`);
      return init(args);
    },
    handleCall: (request, _from, current, self) => (request === state ? reply(current) : (request as Job)(self)),
    handleCast: (request, _state, self) => (request as Job)(self),
    handleInfo: (message) => (seen.push(message), reply(null)),
    terminate: (reason) => void world.journal.push(`terminate ${String(reason)}`),
  });
}

function start(world: TreeWorld, spec: Partial<PartitionSupervisorSpec> = {}): Promise<PartitionSupervisor> {
  return startPartitionSupervisor(world.runtime, { label: 'parts', name: 'parts', source: source(world), ...spec });
}

/** Whose state the call reaches: with `withArguments` of {@link numbered} the number of the partition. */
const ask = (world: TreeWorld, partitions: PartitionSupervisor, key: unknown) =>
  world.call({ via: partitions, key }, state as never);
const numbered = { withArguments: (args: readonly unknown[], partition: number) => [partition, ...args] };

describe('partitionOf', () => {
  it.each([
    [0, 3, 0],
    [1, 3, 1],
    [-1, 3, 1],
    [2, 3, 2],
    [-4, 3, 1],
    [4, 3, 1],
    [-3, 3, 0],
    [-0, 3, 0],
    [7, 1, 0],
    [Number.MAX_SAFE_INTEGER, 10, 1],
    [Number.MIN_SAFE_INTEGER, 10, 1],
    [-1n, 3, 1],
    [-4n, 3, 1],
    [10n ** 30n + 7n, 10, 7],
    [-(10n ** 30n) - 7n, 10, 7],
  ])('sends the integer %s among %i to %i: its absolute value counts [PS2]', (key, count, partition) => {
    expect(partitionOf(key, count)).toBe(partition);
  });

  // What is written here must never change: keys would move between the versions of an application.
  it.each([
    ['', 5, 1],
    ['a', 5, 0],
    ['user:42', 8, 2],
    ['user:43', 8, 5],
    ['ключ', 16, 9],
    ['1', 3, 1],
  ])('sends the string %o among %i to %i, in every Node process [PS2]', (key, count, partition) => {
    expect(partitionOf(key, count)).toBe(partition);
  });

  it('sends equal keys of any kind to one place [PS2]', () => {
    class Key {
      constructor(readonly id: string) {}
    }
    const symbol = Symbol('a');
    const make = (): unknown[] => [
      1.5,
      NaN,
      Infinity,
      true,
      null,
      undefined,
      symbol,
      ['user', 42],
      { tenant: 'a', user: { id: 1, tags: ['x'.repeat(1_000), 'y'] } },
      new Map([['a', 1]]),
      new Date(0),
      new Key('a'),
      'a'.repeat(100_000),
    ];
    const [first, second] = [make(), make()];
    for (const [at, key] of first.entries()) {
      const partition = partitionOf(key, 64);
      expect(partition).toBe(partitionOf(second[at], 64));
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(64);
    }
  });

  it('does not care in which order the properties of a key were set [PS2]', () => {
    expect(partitionOf({ tenant: 'a', user: 1 }, 1_000)).toBe(partitionOf({ user: 1, tenant: 'a' }, 1_000));
  });

  it('tells long keys apart that differ in the end only [PS2]', () => {
    const places = new Set(
      Array.from({ length: 50 }, (_, at) => partitionOf({ key: `${'x'.repeat(500)}${at}` }, 1_000)),
    );
    expect(places.size).toBeGreaterThan(40);
  });

  it('takes a key that cannot be looked at [PS2]', () => {
    const key = {
      get [Symbol.toStringTag](): string {
        throw new Error('no');
      },
    };
    expect(partitionOf(key, 4)).toBe(partitionOf(key, 4));
  });

  it.each([2, 3, 8, 16, 64])('spreads 20 000 strings evenly over %i [PS2]', (count) => {
    const sizes = new Array<number>(count).fill(0);
    for (let at = 0; at < 20_000; at++) sizes[partitionOf(`user:${at}`, count)]!++;
    const mean = 20_000 / count;
    for (const size of sizes) {
      expect(size).toBeGreaterThan(mean * 0.75);
      expect(size).toBeLessThan(mean * 1.25);
    }
  });

  it.each([0, -1, 1.5, NaN])('refuses %s for the number of partitions', (count) => {
    expect(thrownBy(() => partitionOf('a', count))).toBeInstanceOf(InvalidArgumentError);
  });
});

describe('startPartitionSupervisor', () => {
  it('starts one partition by default, and as many as asked for, in order [PS1]', async () => {
    const world = tidyWorld();
    const one = await start(world, { name: undefined });
    expect(one.partitions).toBe(1);
    const three = await start(world, { partitions: 3, ...numbered });
    expect(three.partitions).toBe(3);
    expect(await three.whichChildren()).toMatchObject(
      [0, 1, 2].map((partition) => ({ id: `${partition}`, pid: three.whereisName(partition), status: 'running' })),
    );
    expect(await three.countChildren()).toEqual({ specs: 3, active: 3, supervisors: 0, workers: 3 });
    expect(world.takeJournal()).toEqual(['init ', 'init 0', 'init 1', 'init 2']);
    expect(world.names()).toEqual(['parts']);
  });

  it('gives all partitions the same arguments, or each its own [PS1]', async () => {
    const world = tidyWorld();
    const same = await start(world, { name: undefined, partitions: 2, options: { args: ['x'] } });
    expect([await ask(world, same, 0), await ask(world, same, 1)]).toEqual([['x'], ['x']]);
    const own = await start(world, { partitions: 2, options: { args: ['x'] }, ...numbered });
    expect([await ask(world, own, 0), await ask(world, own, 1)]).toEqual([
      [0, 'x'],
      [1, 'x'],
    ]);
  });

  it('evaluates arguments once, and a function of arguments for each incarnation [PS1] [S23]', async () => {
    const world = tidyWorld();
    let evaluated = 0;
    const withArguments = (args: readonly unknown[], partition: number) => [++evaluated, partition, ...args];
    const once = await start(world, { name: undefined, partitions: 2, options: { args: ['x'] }, withArguments });
    await rejectionOf(world.call({ via: once, key: 1 }, crash));
    expect([await ask(world, once, 0), await ask(world, once, 1)]).toEqual([
      [1, 0, 'x'],
      [2, 1, 'x'],
    ]);
    const anew = await start(world, { partitions: 1, options: { args: () => ['x'] }, withArguments });
    await rejectionOf(world.call({ via: anew, key: 0 }, crash));
    expect(await ask(world, anew, 0)).toEqual([4, 0, 'x']);
  });

  it.each([
    ['invalid_partitions', { partitions: 0 }, 'partitions must be a whole number, 1 or more, got: 0'],
    ['invalid_partitions', { partitions: -1 }, 'partitions must be a whole number, 1 or more, got: -1'],
    ['invalid_partitions', { partitions: 1.5 }, 'partitions must be a whole number, 1 or more, got: 1.5'],
    ['invalid_partitions', { partitions: Infinity }, 'partitions must be a whole number, 1 or more, got: Infinity'],
    ['invalid_partitions', { partitions: '2' }, "partitions must be a whole number, 1 or more, got: '2'"],
    [
      'invalid_auto_shutdown',
      { autoShutdown: 'any_significant' },
      'a partition supervisor has no significant children',
    ],
    ['missing_start', { source: undefined }, 'source must be what a server is started from, got: undefined'],
    ['invalid_with_arguments', { withArguments: ['x'] }, "withArguments must be a function, got: [ 'x' ]"],
    ['invalid_with_arguments', { withArguments: () => 'x' }, "withArguments must return an array, got: 'x'"],
    ['invalid_strategy', { strategy: 'simple' }, "strategy must be 'one_for_one', 'one_for_all' or 'rest_for_one'"],
    [
      'invalid_restart_type',
      { restart: 'often' },
      "restart must be 'permanent', 'transient' or 'temporary', got: 'often'",
    ],
  ])('refuses with %s: %o, and starts nothing [PS1]', async (mistake, spec, message) => {
    const world = tidyWorld();
    const error = await rejectionOf(start(world, spec as Partial<PartitionSupervisorSpec>));
    expect(error).toBeInstanceOf(SupervisorConfigError);
    expect(error).toMatchObject({ mistake, message: expect.stringContaining(message) });
    expect(world.runtime.processCount).toBe(0);
  });

  it('takes the autoShutdown that it has anyway [PS1]', async () => {
    const spec = { autoShutdown: 'never' } as Partial<PartitionSupervisorSpec>;
    expect(await start(tidyWorld(), spec)).toBeInstanceOf(PartitionSupervisor);
  });

  it('rejects when a partition does not start, and leaves nothing behind [PS1] [S4]', async () => {
    const world = tidyWorld();
    const broken = source(world, { init: ([partition]) => (partition === 2 ? stop('no') : ok(partition)) });
    const error = await rejectionOf(start(world, { source: broken, partitions: 3, ...numbered }));
    expect(error).toMatchObject({ reason: { shutdown: { failedToStartChild: { id: '2', reason: 'no' } } } });
    expect(world.runtime.processCount).toBe(0);
    expect(world.names()).toEqual([]);
  });

  it('supervises with the strategy, the budget and the back-off of its spec [PS1]', async () => {
    const world = tidyWorld();
    const restartBackoff = { minMs: 100, maxMs: 100 };
    const partitions = await start(world, { partitions: 2, strategy: 'one_for_all', maxRestarts: 1, restartBackoff });
    await rejectionOf(world.call({ via: partitions, key: 1 }, crash));
    await settle();
    expect([0, 1].map((key) => partitions.whereisName(key))).toEqual([undefined, undefined]);
    await world.clock.advance(100);
    expect([0, 1].map((key) => partitions.whereisName(key)?.incarnation)).toEqual([1, 1]);
    await rejectionOf(world.call({ via: partitions, key: 1 }, crash));
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('stops with all its partitions', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 2 });
    await partitions.stop();
    expect(world.runtime.processCount).toBe(0);
    for (const request of [() => partitions.stop(), () => partitions.whichChildren(), () => partitions.resize(1)]) {
      expect(await rejectionOf(request())).toBeInstanceOf(NoProcessError);
    }
    expect(await rejectionOf(ask(world, partitions, 0))).toBeInstanceOf(NoProcessError);
  });
});

describe('{ via: partitions, key }', () => {
  it('reaches the partition of the key with a call, a cast and a message [PS2]', async () => {
    const world = tidyWorld();
    const seen: unknown[] = [];
    const partitions = await start(world, { source: source(world, { seen }), partitions: 3, ...numbered });
    for (const [key, partition] of [
      [0, 0],
      [-1, 1],
      [1, 1],
      [-4, 1],
      [5n, 2],
    ] as const) {
      expect(await ask(world, partitions, key)).toEqual([partition]);
    }
    const name = { via: partitions, key: 'user:42' };
    const [partition] = (await world.call(name, state as never)) as [number];
    expect(partition).toBe(partitionOf('user:42', 3));
    expect(await world.call(name, whoAmI)).toBe(partitions.whereisName(partition));
    world.cast(name, crash);
    await settle();
    expect(partitions.whereisName('user:42')).toMatchObject({ incarnation: 1 });
    world.send(name, 'hello');
    await settle();
    expect(seen).toEqual(['hello']);
  });

  it('always reaches the same partition, also after a restart [PS2]', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 4, ...numbered });
    const before = await Promise.all(Array.from({ length: 20 }, (_, key) => ask(world, partitions, `k${key}`)));
    await rejectionOf(world.call({ via: partitions, key: 'k7' }, crash));
    const after = await Promise.all(Array.from({ length: 20 }, (_, key) => ask(world, partitions, `k${key}`)));
    expect(after).toEqual(before);
  });

  it('finds nobody while the partition is away: a call rejects, a message throws, a cast is dropped', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 2, restart: 'transient' });
    const name = { via: partitions, key: 1 };
    await rejectionOf(world.call(name, end('normal')));
    expect(partitions.whereisName(1)).toBeUndefined();
    expect(await rejectionOf(world.call(name, whoAmI))).toBeInstanceOf(NoProcessError);
    expect(thrownBy(() => world.send(name, 'x'))).toMatchObject({
      code: 'NO_PROCESS',
      destination: 'the partition of parts for 1',
    });
    expect(() => world.cast(name, crash)).not.toThrow();
    expect(await world.call({ via: partitions, key: 0 }, whoAmI)).toBe(partitions.whereisName(0));
  });

  it('cannot be a name: nothing is registered under it [PS3]', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 2 });
    const error = await rejectionOf(world.start({ init: () => ok(null) }, { name: { via: partitions, key: 'a' } }));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error).toMatchObject({
      message: 'Partition supervisor parts routes to its partitions; nothing can be registered under it.',
    });
    expect(world.runtime.processCount).toBe(3);
  });
});

describe('resize', () => {
  it('stops the topmost partitions, and starts them again with what they had, giving the number before [PS3]', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 4, options: { args: ['x'] }, ...numbered });
    const kept = [0, 1].map((key) => partitions.whereisName(key));
    world.takeJournal();
    expect(await partitions.resize(2)).toBe(4);
    expect(partitions.partitions).toBe(2);
    expect(world.takeJournal()).toEqual(['terminate shutdown', 'terminate shutdown']);
    expect([0, 1].map((key) => partitions.whereisName(key))).toEqual(kept);
    expect(await ask(world, partitions, 3)).toEqual([1, 'x']);
    expect(await partitions.countChildren()).toMatchObject({ specs: 4, active: 2 });

    expect(await partitions.resize(4)).toBe(2);
    expect(world.takeJournal()).toEqual(['init 2,x', 'init 3,x']);
    expect(await ask(world, partitions, 3)).toEqual([3, 'x']);
    expect([0, 1].map((key) => partitions.whereisName(key))).toEqual(kept);
  });

  it('to the same number does nothing [PS3]', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 2 });
    world.takeJournal();
    expect(await partitions.resize(2)).toBe(2);
    expect(world.takeJournal()).toEqual([]);
  });

  it('to 0 makes every lookup throw, until it is more again; the specs stay [PS3]', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 2 });
    expect(await partitions.resize(0)).toBe(2);
    const message = 'No process: parts. It has 0 partitions; give it some with resize.';
    expect(thrownBy(() => partitions.whereisName('a'))).toBeInstanceOf(NoProcessError);
    expect(thrownBy(() => world.send({ via: partitions, key: 'a' }, 'x'))).toMatchObject({ message });
    expect(await rejectionOf(world.call({ via: partitions, key: 'a' }, whoAmI))).toMatchObject({ message });
    expect(() => world.cast({ via: partitions, key: 'a' }, crash)).not.toThrow();
    expect(await partitions.countChildren()).toMatchObject({ specs: 2, active: 0 });
    expect(await partitions.resize(1)).toBe(0);
    expect(await world.call({ via: partitions, key: 'a' }, whoAmI)).toBe(partitions.whereisName('a'));
  });

  it.each([3, -1, 0.5, NaN, '1', undefined])('to %s of 2 is refused, and changes nothing [PS3]', async (count) => {
    const partitions = await start(tidyWorld(), { partitions: 2 });
    const error = await rejectionOf(partitions.resize(count as number));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toMatch(/^Partition supervisor parts can have 0 to 2 partitions, got: /);
    expect(partitions.partitions).toBe(2);
  });

  it('several times at once happens one after the other [PS3]', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 3, ...numbered });
    const counts = [1, 3, 0, 2, 2, 3];
    expect(await Promise.all(counts.map((count) => partitions.resize(count)))).toEqual([3, 1, 3, 0, 2, 2]);
    expect(await Promise.all([0, 1, 2].map((key) => ask(world, partitions, key)))).toEqual([[0], [1], [2]]);
  });

  it('that cannot start a partition leaves the number as it was, and what it had started is stopped [PS3]', async () => {
    const world = tidyWorld();
    let isBroken = false;
    const init = ([partition]: readonly unknown[]) => (isBroken && partition === 2 ? stop('no') : ok([partition]));
    const partitions = await start(world, { source: source(world, { init }), partitions: 3, ...numbered });
    await partitions.resize(1);
    isBroken = true;
    expect(await rejectionOf(partitions.resize(3))).toMatchObject({ code: 'CHILD_START_FAILED', reason: 'no' });
    expect(partitions.partitions).toBe(1);
    expect(await partitions.countChildren()).toMatchObject({ active: 1 });
    isBroken = false;
    expect(await partitions.resize(3)).toBe(1);
    expect(await ask(world, partitions, 2)).toEqual([2]);
  });

  it('works with temporary partitions, whose specs the supervisor drops [PS3]', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 3, restart: 'temporary', ...numbered });
    await rejectionOf(world.call({ via: partitions, key: 2 }, crash));
    expect(await partitions.resize(1)).toBe(3);
    expect(await partitions.resize(3)).toBe(1);
    expect(await ask(world, partitions, 2)).toEqual([2]);
  });

  it('bears a group restart that has started the stopped partitions along with the others [PS3] [S10]', async () => {
    const world = tidyWorld();
    const partitions = await start(world, { partitions: 3, strategy: 'one_for_all', ...numbered });
    await partitions.resize(1);
    await rejectionOf(world.call({ via: partitions, key: 0 }, crash));
    await settle();
    expect(await partitions.resize(3)).toBe(1);
    expect(await ask(world, partitions, 2)).toEqual([2]);
  });
});

describe('a partition supervisor under another supervisor', () => {
  it('is found before and after its restart, with all its partitions [PS1] [S16]', async () => {
    const world = tidyWorld();
    const partitions = new PartitionSupervisor(world.runtime, {
      label: 'parts',
      source: source(world),
      partitions: 2,
      maxRestarts: 0,
      ...numbered,
    });
    expect(await rejectionOf(partitions.whichChildren())).toBeInstanceOf(NoProcessError);
    expect(await rejectionOf(ask(world, partitions, 1))).toBeInstanceOf(NoProcessError);
    await world.supervise([partitions.childSpec(), world.worker('x')]);
    expect(await ask(world, partitions, 1)).toEqual([1]);
    await partitions.resize(1);
    await rejectionOf(world.call({ via: partitions, key: 0 }, crash));
    await settle();
    expect(partitions.partitions).toBe(2);
    expect(await ask(world, partitions, 1)).toEqual([1]);
    expect(await partitions.countChildren()).toMatchObject({ active: 2 });
    expect(await world.whichChildren()).toMatchObject([
      { id: 'parts', type: 'supervisor', pid: { incarnation: 1 } },
      {},
    ]);
  });
});

describe('a partition supervisor', () => {
  const plain = blueprintOfBehaviour({ label: 'part' });

  it.each<[string, (world: ReturnType<typeof tidyWorld>) => ServerName]>([
    ['a string', () => 'parts'],
    ['{ global }', () => ({ global: 'parts' })],
    ['{ via }', ({ registries }) => ({ via: registries.create('supervisors', { keys: 'unique' }), key: 'parts' })],
  ])('may be named by %s, and counted and stopped by it', async (_form, nameIn) => {
    const world = tidyWorld();
    const name = nameIn(world);
    const partitions = await startPartitionSupervisor(world.runtime, {
      label: 'parts',
      name,
      source: plain,
      partitions: 2,
    });
    expect(await Supervisor.countChildren(world.runtime, name)).toEqual(await partitions.countChildren());
    expect(await partitions.countChildren()).toEqual({ specs: 2, active: 2, supervisors: 0, workers: 2 });
    await world.stop(name, 'shutdown');
    expect(world.runtime.processCount).toBe(0);
  });

  it('of dynamic supervisors counts them as such, and leads each child to the one for its key', async () => {
    const world = tidyWorld();
    const partitions = await startPartitionSupervisor(world.runtime, {
      label: 'parts',
      source: blueprintOfDynamicSupervisor({ label: 'dyn' }),
      partitions: 4,
    });
    expect(await partitions.countChildren()).toEqual({ specs: 4, active: 4, supervisors: 4, workers: 0 });
    const keys = Array.from({ length: 100 }, (_, at) => `user:${at}`);
    for (const key of keys) {
      const child = { source: blueprintOfBehaviour({ label: 'child' }), options: { name: key } };
      await DynamicSupervisor.startChild(world.runtime, { via: partitions, key }, child);
    }
    const children = [0, 1, 2, 3].map((key) =>
      DynamicSupervisor.whichChildren(world.runtime, { via: partitions, key }).map(({ pid }) => pid),
    );
    const expected = [0, 1, 2, 3].map((at) =>
      keys.filter((key) => partitionOf(key, 4) === at).map((key) => world.whereis(key)),
    );
    expect(children).toEqual(expected);
  });

  it('can be resized to any number, in any order, and leads all keys to what is there', async () => {
    const world = tidyWorld();
    const partitions = await startPartitionSupervisor(world.runtime, { label: 'parts', source: plain, partitions: 8 });
    const numbers = Array.from({ length: 9 }, (_, count) => count);
    const random = seededRandom(7);
    const shuffled = numbers.map((count) => ({ count, at: random() })).sort((a, b) => a.at - b.at);
    for (const count of [...numbers.toReversed(), ...numbers, ...shuffled.map((each) => each.count)]) {
      await partitions.resize(count);
      expect(partitions.partitions).toBe(count);
      expect(await partitions.countChildren()).toEqual({ specs: 8, active: count, supervisors: 0, workers: 8 });
      const reached = new Set(count === 0 ? [] : numbers.slice(0, 8).map((key) => partitions.whereisName(key)));
      expect([reached.size, reached.has(undefined)]).toEqual([count, false]);
    }
  });
});
