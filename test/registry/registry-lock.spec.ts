import { beforeEach, describe, expect, it } from 'vitest';
import { noReply } from '../../lib/gen-server/results/callback-result.js';
import type { Registry } from '../../lib/registry/registry.js';
import { type Deferred, deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let alice: Probe;
let bob: Probe;
let carol: Probe;
let log: string[];

beforeEach(async () => {
  world = testWorld();
  [alice, bob, carol] = [await startProbe(world), await startProbe(world), await startProbe(world)];
  log = [];
});

describe.each(['unique', 'duplicate'] as const)('lock of a registry with %s keys', (keys) => {
  let registry: Registry;
  const gates = new Map<string, Deferred<void>>();

  /** Takes the lock and keeps it until its gate opens. */
  const hold = (probe: Probe, name: string, key: unknown = 'key'): Promise<string> => {
    const gate = deferred();
    gates.set(name, gate);
    return registry.lock(probe.self, key, async () => {
      log.push(`${name} in`);
      await gate.promise;
      log.push(`${name} out`);
      return name;
    });
  };
  const open = (name: string): Promise<void> => {
    gates.get(name)!.resolve();
    return settle();
  };

  beforeEach(() => {
    registry = world.registries.create('locks', { keys });
  });

  it('lets one at a time through for a key, in the order they came, and gives what the work gives (N12)', async () => {
    const results = Promise.all([hold(alice, 'a'), hold(bob, 'b'), hold(alice, 'a again')]);
    await settle();
    expect(log).toEqual(['a in']);
    await open('a');
    expect(log).toEqual(['a in', 'a out', 'b in']);
    await open('b');
    await open('a again');
    expect(log).toEqual(['a in', 'a out', 'b in', 'b out', 'a again in', 'a again out']);
    expect(await results).toEqual(['a', 'b', 'a again']);
  });

  it('does not let different keys wait for each other (N12)', async () => {
    void hold(alice, 'a', 1);
    void hold(bob, 'b', '1');
    await settle();
    expect(log).toEqual(['a in', 'b in']);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['rejects', () => Promise.reject(new Error('boom'))],
  ])('is free again when the work %s, which is what the holder gets (N12)', async (_, work) => {
    const failed = registry.lock(alice.self, 'key', work);
    const next = registry.lock(bob.self, 'key', () => 'next');
    expect(await rejectionOf(failed)).toEqual(new Error('boom'));
    expect(await next).toBe('next');
    expect(queuesOf(registry).size).toBe(0);
  });

  it('is free again when the holder dies in the middle, and what it still does there changes nothing (N12)', async () => {
    void hold(alice, 'a');
    void hold(bob, 'b');
    void hold(carol, 'c');
    await settle();
    world.exit(alice.pid, 'kill');
    await settle();
    expect(log).toEqual(['a in', 'b in']);
    await open('a');
    expect(log).toEqual(['a in', 'b in', 'a out']); // carol is not let in by a ghost
    await open('b');
    expect(log).toEqual(['a in', 'b in', 'a out', 'b out', 'c in']);
  });

  it('passes over those that died while they waited (N12)', async () => {
    void hold(alice, 'a');
    void hold(bob, 'b');
    void hold(carol, 'c');
    await settle();
    await world.stop(bob.pid);
    await open('a');
    expect(log).toEqual(['a in', 'a out', 'c in']);
  });

  it('is not taken by a process that is killed in the very turn in which it would be (N12)', async () => {
    void hold(alice, 'a');
    void hold(bob, 'b');
    void hold(carol, 'c');
    await settle();
    world.exit(alice.pid, 'kill');
    world.exit(bob.pid, 'kill'); // fenced, but still in the queue when the end of alice lets it in
    await settle();
    expect(log).toEqual(['a in', 'c in']);
  });

  it('is not for a process that has ended: its work does not run (N12)', async () => {
    await world.stop(alice.pid);
    void registry.lock(alice.self, 'key', () => log.push('ghost'));
    await settle();
    expect(log).toEqual([]);
    expect(queuesOf(registry).size).toBe(0);
  });

  it('is free again when a handler that holds it is abandoned, without a rejection that nobody handles (N12)', async () => {
    const pid = await world.start(script());
    world.cast(pid, async ({ self }: Context) => {
      await registry.lock(self, 'key', never);
      return noReply();
    });
    await settle();
    expect(queuesOf(registry).size).toBe(1);
    world.exit(pid, 'kill');
    await settle();
    expect(queuesOf(registry).size).toBe(0);
  });

  it('leaves no monitor behind', async () => {
    for (let round = 0; round < 100; round++) await registry.lock(alice.self, round, () => undefined);
    const [process] = [...world.runtime.processes()].filter(({ pid }) => pid === alice.pid);
    expect(process!.relations?.firstWatcher ?? null).toBeNull();
  });
});

function queuesOf(registry: Registry): Map<unknown, unknown> {
  return (registry as unknown as { locks: { queues: Map<unknown, unknown> } }).locks.queues;
}
