import { describe, expect, it } from 'vitest';
import { ok, stop } from '../../lib/gen-server/results/callback-result.js';
import type { Restart } from '../../lib/supervision/restart-policy.js';
import type { Strategy } from '../../lib/supervision/strategies.js';
import { settle } from '../support/manual-clock.js';
import { seededRandom } from '../support/seeded-random.js';
import { rejectionOf } from '../support/thrown.js';
import { crash, treeWorld } from '../support/tree.js';
import { type Ended, type Request, SupervisorModel } from './supervisor-model.js';

const IDS = ['a', 'b', 'c', 'd', 'e', 'f'];
const RESTARTS: Restart[] = ['permanent', 'permanent', 'transient', 'temporary'];
const SEEDS_PER_STRATEGY = 80;
const BURSTS = 10;

/** One world under a supervisor that bears everything, next to the model of what it should do. */
async function storm(strategy: Strategy, seed: number) {
  const random = seededRandom(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!;
  const world = treeWorld();
  const model = new SupervisorModel(strategy);
  const failures = new Map<string, number>();

  const worker = (id: string, restart: Restart) => {
    const isSlow = random() < 0.3;
    return world.worker(id, {
      restart,
      shutdownMs: random() < 0.2 ? 'brutal_kill' : 5_000,
      init: async () => {
        const left = failures.get(id) ?? 0;
        failures.set(id, Math.max(0, left - 1));
        if (isSlow) await Promise.resolve();
        return left > 0 ? stop(`${id} is broken`) : ok(null);
      },
    });
  };
  const ask = (request: Request): Promise<unknown> => {
    const { type, id } = request;
    if (type === 'start') return world.startChild(worker(id, request.restart));
    if (type === 'terminate') return world.terminateChild(id);
    return type === 'restart' ? world.restartChild(id) : world.deleteChild(id);
  };

  const first = IDS.slice(0, 4).map((id) => ({ id, restart: pick(RESTARTS) }));
  for (const { id, restart } of first) model.request({ type: 'start', id, restart });
  await world.supervise(
    first.map(({ id, restart }) => worker(id, restart)),
    { strategy, maxRestarts: Infinity },
  );

  /** Everything in one burst reaches the supervisor before it acts on any of it: the requests, then the exits. */
  const burst = async (): Promise<void> => {
    for (const id of IDS) {
      if (random() > 0.15) continue;
      const times = Math.floor(random() * 3);
      failures.set(id, times);
      model.failures.set(id, times);
    }
    const requests: Request[] = [];
    const ended = new Map<string, Ended>();
    for (let left = 1 + Math.floor(random() * 5); left > 0; left--) {
      const id = pick(IDS);
      if (random() < 0.5) {
        const isClean = random() < 0.3;
        if (world.whereis(id) !== undefined && !ended.has(id))
          ended.set(id, { id, life: model.find(id)!.life, isClean });
        world.exit(id, isClean ? 'shutdown' : pick(['kill', 'odd']));
      } else {
        requests.push({
          type: pick(['start', 'start', 'terminate', 'restart', 'delete']),
          id,
          restart: pick(RESTARTS),
        });
      }
    }
    const answers = requests.map(ask);
    for (const request of requests) model.request(request);
    for (const exit of ended.values()) model.exit(exit);
    model.comeToRest();
    await Promise.allSettled(answers);
    await settle();
    await settle();
  };
  return { world, model, burst };
}

describe.each<Strategy>(['one_for_one', 'one_for_all', 'rest_for_one'])('a crash storm under %s', (strategy) => {
  it(`leaves exactly those children running that should be, ${SEEDS_PER_STRATEGY} times over`, async () => {
    for (let seed = 1; seed <= SEEDS_PER_STRATEGY; seed++) {
      const { world, model, burst } = await storm(strategy, seed);
      for (let i = 0; i < BURSTS; i++) {
        await burst();
        const at = `${strategy}, seed ${seed}, burst ${i}`;
        const children = (await world.whichChildren()).map(({ id, status }) => ({ id, status }));
        expect(children, at).toEqual(model.children.map(({ id, status }) => ({ id, status })));
        expect(world.names().sort(), at).toEqual([...model.running, 'root'].sort());
        expect(world.runtime.processCount, at).toBe(1 + model.running.length);
      }
      await world.stop('root');
      world.runtime.close();
      expect(world.runtime.processCount).toBe(0);
      expect(world.names()).toEqual([]);
      expect(world.clock.pendingTimers).toBe(0);
    }
  });

  it('either leaves a whole tree or none, when the budget is small', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed);
      const world = treeWorld();
      const names = ['a', 'b', 'c', 'd'];
      const leaves = names.map((id) => world.worker(id, { init: () => (random() < 0.1 ? stop('unlucky') : ok(null)) }));
      const tree = [
        world.supervisor('low', leaves.slice(0, 2), { strategy, maxRestarts: 1 }),
        world.supervisor('lower', leaves.slice(2), { strategy, maxRestarts: 1 }),
      ];
      const isUp = await world.supervise(tree, { strategy, maxRestarts: 2 }).then(
        () => true,
        () => false,
      );
      for (let i = 0; isUp && i < 6 && world.whereis('root') !== undefined; i++) {
        const victim = names[Math.floor(random() * names.length)]!;
        if (random() < 0.5) world.exit(victim, 'kill');
        else await rejectionOf(world.call(victim, crash));
        if (random() < 0.5) await settle();
      }
      await settle();
      const all = ['root', 'low', 'lower', ...names].sort();
      expect(world.names().sort(), `${strategy}, seed ${seed}`).toEqual(world.whereis('root') === undefined ? [] : all);
      expect(world.runtime.processCount).toBe(world.names().length);
      if (world.whereis('root') !== undefined) await world.stop('root');
      world.runtime.close();
      expect(world.runtime.processCount).toBe(0);
      expect(world.clock.pendingTimers).toBe(0);
    }
  });
});
