import { beforeEach, describe, expect, it } from 'vitest';
import type { Registry } from '../../lib/registry/registry.js';
import { type Probe, startProbe } from '../support/probe.js';
import { thrownBy } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let alice: Probe;
let bob: Probe;

beforeEach(async () => {
  world = testWorld();
  alice = await startProbe(world);
  bob = await startProbe(world);
});

describe.each(['unique', 'duplicate'] as const)('a registry with %s keys', (keys) => {
  let registry: Registry<unknown, unknown>;

  beforeEach(() => {
    registry = world.registries.create('rooms', { keys });
  });

  it('that is empty counts nothing, and shows nothing', () => {
    expect([registry.count(), registry.countSelect(), registry.select()]).toEqual([0, 0, []]);
    expect([registry.lookup('a'), registry.match('a', () => true), registry.countMatch('a', () => true)]).toEqual([
      [],
      [],
      0,
    ]);
    expect([registry.keysOf(alice.pid), registry.valuesOf(alice.pid, 'a')]).toEqual([[], []]);
  });

  it('shows everything when no predicate is given, the oldest first', () => {
    registry.register(alice.self, 'a', 1);
    registry.register(bob.self, 'b', 2);
    expect(registry.select()).toEqual([
      { key: 'a', pid: alice.pid, value: 1 },
      { key: 'b', pid: bob.pid, value: 2 },
    ]);
    expect([registry.countSelect(), registry.count()]).toEqual([2, 2]);
  });

  it('finds by key, pid and value, by any of several conditions, and makes of it what is asked for', () => {
    registry.register(alice.self, 'hello', { id: 1, kind: 'room' });
    registry.register(bob.self, 'world', { id: 2, kind: 'room' });
    const keysOf = (matches: Parameters<typeof registry.select>[0]) => registry.select(matches).map(({ key }) => key);
    expect(keysOf(({ key }) => key === 'hello')).toEqual(['hello']);
    expect(keysOf(({ pid }) => pid === bob.pid)).toEqual(['world']);
    expect(keysOf(({ value }) => (value as { id: number }).id > 1)).toEqual(['world']);
    expect(keysOf(({ value }) => (value as { id: number }).id > 2)).toEqual([]);
    expect(keysOf(({ key, value }) => key === 'hello' || (value as { id: number }).id === 2)).toEqual([
      'hello',
      'world',
    ]);
    expect(registry.countSelect(({ key }) => key === 'hello' || key === 'world')).toBe(2);
    expect(registry.countSelect(({ key }) => key === 'nowhere')).toBe(0);
  });

  // In Erlang's patterns these mean anything; in JavaScript some of them mean what every object has.
  it.each(['_', '$1', '$$', '', '__proto__', 'constructor', 'toString', '*'])(
    'takes the key %o for itself, whatever it means elsewhere',
    (key) => {
      registry.register(alice.self, 'other', 'kept');
      expect([registry.lookup(key), registry.match(key, () => true)]).toEqual([[], []]);
      registry.register(alice.self, key, 'value');
      const entry = { pid: alice.pid, value: 'value' };
      expect([registry.lookup(key), registry.match(key, () => true)]).toEqual([[entry], [entry]]);
      expect([registry.countMatch(key, () => true), registry.valuesOf(alice.pid, key)]).toEqual([1, ['value']]);
      expect(registry.countSelect((each) => each.key === key)).toBe(1);
      registry.unregisterMatch(alice.self, key, () => true);
      expect(registry.keysOf(alice.pid)).toEqual(['other']);
      registry.register(alice.self, key, 'again');
      registry.unregister(alice.self, key);
      expect([registry.keysOf(alice.pid), registry.lookup('other')]).toEqual([
        ['other'],
        [{ pid: alice.pid, value: 'kept' }],
      ]);
    },
  );
});

describe('a registry with unique keys', () => {
  it('keeps nothing of a registration that it refuses', () => {
    const registry = world.registries.create('rooms', { keys: 'unique' });
    registry.register(alice.self, 'hello', 1);
    for (const { self } of [alice, bob]) thrownBy(() => registry.register(self, 'hello', 2));
    expect(registry.count()).toBe(1);
    expect([registry.keysOf(alice.pid), registry.keysOf(bob.pid)]).toEqual([['hello'], []]);
    expect([registry.valuesOf(alice.pid, 'hello'), registry.valuesOf(bob.pid, 'hello')]).toEqual([[1], []]);
  });
});

describe('a registry with duplicate keys', () => {
  it('gives each process its own of the entries under a key', () => {
    const registry = world.registries.create('rooms', { keys: 'duplicate' });
    registry.register(alice.self, 'hello', 'of alice');
    expect([registry.keysOf(bob.pid), registry.valuesOf(bob.pid, 'hello')]).toEqual([[], []]);
    registry.register(bob.self, 'hello', 'of bob');
    registry.register(bob.self, 'hello', 'of bob too');
    expect([alice, bob].map(({ pid }) => registry.keysOf(pid))).toEqual([['hello'], ['hello', 'hello']]);
    expect([alice, bob].map(({ pid }) => registry.valuesOf(pid, 'hello'))).toEqual([
      ['of alice'],
      ['of bob', 'of bob too'],
    ]);
    expect(registry.count()).toBe(3);
  });
});
