import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import type { PubSub } from '../../lib/registry/pub-sub.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import { childSpec } from '../../lib/supervision/child-spec.js';
import { startSupervisor } from '../../lib/supervision/supervisor.js';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { thrownBy } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let pubsub: PubSub;
let alice: Probe;
let bob: Probe;

beforeEach(async () => {
  world = testWorld();
  ({ pubsub } = world);
  alice = await startProbe(world);
  bob = await startProbe(world);
});

describe('a subscription', () => {
  it('is of the process that subscribes, to exactly one topic (B1)', async () => {
    pubsub.subscribe(alice.self, 'rooms:1');
    pubsub.subscribe(bob.self, 'rooms:*');
    pubsub.broadcast('rooms:1', 'one');
    pubsub.broadcast('rooms:12', 'twelve');
    pubsub.broadcast('rooms:', 'none');
    pubsub.broadcast('rooms:*', 'star');
    await settle();
    expect([alice.messages, bob.messages]).toEqual([['one'], ['star']]);
  });

  it('that is made twice delivers twice, and all of them end at once (B1)', async () => {
    pubsub.subscribe(alice.self, 'a');
    pubsub.subscribe(alice.self, 'a');
    pubsub.broadcast('a', 1);
    await settle();
    expect(alice.messages).toEqual([1, 1]);
    pubsub.unsubscribe(alice.self, 'a');
    pubsub.unsubscribe(alice.self, 'a');
    pubsub.unsubscribe(alice.self, 'never subscribed');
    pubsub.broadcast('a', 2);
    await settle();
    expect(alice.messages).toEqual([1, 1]);
    expect(pubsub.topics()).toEqual([]);
  });

  it('ends with its process, however it ends (B3)', async () => {
    pubsub.subscribe(alice.self, 'a');
    pubsub.subscribe(alice.self, 'b');
    pubsub.subscribe(bob.self, 'b');
    let seen: unknown;
    world.events.on('process.exited', () => (seen ??= pubsub.topics()));
    world.exit(alice.pid, 'kill');
    await settle();
    expect(seen).toEqual(['b']);
    await world.stop(bob.pid);
    expect(pubsub.topics()).toEqual([]);
  });

  it('is made again by the next incarnation, in its init (B3)', async () => {
    const seen: unknown[] = [];
    const listener = blueprintOfBehaviour({
      label: 'listener',
      init: (_args, self) => {
        self.subscribe('a');
        return ok(null);
      },
      handleInfo: (message, _state, self) => {
        seen.push([self.pid.incarnation, message]);
        return message === 'crash' ? Promise.reject(new Error('boom')) : noReply();
      },
    });
    const children = [childSpec(listener, { name: 'listener' }, { id: 'listener' })];
    await startSupervisor(world.runtime, { label: 'root', children });
    pubsub.broadcast('a', 1);
    pubsub.broadcast('a', 'crash');
    pubsub.broadcast('a', 'lost with the mailbox');
    await settle();
    pubsub.broadcast('a', 2);
    await settle();
    expect(seen).toEqual([
      [0, 1],
      [0, 'crash'],
      [1, 2],
    ]);
  });

  it('is not for a process that has ended (E6)', async () => {
    world.exit(alice.pid, 'kill'); // fenced from now on, dead a moment later
    pubsub.subscribe(alice.self, 'a');
    expect(pubsub.topics()).toEqual([]);
    await settle();
    pubsub.subscribe(alice.self, 'a');
    pubsub.unsubscribe(alice.self, 'a');
    expect(pubsub.topics()).toEqual([]);
  });

  it('refuses what is no topic and what is no process', async () => {
    const error = thrownBy(() => pubsub.subscribe(alice.self, 1 as never));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toBe('A topic must be a string, got: 1');
    expect(() => pubsub.broadcast(undefined as never, 1)).toThrow('A topic must be a string, got: undefined');
    expect(() => pubsub.listen(null as never, () => undefined)).toThrow('A topic must be a string, got: null');
    expect(() => pubsub.subscribe(alice.pid as never, 'a')).toThrow(/Expected the self of a process/);
    const stranger = await startProbe(testWorld());
    expect(() => pubsub.subscribe(stranger.self, 'a')).toThrow(/of another runtime/);
  });
});

