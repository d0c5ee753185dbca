import type { PubSubAdapter, TopicBroadcast } from '../../registry/pub-sub-adapter.js';
import type { TestFunctions } from './test-functions.js';

/** Adapters that will reach each other once they are connected, which the suite does. */
export interface PubSubAdapterGroup {
  readonly adapters: readonly PubSubAdapter[];
  /** Resolves when everything that was broadcast so far has arrived. Default: it arrives at once. */
  settle?(): Promise<void>;
  /** Gives back what the group needed, after all adapters were disconnected. */
  close?(): void | Promise<void>;
}

export interface PubSubAdapterContractOptions {
  /** The adapter's name, for the report. */
  readonly name: string;
  /** Makes a cluster of that many nodes which shares nothing with any other: the tests do not wait for each other. */
  readonly makeGroup: (nodes: number) => PubSubAdapterGroup | Promise<PubSubAdapterGroup>;
  /** Why there can be but one node. Given, the rules about several nodes are skipped. Default: there can be several. */
  readonly onlyOneNode?: string;
}

/** A cluster whose nodes write down what they receive. */
interface Cluster {
  readonly nodes: readonly PubSubAdapter[];
  readonly received: readonly TopicBroadcast[][];
  readonly settle: () => Promise<void>;
}

const UNKNOWN_NODE = 'a node that does not exist';
const AWKWARD_TOPICS = ['', '*', 'room:*', 'a.b#c', 'a b', '__proto__', 'Zürich/東京', 'x'.repeat(1_000)];
const DATA = { text: 'Zürich 東京', number: -1.5, yes: true, nothing: null, list: [1, [2, { deep: '' }]], empty: {} };

/**
 * The duties of a {@link PubSubAdapter}, as tests: run this suite on your own adapter.
 *
 * @example
 * ```ts no-run: needs a Redis server and the runner of your tests
 * import { describe, expect, it } from 'vitest';
 *
 * pubSubAdapterContract({ describe, it, expect }, {
 *   name: 'RedisPubSubAdapter',
 *   makeGroup: (nodes) => startRedisNodes(nodes),
 * });
 * ```
 *
 * @publicApi
 */
export function pubSubAdapterContract(
  { describe, it, expect }: TestFunctions,
  { name, makeGroup, onlyOneNode }: PubSubAdapterContractOptions,
): void {
  /** A test with a cluster of its own, which is taken down whatever happens. */
  const rule = (nodes: number, sentence: string, test: (cluster: Cluster) => void | Promise<void>): void => {
    const isLeftOut = nodes > 1 && onlyOneNode !== undefined;
    const run = isLeftOut ? it.skip : it;
    run(isLeftOut ? `${sentence} (${onlyOneNode})` : sentence, async () => {
      const group = await makeGroup(nodes);
      const received: TopicBroadcast[][] = group.adapters.map(() => []);
      const settle = async (): Promise<void> => group.settle?.();
      try {
        for (const [index, adapter] of group.adapters.entries()) {
          await adapter.connect((broadcast) => received[index]!.push(broadcast));
        }
        await test({ nodes: group.adapters, received, settle });
      } finally {
        for (const adapter of group.adapters) await adapter.disconnect();
        await group.close?.();
      }
    });
  };

  describe(`${name} as a PubSubAdapter`, () => {
    describe('of one node', () => {
      rule(1, 'has a node name, which stays', ({ nodes: [node] }) => {
        const { nodeName } = node!;
        expect([typeof nodeName, nodeName !== '', node!.nodeName === nodeName]).toEqual(['string', true, true]);
      });

      rule(1, 'does not hear itself', async ({ nodes: [node], received, settle }) => {
        node!.broadcast(said(1));
        await settle();
        expect(received).toEqual([[]]);
      });

      rule(
        1,
        'does not mind a direct broadcast to a node that is not known',
        async ({ nodes: [node], received, settle }) => {
          node!.directBroadcast(UNKNOWN_NODE, said(1));
          await settle();
          expect(received).toEqual([[]]);
        },
      );

      rule(1, 'does not mind what is broadcast after it has left', async ({ nodes: [node], received, settle }) => {
        await node!.disconnect();
        node!.broadcast(said(1));
        await settle();
        expect(received).toEqual([[]]);
      });
    });

    describe('of several nodes', () => {
      rule(3, 'gives every node a name of its own', ({ nodes }) => {
        expect(new Set(nodes.map(({ nodeName }) => nodeName)).size).toEqual(3);
      });

      rule(
        3,
        'hands a broadcast to every other node, once, and not to its own',
        async ({ nodes, received, settle }) => {
          nodes[0]!.broadcast(said(1));
          await settle();
          expect(received).toEqual([[], [said(1)], [said(1)]]);
        },
      );

      rule(2, 'keeps the order of a broadcaster', async ({ nodes, received, settle }) => {
        const all = Array.from({ length: 200 }, (_, index) => said(index));
        for (const broadcast of all) nodes[0]!.broadcast(broadcast);
        await settle();
        expect(received[1]).toEqual(all);
      });

      rule(3, 'keeps the order of each when two broadcast in turn', async ({ nodes, received, settle }) => {
        for (let index = 0; index < 50; index++) {
          nodes[0]!.broadcast(said(index, 'first'));
          nodes[1]!.broadcast(said(index, 'second'));
        }
        await settle();
        for (const topic of ['first', 'second']) {
          const heard = received[2]!.filter((broadcast) => broadcast.topic === topic);
          expect(heard).toEqual(Array.from({ length: 50 }, (_, index) => said(index, topic)));
        }
      });

      rule(
        2,
        'carries data, topics and the name of the dispatcher as they are',
        async ({ nodes, received, settle }) => {
          const all = AWKWARD_TOPICS.map((topic) => ({ topic, message: DATA, dispatcher: 'fastlane' }));
          for (const broadcast of all) nodes[0]!.broadcast(broadcast);
          await settle();
          expect(received[1]).toEqual(all);
        },
      );

      rule(3, 'hands a direct broadcast to that node only', async ({ nodes, received, settle }) => {
        nodes[0]!.directBroadcast(nodes[2]!.nodeName, said(1));
        await settle();
        expect(received).toEqual([[], [], [said(1)]]);
      });

      rule(2, 'drops a direct broadcast to a node that is not known', async ({ nodes, received, settle }) => {
        nodes[0]!.directBroadcast(UNKNOWN_NODE, said(1));
        await settle();
        expect(received).toEqual([[], []]);
      });

      rule(3, 'hands nothing to a node that has left, and goes on without it', async ({ nodes, received, settle }) => {
        await nodes[1]!.disconnect();
        nodes[0]!.broadcast(said(1));
        nodes[0]!.directBroadcast(nodes[1]!.nodeName, said(2));
        await settle();
        expect(received).toEqual([[], [], [said(1)]]);
      });
    });
  });
}

function said(message: unknown, topic = 'topic'): TopicBroadcast {
  return { topic, message, dispatcher: undefined };
}
