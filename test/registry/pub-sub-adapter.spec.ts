import { describe, expect, it } from 'vitest';
import { LocalPubSubAdapter, type PubSubAdapter } from '../../lib/registry/pub-sub-adapter.js';
import { pubSubAdapterContract } from '../../lib/testing/index.js';
import { InMemoryCluster } from './support/in-memory-cluster.js';

pubSubAdapterContract(
  { describe, it, expect },
  {
    name: 'LocalPubSubAdapter',
    makeGroup: () => ({ adapters: [new LocalPubSubAdapter()] }),
    onlyOneNode: 'it is the adapter of a world of one node',
  },
);

const inMemory = (broken: (node: PubSubAdapter) => PubSubAdapter = (node) => node) => ({
  name: 'InMemoryAdapter',
  makeGroup: (nodes: number) => {
    const cluster = new InMemoryCluster();
    const adapters = Array.from({ length: nodes }, (_, index) => broken(cluster.node(`node ${index}`)));
    return { adapters, settle: () => Promise.resolve(cluster.flush()) };
  },
});

pubSubAdapterContract({ describe, it, expect }, inMemory());

describe('the contract suite of adapters', () => {
  /** Runs the suite with a test runner of a few lines, and gives the rules that were broken. */
  const rulesBrokenBy = async (breakIt: (node: PubSubAdapter) => Partial<PubSubAdapter>): Promise<string[]> => {
    const broken: string[] = [];
    const running: Promise<void>[] = [];
    const run = (rule: string, test: () => Promise<void>): void => {
      running.push(test().catch(() => void broken.push(rule)));
    };
    const overridden = (node: PubSubAdapter): PubSubAdapter => Object.assign(node, breakIt(node));
    pubSubAdapterContract(
      { describe: (_, suite) => suite(), it: Object.assign(run, { skip: () => undefined }), expect },
      inMemory(overridden),
    );
    await Promise.all(running);
    return broken;
  };

  it('has nothing to say against an adapter that does its duty', async () => {
    expect(await rulesBrokenBy(() => ({}))).toEqual([]);
  });

  it.each<[string, (node: PubSubAdapter) => Partial<PubSubAdapter>, string]>([
    ['drops broadcasts', () => ({ broadcast: () => undefined }), 'hands a broadcast to every other node'],
    [
      'delivers twice',
      (node) => {
        const broadcast = node.broadcast.bind(node);
        return { broadcast: (message) => [broadcast(message), broadcast(message)] };
      },
      'hands a broadcast to every other node',
    ],
    [
      'hears itself',
      (node) => {
        let hear: (broadcast: never) => void;
        const [connect, broadcast] = [node.connect.bind(node), node.broadcast.bind(node)];
        return {
          connect: (receive) => connect((hear = receive)),
          broadcast: (message) => [hear(message as never), broadcast(message)],
        };
      },
      'does not hear itself',
    ],
    [
      'forgets the dispatcher',
      (node) => {
        const broadcast = node.broadcast.bind(node);
        return { broadcast: (message) => broadcast({ ...message, dispatcher: undefined }) };
      },
      'carries data, topics and the name of the dispatcher',
    ],
    [
      'sends a direct broadcast to all',
      (node) => ({ directBroadcast: (_, message) => node.broadcast(message) }),
      'hands a direct broadcast to that node only',
    ],
    ['never leaves', () => ({ disconnect: () => undefined }), 'hands nothing to a node that has left'],
    ['names all nodes alike', () => ({ nodeName: 'node' }), 'gives every node a name of its own'],
    [
      'minds an unknown node',
      () => ({
        directBroadcast: () => {
          throw new Error('unknown');
        },
      }),
      'does not mind a direct broadcast to a node that is not known',
    ],
  ])('catches one that %s', async (_, breakIt, rule) => {
    expect(await rulesBrokenBy(breakIt)).toContainEqual(expect.stringContaining(rule));
  });
});