describe('a broadcast', () => {
  it('is fine without anybody to hear it (B2)', () => {
    expect(() => pubsub.broadcast('a', 1)).not.toThrow();
    expect(() => pubsub.localBroadcast('a', 1)).not.toThrow();
    expect(() => pubsub.directBroadcast('a node that is not known', 'a', 1)).not.toThrow();
  });

  it('arrives as the plain message that was sent (B2)', async () => {
    pubsub.subscribe(alice.self, 'a');
    const message = { type: 'price', value: 1 };
    pubsub.broadcast('a', message);
    pubsub.broadcast('a', undefined);
    await settle();
    expect(alice.messages).toEqual([message, undefined]);
    expect(alice.messages[0]).toBe(message);
  });

  it('reaches 10 000 subscribers, in the order of subscription and of each broadcaster (B2)', async () => {
    const order: number[] = [];
    const heard: unknown[][] = [];
    const behaviour = {
      init: ([index]: readonly unknown[], self: Probe['self']) => {
        self.subscribe('a');
        heard[index as number] = [];
        return ok(index);
      },
      handleInfo: (message: unknown, state: unknown) => {
        heard[state as number]!.push(message);
        if (message === 'first') order.push(state as number);
        return noReply();
      },
    };
    for (let index = 0; index < 10_000; index++) await world.start(behaviour, { args: [index] });
    pubsub.broadcast('a', 'first');
    for (let index = 0; index < 5; index++) pubsub.broadcast('a', index);
    await settle();
    expect(order).toEqual(Array.from({ length: 10_000 }, (_, index) => index));
    expect(new Set(heard.map(String))).toEqual(new Set(['first,0,1,2,3,4']));
    for (const process of [...world.runtime.processes()]) world.exit(process.pid, 'kill');
    await settle();
    expect(world.runtime.processCount).toBe(0);
    expect([pubsub.topics(), tablesOf(pubsub)]).toEqual([[], [0, 0, 0]]);
  });

  it('from a process skips all subscriptions of that process (B2)', async () => {
    for (const { self } of [alice, alice, bob]) pubsub.subscribe(self, 'a');
    pubsub.broadcastFrom(alice.self, 'a', 1);
    pubsub.localBroadcastFrom(alice.self, 'a', 2);
    await settle();
    expect([alice.messages, bob.messages]).toEqual([[], [1, 2]]);
  });

  it('to this node by its name, or to this node only, is a broadcast where there is one node (B2)', async () => {
    pubsub.subscribe(alice.self, 'a');
    pubsub.localBroadcast('a', 1);
    pubsub.directBroadcast(pubsub.nodeName, 'a', 2);
    pubsub.directBroadcast('elsewhere', 'a', 3);
    await settle();
    expect(alice.messages).toEqual([1, 2]);
  });

  it('from a process that has ended does nothing (E6)', async () => {
    pubsub.subscribe(bob.self, 'a');
    world.exit(alice.pid, 'kill');
    pubsub.broadcastFrom(alice.self, 'a', 1);
    pubsub.localBroadcastFrom(alice.self, 'a', 2);
    await settle();
    pubsub.broadcastFrom(alice.self, 'a', 3);
    await settle();
    expect(bob.messages).toEqual([]);
  });

  it('still reaches a subscriber that unsubscribes while it is handled: it lies in the mailbox (B2)', async () => {
    const seen: unknown[] = [];
    await world.start({
      init: (_args, self) => {
        self.subscribe('a');
        return ok(null);
      },
      handleInfo: (message, _state, self) => {
        seen.push(message);
        self.unsubscribe('a');
        return noReply();
      },
    });
    pubsub.broadcast('a', 1);
    pubsub.broadcast('a', 2);
    await settle();
    pubsub.broadcast('a', 3);
    await settle();
    expect(seen).toEqual([1, 2]);
  });
});

