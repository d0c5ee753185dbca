import { beforeEach, describe, expect, it } from 'vitest';
import type { Dispatcher } from '../../lib/registry/pub-sub.js';
import type { PubSubAdapter } from '../../lib/registry/pub-sub-adapter.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';
import { InMemoryCluster } from './support/in-memory-cluster.js';

interface Node extends TestWorld {
  readonly probe: Probe;
}

const boom = new Error('boom');

/** A dispatcher that says that it was used. */
const marking: Dispatcher = (subscriptions, from, message, deliver) => {
  for (const { pid } of subscriptions) if (pid !== from) deliver(pid, ['marked', message]);
};
const failing: Dispatcher = () => {
  throw boom;
};

describe('a PubSub on two nodes', () => {
  let cluster: InMemoryCluster;
  let here: Node;
  let there: Node;

  const startNode = async (name: string, dispatchers: Record<string, Dispatcher> = {}): Promise<Node> => {
    const world = testWorld();
    await world.pubsub.connect({ adapter: cluster.node(name), dispatchers });
    const probe = await startProbe(world);
    world.pubsub.subscribe(probe.self, 'a');
    return { ...world, probe };
  };
  const arrive = async (): Promise<void> => {
    cluster.flush();
    await settle();
  };
  const heard = (): unknown[] => [here.probe.messages, there.probe.messages];

  beforeEach(async () => {
    cluster = new InMemoryCluster();
    here = await startNode('here', { marking, failing: marking, unknownThere: marking });
    there = await startNode('there', { marking, failing });
  });

  it('broadcasts to both, once each and in order (B2)', async () => {
    for (const message of [1, 2, 3]) here.pubsub.broadcast('a', message);
    here.probe.self.broadcast('a', 4);
    await arrive();
    expect(heard()).toEqual([
      [1, 2, 3, 4],
      [1, 2, 3, 4],
    ]);
  });

  it('skips the broadcaster on its own node (B2)', async () => {
    here.pubsub.broadcastFrom(here.probe.self, 'a', 1);
    await arrive();
    expect(heard()).toEqual([[], [1]]);
  });

  it('stays on its node when it is asked to (B2)', async () => {
    here.pubsub.localBroadcast('a', 1);
    here.pubsub.localBroadcastFrom(here.probe.self, 'a', 2);
    await arrive();
    expect(heard()).toEqual([[1], []]);
  });

  it('reaches one node by its name, and does not mind one that is not known (B2)', async () => {
    expect([here.pubsub.nodeName, there.pubsub.nodeName]).toEqual(['here', 'there']);
    here.pubsub.directBroadcast('there', 'a', 1);
    here.pubsub.directBroadcast('here', 'a', 2);
    here.pubsub.directBroadcast('nowhere', 'a', 3);
    await arrive();
    expect(heard()).toEqual([[2], [1]]);
  });

  it('tells listeners of the other node', async () => {
    const messages: unknown[] = [];
    there.pubsub.listen('a', (message) => messages.push(message));
    here.pubsub.broadcast('a', 1);
    await arrive();
    expect(messages).toEqual([1]);
  });

  it('runs the dispatcher of that name on each node (B4)', async () => {
    here.pubsub.broadcast('a', 1, { dispatcher: 'marking' });
    await arrive();
    expect(heard()).toEqual([[['marked', 1]], [['marked', 1]]]);
  });

  it.each([
    ['is not known', 'unknownThere', /No dispatcher is named 'unknownThere'/],
    ['throws', 'failing', /boom/],
  ])('reports a dispatcher that %s on the other node, where nobody could catch it (B4)', async (_, dispatcher, why) => {
    here.pubsub.broadcast('a', 1, { dispatcher });
    await arrive();
    expect(heard()).toEqual([[['marked', 1]], []]);
    const events = there.seen.filter(({ type }) => type === 'registry.broadcast_dropped');
    expect(events).toEqual([{ type: 'registry.broadcast_dropped', topic: 'a', error: expect.any(Error) }]);
    expect(String((events[0] as { error: unknown }).error)).toMatch(why);
  });

  it('hears nothing any more when it is closed, and says nothing', async () => {
    here.pubsub.broadcast('a', 1);
    await there.pubsub.close();
    here.pubsub.broadcast('a', 2);
    there.pubsub.broadcast('a', 3);
    await arrive();
    expect(heard()).toEqual([[1, 2], []]);
  });
});

