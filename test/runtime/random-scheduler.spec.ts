import { describe, expect, it } from 'vitest';
import { RandomScheduler } from '../../lib/runtime/scheduling/random-scheduler.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { schedulable } from '../support/schedulable.js';
import { script } from '../support/script.js';
import { seededRandom } from '../support/seeded-random.js';
import { testWorld } from '../support/world.js';

const NAMES = ['a', 'b', 'c', 'd'];

/** The order in which four processes get their turns when they become ready in the same turn. */
async function orderFor(random: () => number): Promise<string> {
  const log: string[] = [];
  const scheduler = new RandomScheduler(new ManualClock(), () => undefined, { random });
  for (const name of NAMES) {
    scheduler.ready(schedulable(() => (log.push(name), false)));
  }
  await settle();
  return log.join('');
}

describe('RandomScheduler', () => {
  it('gives every process one turn, in every order there is', async () => {
    const random = seededRandom(1);
    const orders = new Set<string>();
    for (let run = 0; run < 400; run++) orders.add(await orderFor(random));
    expect([...orders].map((order) => [...order].sort().join(''))).toEqual(Array(24).fill('abcd'));
  });

  it('gives them in the same order for the same numbers', async () => {
    expect(await orderFor(seededRandom(7))).toBe(await orderFor(seededRandom(7)));
  });

  it('keeps the order of what waits for one process', async () => {
    const world = testWorld({ scheduling: 'random', randomness: { random: seededRandom(3) } });
    const servers = [script(), script()];
    const [first, second] = await Promise.all(servers.map((server) => world.start(server)));
    for (let at = 0; at < 20; at++) {
      world.send(first!, at);
      world.send(second!, at);
    }
    await settle();
    const sent = Array.from({ length: 20 }, (_, at) => at);
    expect(servers.map(({ seen }) => seen)).toEqual([sent, sent]);
  });
});