describe('self', () => {
  it('subscribes, unsubscribes and broadcasts, and hears itself (B1, B2)', async () => {
    alice.self.subscribe('a');
    bob.self.subscribe('a');
    alice.self.broadcast('a', 1);
    bob.self.unsubscribe('a');
    alice.self.broadcast('a', 2);
    await settle();
    expect([alice.messages, bob.messages]).toEqual([[1, 2], [1]]);
  });

  it('of a process that was killed in the middle of a handler does nothing any more (E6)', async () => {
    const gate = deferred();
    const done = deferred();
    const pid = await world.start(script());
    pubsub.subscribe(alice.self, 'a');
    world.cast(pid, async ({ self }: Context) => {
      await gate.promise;
      self.subscribe('b');
      self.unsubscribe('a');
      self.broadcast('a', 'from the grave');
      done.resolve();
      return noReply();
    });
    await settle();
    world.exit(pid, 'kill');
    gate.resolve();
    await done.promise;
    await settle();
    expect(alice.messages).toEqual([]);
    expect(pubsub.topics()).toEqual(['a']);
  });
});

describe('a listener outside of any process', () => {
  it('hears a topic at once until it stops, and each time it listens on its own (B1)', () => {
    const heard: unknown[] = [];
    const listener = (message: unknown): unknown => heard.push(message);
    const stops = [pubsub.listen('a', listener), pubsub.listen('a', listener)];
    pubsub.broadcast('a', 1);
    pubsub.broadcast('b', 2);
    stops[0]!();
    stops[0]!();
    pubsub.broadcastFrom(alice.self, 'a', 3);
    stops[1]!();
    pubsub.broadcast('a', 4);
    expect(heard).toEqual([1, 1, 3]);
    expect(pubsub.topics()).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw boom;
      },
    ],
    ['rejects', () => Promise.reject(boom)],
    ['gives a thenable that fails', () => ({ then: (_: unknown, fail: (error: unknown) => void) => fail(boom) })],
  ])('that %s is detached and reported, and disturbs nobody (E20)', async (_, listener) => {
    const heard: unknown[] = [];
    pubsub.subscribe(alice.self, 'a');
    pubsub.listen('a', listener);
    pubsub.listen('a', (message) => heard.push(message));
    pubsub.broadcast('a', 1);
    await settle();
    pubsub.broadcast('a', 2);
    await settle();
    expect([heard, alice.messages]).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(world.seen.filter(({ type }) => type === 'registry.listener_detached')).toEqual([
      { type: 'registry.listener_detached', source: "topic 'a'", error: boom },
    ]);
  });

  it('leaves nothing behind when it was the last and threw', () => {
    pubsub.listen('a', () => {
      throw boom;
    });
    pubsub.broadcast('a', 1);
    expect([pubsub.topics(), tablesOf(pubsub)]).toEqual([[], [0, 0, 0]]);
  });

  it('runs in the context that the runtime was made in, never in that of the broadcaster', () => {
    const storage = new AsyncLocalStorage<string>();
    const heard: unknown[] = [];
    storage.run('listener', () => pubsub.listen('a', () => heard.push(storage.getStore())));
    storage.run('broadcaster', () => pubsub.broadcast('a', 1));
    expect(heard).toEqual([undefined]);
  });

  it('is not taken for the process whose handler broadcasts: it may call it', async () => {
    const pid = await world.start(script());
    let answer: Promise<unknown> | undefined;
    pubsub.listen('a', () => {
      answer = world.call(pid, () => reply('hello'));
    });
    world.cast(pid, ({ self }: Context) => {
      self.broadcast('a', 1);
      self.broadcast('b', 2);
      return noReply();
    });
    await settle();
    expect(await answer).toBe('hello');
  });

  it('hears messages in one order with all others, also those that listeners send', () => {
    const heard: unknown[] = [];
    pubsub.listen('a', (message) => {
      heard.push(['first', message]);
      if (message === 1) pubsub.broadcast('a', 2);
    });
    pubsub.listen('a', (message) => heard.push(['second', message]));
    pubsub.broadcast('a', 1);
    expect(heard).toEqual([
      ['first', 1],
      ['second', 1],
      ['first', 2],
      ['second', 2],
    ]);
  });

  it('that is stopped by one before it hears nothing more; one that begins meanwhile hears the next', () => {
    const heard: unknown[] = [];
    const stops: (() => void)[] = [];
    pubsub.listen('a', (message) => {
      stops[0]!();
      pubsub.listen('a', (next) => heard.push(['new', next]));
      heard.push(['first', message]);
    });
    stops.push(pubsub.listen('a', (message) => heard.push(['second', message])));
    pubsub.broadcast('a', 1);
    expect(heard).toEqual([['first', 1]]);
    pubsub.broadcast('a', 2);
    expect(heard).toEqual([
      ['first', 1],
      ['first', 2],
      ['new', 2],
    ]);
  });
});