describe('connecting a PubSub', () => {
  const refusing = (): PubSubAdapter => ({
    nodeName: 'refusing',
    connect: () => Promise.reject(boom),
    broadcast: () => undefined,
    directBroadcast: () => undefined,
    disconnect: () => undefined,
  });

  it('happens once, unless it fails', async () => {
    const { pubsub } = testWorld();
    expect(await rejectionOf(pubsub.connect({ adapter: refusing() }))).toBe(boom);
    expect(pubsub.nodeName).toBe('local');
    await pubsub.connect({ adapter: new InMemoryCluster().node('here') });
    expect(pubsub.nodeName).toBe('here');
    await expect(pubsub.connect({})).rejects.toThrow('This PubSub is connected already: it is connected at most once.');
    await pubsub.close();
    await expect(pubsub.connect({})).rejects.toThrow('This PubSub is closed already');
  });

  describe('that is closed meanwhile', () => {
    /** Connects when it is told to, and counts. */
    const slow = () => {
      const gate = deferred();
      const seen = { connected: 0, disconnected: 0 };
      const adapter: PubSubAdapter = {
        ...refusing(),
        connect: async () => {
          await gate.promise;
          seen.connected++;
        },
        disconnect: () => void seen.disconnected++,
      };
      return { adapter, gate, seen };
    };

    it('disconnects the adapter when it is connected, before the close is done', async () => {
      const { pubsub } = testWorld();
      const { adapter, gate, seen } = slow();
      const refused = rejectionOf(pubsub.connect({ adapter }));
      const closed = [pubsub.close(), pubsub.close()];
      gate.resolve();
      await Promise.all(closed);
      expect(seen).toEqual({ connected: 1, disconnected: 1 });
      expect(await refused).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: 'This PubSub was closed while it was being connected.',
      });
      expect(pubsub.nodeName).toBe('local');
    });

    it('stays closed when the adapter rejects, which has nothing to disconnect then', async () => {
      const { pubsub } = testWorld();
      const { adapter, gate, seen } = slow();
      const refused = rejectionOf(pubsub.connect({ adapter }));
      const closed = pubsub.close();
      gate.reject(boom);
      expect(await refused).toBe(boom);
      await closed;
      expect(seen).toEqual({ connected: 0, disconnected: 0 });
      await expect(pubsub.connect({})).rejects.toThrow('This PubSub is closed already');
    });

    it('tells whoever closes what the adapter throws when it disconnects', async () => {
      const { pubsub } = testWorld();
      const { adapter, gate } = slow();
      const refused = rejectionOf(pubsub.connect({ adapter: { ...adapter, disconnect: () => Promise.reject(boom) } }));
      const closed = rejectionOf(pubsub.close());
      gate.resolve();
      expect(await closed).toBe(boom);
      expect(await refused).toMatchObject({ code: 'INVALID_ARGUMENT' });
    });
  });

  it('leaves what the adapter throws to the broadcaster, and delivers nothing then (B2)', async () => {
    const world = testWorld();
    const broken: PubSubAdapter = {
      ...refusing(),
      connect: () => undefined,
      broadcast: () => {
        throw boom;
      },
    };
    await world.pubsub.connect({ adapter: broken });
    const probe = await startProbe(world);
    world.pubsub.subscribe(probe.self, 'a');
    expect(thrownBy(() => world.pubsub.broadcast('a', 1))).toBe(boom);
    world.pubsub.localBroadcast('a', 2);
    await settle();
    expect(probe.messages).toEqual([2]);
  });
});
