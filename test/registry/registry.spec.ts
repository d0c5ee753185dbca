import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { AlreadyRegisteredError, UnknownRegistryError } from '../../lib/registry/errors.js';
import { KeyRegistered, KeyUnregistered } from '../../lib/registry/messages.js';
import type { Registry } from '../../lib/registry/registry.js';
import { AlreadyStartedError, InvalidArgumentError } from '../../lib/runtime/errors.js';
import { Down } from '../../lib/runtime/exits/messages.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
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

  it('shows who registered under a key, and with what (N7, N8)', () => {
    registry.register(alice.self, 'lobby', { seats: 3 });
    registry.register(bob.self, 'cellar');
    expect(registry.lookup('lobby')).toEqual([{ pid: alice.pid, value: { seats: 3 } }]);
    expect(registry.lookup('cellar')).toEqual([{ pid: bob.pid, value: undefined }]);
    expect(registry.lookup('attic')).toEqual([]);
  });

  it('tells keys apart as a Map does (N7)', () => {
    const key = {};
    const all = [1, '1', 1n, true, null, undefined, key, {}, Symbol('1'), NaN];
    for (const [index, each] of all.entries()) registry.register(alice.self, each, index);
    expect(all.map((each) => registry.lookup(each))).toEqual(all.map((_, value) => [{ pid: alice.pid, value }]));
    expect(registry.lookup({})).toEqual([]);
  });

  it('lets a process have many keys, and knows them (N9)', () => {
    registry.register(alice.self, 'a', 1);
    registry.register(alice.self, 'b', 2);
    registry.register(bob.self, 'c', 3);
    expect(registry.keysOf(alice.pid)).toEqual(['a', 'b']);
    expect(registry.valuesOf(alice.pid, 'b')).toEqual([2]);
    expect(registry.valuesOf(alice.pid, 'c')).toEqual([]);
    expect(registry.count()).toBe(3);
  });

  it('lets a process give up its own entries only, and twice (N7)', () => {
    registry.register(alice.self, 'a');
    registry.unregister(bob.self, 'a');
    expect(registry.lookup('a')).toHaveLength(1);
    registry.unregister(alice.self, 'a');
    registry.unregister(alice.self, 'a');
    expect([registry.lookup('a'), registry.keysOf(alice.pid), registry.count()]).toEqual([[], [], 0]);
  });

  it('forgets a process in the turn in which it ends (N8)', async () => {
    registry.register(alice.self, 'a');
    let seen: unknown;
    world.events.on(
      'process.exited',
      () => (seen = [registry.lookup('a'), registry.keysOf(alice.pid), registry.count()]),
    );
    await world.stop(alice.pid);
    expect(seen).toEqual([[], [], 0]);
  });

  it('does not show a dead owner even before it is forgotten, nor is anybody held up by it (N8)', async () => {
    registry.register(alice.self, 'a', 'dead');
    let seen: unknown;
    alice.self.signal.addEventListener('abort', () => {
      seen = [registry.lookup('a'), registry.select(), registry.keysOf(alice.pid)];
      registry.register(bob.self, 'a', 'alive');
    });
    world.exit(alice.pid, 'kill');
    await settle();
    expect(seen).toEqual([[], [], []]);
    expect(registry.lookup('a')).toEqual([{ pid: bob.pid, value: 'alive' }]);
    expect(registry.count()).toBe(1);
  });

  it('lets a key be taken over inside a Down handler (N8)', async () => {
    registry.register(alice.self, 'leader', 1);
    await world.start(
      script({
        init: (_args, self) => {
          self.monitor(alice.pid);
          return ok(null);
        },
        handleInfo: (message, _state, self) => {
          if (message instanceof Down) registry.register(self, 'leader', 2);
          return noReply();
        },
      }),
      { name: 'heir' },
    );
    world.exit(alice.pid, 'kill');
    await settle();
    expect(registry.lookup('leader')).toEqual([{ pid: world.localNames.whereis('heir'), value: 2 }]);
  });

  it('does nothing for a process that has ended (E6)', async () => {
    registry.register(alice.self, 'a');
    world.exit(alice.pid, 'kill'); // fenced from now on, dead a moment later
    registry.register(alice.self, 'b');
    registry.unregister(alice.self, 'a');
    expect(registry.keysOf(alice.pid)).toEqual(['a']);
    await settle();
    registry.register(alice.self, 'b');
    registry.unregister(alice.self, 'b');
    registry.unregisterMatch(alice.self, 'b', () => true);
    expect(registry.count()).toBe(0);
  });

  it('finds by predicate: under one key (N9)', () => {
    registry.register(alice.self, 'a', 1);
    expect(registry.match('a', (value) => value === 1)).toEqual([{ pid: alice.pid, value: 1 }]);
    expect(registry.match('a', (_, pid) => pid === bob.pid)).toEqual([]);
    expect(registry.countMatch('a', (value) => value === 1)).toBe(1);
    expect(registry.countMatch('b', () => true)).toBe(0);
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

  it('finds by predicate: by key, pid and value under all keys (N9)', () => {
    registry.register(alice.self, 'hello', { id: 1, kind: 'room' });
    registry.register(bob.self, 'world', { id: 2, kind: 'room' });
    const keysOf = (matches: Parameters<typeof registry.select>[0]) => registry.select(matches).map(({ key }) => key);
    expect(keysOf(({ key }) => key === 'hello')).toEqual(['hello']);
    expect(keysOf(({ pid }) => pid === bob.pid)).toEqual(['world']);
    expect(registry.select(({ value }) => (value as { id: number }).id > 1)).toEqual([
      { key: 'world', pid: bob.pid, value: { id: 2, kind: 'room' } },
    ]);
    expect(keysOf(({ value }) => (value as { id: number }).id > 2)).toEqual([]);
    expect(keysOf(({ key, value }) => key === 'hello' || (value as { id: number }).id === 2)).toEqual([
      'hello',
      'world',
    ]);
    expect(registry.countSelect(({ key }) => key === 'hello' || key === 'world')).toBe(2);
    expect(registry.countSelect(({ key }) => key === 'nowhere')).toBe(0);
    expect(registry.countSelect(({ pid }) => pid === alice.pid)).toBe(1);
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

  it('removes own entries by predicate (N9)', () => {
    registry.register(alice.self, 'a', 1);
    registry.unregisterMatch(bob.self, 'a', () => true);
    registry.unregisterMatch(alice.self, 'a', (value) => value === 2);
    expect(registry.count()).toBe(1);
    expect(() =>
      registry.unregisterMatch(alice.self, 'a', () => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    expect(registry.count()).toBe(1);
    registry.unregisterMatch(alice.self, 'a', (value) => value === 1);
    expect(registry.count()).toBe(0);
  });

  it('keeps facts of its own, which belong to no process (N9)', async () => {
    expect(registry.meta('limit')).toBeUndefined();
    registry.putMeta('limit', 5);
    registry.putMeta('limit', 6);
    await world.stop(alice.pid);
    expect(registry.meta('limit')).toBe(6);
    registry.deleteMeta('limit');
    registry.deleteMeta('limit');
    expect(registry.meta('limit')).toBeUndefined();
  });

  it('dispatches to all entries of a key with one call, and with none when there is none (N10)', () => {
    registry.register(alice.self, 'a', 1);
    const calls: unknown[] = [];
    registry.dispatch('a', (entries) => calls.push(entries));
    registry.dispatch('b', (entries) => calls.push(entries));
    expect(calls).toEqual([[{ pid: alice.pid, value: 1 }]]);
  });

  it('tells listeners who registers and who unregisters, but not who died (N11)', async () => {
    const registryWithProcess = world.registries.create('heard', { keys, listeners: ['ears', 'nobody'] });
    const ears = await startProbe(world, { name: 'ears' });
    const heard: unknown[] = [];
    const stop = registryWithProcess.listen((news) => heard.push(news));
    registryWithProcess.register(alice.self, 'a', 1);
    registryWithProcess.unregister(alice.self, 'a');
    registryWithProcess.unregister(alice.self, 'a');
    registryWithProcess.register(bob.self, 'b', 2);
    await world.stop(bob.pid);
    const told = [
      new KeyRegistered('heard', 'a', alice.pid, 1),
      new KeyUnregistered('heard', 'a', alice.pid),
      new KeyRegistered('heard', 'b', bob.pid, 2),
    ];
    expect(heard).toEqual(told);
    expect(ears.messages).toEqual(told);
    stop();
    registryWithProcess.register(alice.self, 'c');
    expect(heard).toEqual(told);
  });

  it('detaches a listener that throws, and nobody else notices (N11)', () => {
    const boom = new Error('boom');
    const heard: unknown[] = [];
    registry.listen(() => {
      throw boom;
    });
    registry.listen((news) => heard.push(news.key));
    registry.register(alice.self, 'a');
    registry.register(alice.self, 'b');
    expect(heard).toEqual(['a', 'b']);
    expect(world.seen.filter(({ type }) => type === 'registry.listener_detached')).toEqual([
      { type: 'registry.listener_detached', source: "Registry 'rooms'", error: boom },
    ]);
  });

  it('takes no process of another runtime, and nothing that is no process', async () => {
    const stranger = await startProbe(testWorld());
    expect(() => registry.register(stranger.self, 'a')).toThrow(InvalidArgumentError);
    expect(() => registry.keysOf(stranger.pid)).toThrow(/is a process of another runtime/);
    expect(() => registry.register({ self: alice.self } as never, 'a')).toThrow(/Expected the self of a process/);
    expect(() => registry.keysOf('alice' as never)).toThrow(/Expected a pid/);
    expect(registry.count()).toBe(0);
  });

  it('keeps nothing of processes that are gone', async () => {
    const many = await Promise.all(Array.from({ length: 500 }, () => startProbe(world)));
    for (const [index, { self }] of many.entries()) registry.register(self, index);
    await Promise.all(many.map(({ pid }) => world.stop(pid)));
    expect(registry.count()).toBe(0);
    expect(registry.select()).toEqual([]);
    expect(tablesOf(registry)).toEqual([0, 0]);
    registry.register(alice.self, 'a');
    registry.unregister(alice.self, 'a');
    // Nor does a living process that owns nothing leave a trace.
    expect(tablesOf(registry)).toEqual([0, 0]);
  });
});

describe('a registry with unique keys', () => {
  let registry: Registry<string, number>;

  beforeEach(() => {
    registry = world.registries.create('rooms', { keys: 'unique' });
  });

  it('refuses a key that is taken, naming the holder (N7)', () => {
    registry.register(alice.self, 'a', 1);
    const error = thrownBy(() => registry.register(bob.self, 'a', 2));
    expect(error).toBeInstanceOf(AlreadyRegisteredError);
    expect(error).toMatchObject({
      name: 'AlreadyRegisteredError',
      code: 'ALREADY_REGISTERED',
      registry: 'rooms',
      key: 'a',
      holder: alice.pid,
      message:
        `Registry 'rooms': the key 'a' is taken by ${alice.pid.toString()}. ` +
        "Take another key, or use a registry with keys: 'duplicate'.",
    });
    expect(registry.lookup('a')).toEqual([{ pid: alice.pid, value: 1 }]);
  });

  it('refuses it to its own holder too (N7)', () => {
    registry.register(alice.self, 'a', 1);
    const error = thrownBy(() => registry.register(alice.self, 'a', 2));
    expect(error).toMatchObject({ code: 'ALREADY_REGISTERED', holder: alice.pid });
    expect((error as Error).message).toContain('this very process');
  });

  it('keeps nothing of a registration that it refuses', () => {
    registry.register(alice.self, 'hello', 1);
    for (const { self } of [alice, bob]) thrownBy(() => registry.register(self, 'hello', 2));
    expect(registry.count()).toBe(1);
    expect([registry.keysOf(alice.pid), registry.keysOf(bob.pid)]).toEqual([['hello'], []]);
    expect([registry.valuesOf(alice.pid, 'hello'), registry.valuesOf(bob.pid, 'hello')]).toEqual([[1], []]);
  });

  it('changes a value for its owner only, and gives the new one and the old one (N9)', () => {
    registry.register(alice.self, 'a', 1);
    const before = registry.lookup('a');
    expect(registry.updateValue(alice.self, 'a', (value) => value + 1)).toEqual({ newValue: 2, oldValue: 1 });
    expect(registry.updateValue(bob.self, 'a', (value) => value + 1)).toBeUndefined();
    expect(registry.updateValue(alice.self, 'b', (value) => value + 1)).toBeUndefined();
    expect(registry.lookup('a')).toEqual([{ pid: alice.pid, value: 2 }]);
    expect(before).toEqual([{ pid: alice.pid, value: 1 }]);
  });

  it('keeps the value when the change throws, and for a process that has ended (N9)', async () => {
    registry.register(alice.self, 'a', 1);
    const fail = (): number => {
      throw new Error('boom');
    };
    expect(() => registry.updateValue(alice.self, 'a', fail)).toThrow('boom');
    expect(registry.valuesOf(alice.pid, 'a')).toEqual([1]);
    world.exit(alice.pid, 'kill');
    expect(registry.updateValue(alice.self, 'a', () => 5)).toBeUndefined();
    await settle();
  });

  it('gives names, with a value if there is one (N6, N11)', async () => {
    const pid = await world.start(script(), { name: { via: registry, key: 'carol', value: 7 } });
    expect(registry.lookup('carol')).toEqual([{ pid, value: 7 }]);
    expect(await world.call({ via: registry, key: 'carol' }, ({ self }: Context) => reply(self.pid))).toBe(pid);
  });

  it('lets one process start under a name, and tells the second who holds it (N2, N6)', async () => {
    const name = { via: registry, key: 'carol' };
    const pid = await world.start(script(), { name });
    const error = await rejectionOf(world.start(script(), { name }));
    expect(error).toBeInstanceOf(AlreadyStartedError);
    expect(error).toMatchObject({ holder: pid.toString() });
    await world.stop(pid);
    expect(registry.whereisName('carol')).toBeUndefined();
    await world.start(script(), { name });
    expect(registry.count()).toBe(1);
  });

  it('leads messages to the holder of a name, and fails as any name where nobody is (N10)', async () => {
    registry.register(alice.self, 'a');
    world.send({ via: registry, key: 'a' }, 'hello');
    await settle();
    expect(alice.messages).toEqual(['hello']);
    const nobody = { via: registry, key: 'nobody' };
    expect(() => world.send(nobody, 'hello')).toThrow(NoProcessError);
    expect(() => world.send(nobody, 'hello')).toThrow("No process: Registry 'rooms', key 'nobody'.");
    expect(await rejectionOf(world.call(nobody, 'hello'))).toBeInstanceOf(NoProcessError);
    expect(() => world.cast(nobody, 'hello')).not.toThrow();
  });

  it('does not let a process give back what somebody else holds by now (N3)', async () => {
    const name = { via: registry, key: 'a' };
    const first = await world.start(
      script({
        init: (_args, self) => {
          registry.unregister(self, 'a');
          return ok(null);
        },
      }),
      { name },
    );
    registry.register(alice.self, 'a');
    await world.stop(first);
    expect(registry.whereisName('a')).toBe(alice.pid);
  });
});

describe('a registry with duplicate keys', () => {
  let registry: Registry<string, number>;

  beforeEach(() => {
    registry = world.registries.create('topics', { keys: 'duplicate' });
  });

  it('takes any number of entries under a key, of one process or many, in order (N7)', () => {
    registry.register(alice.self, 'a', 1);
    registry.register(bob.self, 'a', 2);
    registry.register(alice.self, 'a', 3);
    registry.register(alice.self, 'a', 3);
    expect(registry.lookup('a').map(({ value }) => value)).toEqual([1, 2, 3, 3]);
    expect(registry.keysOf(alice.pid)).toEqual(['a', 'a', 'a']);
    expect(registry.valuesOf(alice.pid, 'a')).toEqual([1, 3, 3]);
    expect(registry.count()).toBe(4);
  });

  it('gives each process its own of the entries under a key', () => {
    registry.register(alice.self, 'hello', 1);
    expect([registry.keysOf(bob.pid), registry.valuesOf(bob.pid, 'hello')]).toEqual([[], []]);
    registry.register(bob.self, 'hello', 2);
    registry.register(bob.self, 'hello', 3);
    expect([alice, bob].map(({ pid }) => registry.keysOf(pid))).toEqual([['hello'], ['hello', 'hello']]);
    expect([alice, bob].map(({ pid }) => registry.valuesOf(pid, 'hello'))).toEqual([[1], [2, 3]]);
    expect(registry.count()).toBe(3);
  });

  it('drops all own entries of a key at once (N7)', () => {
    registry.register(alice.self, 'a', 1);
    registry.register(alice.self, 'a', 2);
    registry.register(bob.self, 'a', 3);
    registry.register(alice.self, 'b', 4);
    registry.unregister(alice.self, 'a');
    expect(registry.lookup('a')).toEqual([{ pid: bob.pid, value: 3 }]);
    expect(registry.keysOf(alice.pid)).toEqual(['b']);
  });

  it('removes of several own entries those that match (N9)', () => {
    for (const value of [1, 2, 3]) registry.register(alice.self, 'a', value);
    registry.unregisterMatch(alice.self, 'a', (value) => value !== 2);
    expect(registry.valuesOf(alice.pid, 'a')).toEqual([2]);
  });

  it('gives no names (N10)', async () => {
    registry.register(alice.self, 'a', 1);
    const name = { via: registry, key: 'a' };
    const refusal = /\{ via \} needs a unique registry, and registry 'topics' has duplicate keys/;
    expect(() => registry.whereisName('a')).toThrow(refusal);
    expect(() => world.send(name, 'hello')).toThrow(refusal);
    await expect(world.start(script(), { name })).rejects.toThrow(refusal);
    await expect(world.call(name, 'hello')).rejects.toThrow(refusal);
    expect(() => world.cast(name, 'hello')).not.toThrow();
    expect(() => registry.updateValue(alice.self, 'a', () => 1)).toThrow(/updateValue needs a unique registry/);
    expect(registry.count()).toBe(1);
  });

  it('may be changed by what it dispatches to, which still sees the entries of the beginning (N10)', async () => {
    registry.register(alice.self, 'a', 1);
    registry.register(bob.self, 'a', 2);
    const seen: number[] = [];
    registry.dispatch('a', (entries) => {
      for (const { value } of entries) {
        registry.unregister(bob.self, 'a');
        registry.register(alice.self, 'a', 9);
        seen.push(value);
      }
    });
    expect(seen).toEqual([1, 2]);
    expect(() =>
      registry.dispatch('a', () => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
  });
});

describe('registries', () => {
  it('are one per name and runtime', () => {
    const registry = world.registries.create('a', { keys: 'unique' });
    expect(world.registries.get('a')).toBe(registry);
    const error = thrownBy(() => world.registries.create('a', { keys: 'duplicate' }));
    expect(error).toBeInstanceOf(AlreadyStartedError);
    expect((error as Error).message).toContain("Registry 'a' is already started: a registry with unique keys");
    expect(testWorld().registries.find('a')).toBeUndefined();
  });

  it('that are not known are refused, naming those that are (N10)', () => {
    expect(() => world.registries.get('b')).toThrow(
      "There is no registry 'b'. Create it first, or use one of: (there is none)",
    );
    world.registries.create('a', { keys: 'unique' });
    const error = thrownBy(() => world.registries.get('b'));
    expect(error).toBeInstanceOf(UnknownRegistryError);
    expect(error).toMatchObject({ code: 'UNKNOWN_REGISTRY', registry: 'b' });
    expect((error as Error).message).toContain("'a'");
  });

  it('are of one of two kinds', () => {
    expect(() => world.registries.create('a', { keys: 'many' as never })).toThrow(
      "keys of registry 'a' must be 'unique' or 'duplicate', got: 'many'",
    );
    expect(world.registries.find('a')).toBeUndefined();
  });
});

/** How many keys and owners the tables of a registry hold. */
function tablesOf(registry: Registry<unknown, unknown>): number[] {
  const { byKey, owners } = (
    registry as unknown as { entries: { byKey: Map<unknown, unknown>; owners: Map<unknown, unknown> } }
  ).entries;
  return [byKey.size, owners.size];
}