describe('a dispatcher of the application', () => {
  it('delivers as it likes, knowing what each subscribed with (B4)', async () => {
    const seen: unknown[] = [];
    await pubsub.connect({
      dispatchers: {
        fastlane: (subscriptions, from, message, deliver) => {
          seen.push([subscriptions, from, message]);
          for (const { pid, metadata } of subscriptions) if (pid !== from) deliver(pid, [metadata, message]);
        },
      },
    });
    pubsub.subscribe(alice.self, 'a', { metadata: 'json' });
    alice.self.subscribe('a');
    bob.self.subscribe('a', { metadata: { format: 'text' } });
    pubsub.broadcastFrom(alice.self, 'a', 1, { dispatcher: 'fastlane' });
    pubsub.broadcast('a', 2, { dispatcher: 'fastlane' });
    pubsub.broadcast('a', 3);
    pubsub.broadcast('nobody', 4, { dispatcher: 'fastlane' });
    await settle();
    const subscriptions = [
      { pid: alice.pid, metadata: 'json' },
      { pid: alice.pid, metadata: undefined },
      { pid: bob.pid, metadata: { format: 'text' } },
    ];
    expect(seen).toEqual([
      [subscriptions, alice.pid, 1],
      [subscriptions, undefined, 2],
    ]);
    expect(alice.messages).toEqual([['json', 2], [undefined, 2], 3, 3]);
    expect(bob.messages).toEqual([[{ format: 'text' }, 1], [{ format: 'text' }, 2], 3]);
  });

  it('that is not known is refused, and nothing is sent (B4)', async () => {
    pubsub.subscribe(alice.self, 'a');
    expect(() => pubsub.broadcast('a', 1, { dispatcher: 'fastlane' })).toThrow(
      "No dispatcher is named 'fastlane'. Give it to the PubSub when it is connected: { dispatchers: { … } }.",
    );
    await settle();
    expect(alice.messages).toEqual([]);
  });

  it('that throws is the broadcaster’s to know (B4)', async () => {
    await pubsub.connect({
      dispatchers: {
        broken: () => {
          throw boom;
        },
      },
    });
    pubsub.subscribe(alice.self, 'a');
    expect(thrownBy(() => pubsub.broadcast('a', 1, { dispatcher: 'broken' }))).toBe(boom);
  });
});

describe('a PubSub that is closed', () => {
  it('has no subscription and no listener left, tells those who still listened, and takes no new ones', async () => {
    const closed: string[] = [];
    const heard: unknown[] = [];
    pubsub.subscribe(alice.self, 'a');
    pubsub.listen(
      'a',
      (message) => heard.push(message),
      () => closed.push('first'),
    );
    pubsub.listen('b', () => undefined)();
    const stop = pubsub.listen(
      'b',
      () => undefined,
      () => closed.push('stopped before'),
    );
    stop();
    await pubsub.close();
    await pubsub.close();
    expect(closed).toEqual(['first']);
    pubsub.subscribe(alice.self, 'a');
    alice.self.subscribe('a');
    pubsub.listen(
      'a',
      (message) => heard.push(message),
      () => closed.push('too late'),
    );
    pubsub.broadcast('a', 1);
    alice.self.broadcast('a', 2);
    pubsub.broadcastFrom(alice.self, 'a', 3);
    await settle();
    expect([heard, alice.messages, closed]).toEqual([[], [], ['first', 'too late']]);
    expect([pubsub.topics(), tablesOf(pubsub)]).toEqual([[], [0, 0, 0]]);
    const [process] = [...world.runtime.processes()].filter(({ pid }) => pid === alice.pid);
    expect(process!.relations?.firstWatcher ?? null).toBeNull();
  });
});

const boom = new Error('boom');

/** How many topics with subscriptions, subscribers and topics with listeners a PubSub keeps. */
function tablesOf(of: PubSub): number[] {
  const { subscriptions, listeners } = of as unknown as {
    subscriptions: { byKey: Map<unknown, unknown>; owners: Map<unknown, unknown> };
    listeners: Map<unknown, unknown>;
  };
  return [subscriptions.byKey.size, subscriptions.owners.size, listeners.size];
}
