import { describe, expect, it } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { DynamicSupervisor, blueprintOfDynamicSupervisor } from '../../lib/supervision/dynamic-supervisor.js';
import { partitionOf, startPartitionSupervisor } from '../../lib/supervision/partition-supervisor.js';
import { Supervisor } from '../../lib/supervision/supervisor.js';
import { expectNothingLeft, tidyWorld } from '../supervision/tidy-world.js';
import { seededRandom } from '../support/seeded-random.js';

expectNothingLeft();

const source = blueprintOfBehaviour({ label: 'part' });

describe('a partition supervisor', () => {
  it.each<[string, (world: ReturnType<typeof tidyWorld>) => ServerName]>([
    ['a string', () => 'parts'],
    ['{ global }', () => ({ global: 'parts' })],
    ['{ via }', ({ registries }) => ({ via: registries.create('supervisors', { keys: 'unique' }), key: 'parts' })],
  ])('may be named by %s, and counted and stopped by it', async (_form, nameIn) => {
    const world = tidyWorld();
    const name = nameIn(world);
    const partitions = await startPartitionSupervisor(world.runtime, { label: 'parts', name, source, partitions: 2 });
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
    const partitions = await startPartitionSupervisor(world.runtime, { label: 'parts', source, partitions: 8 });
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
