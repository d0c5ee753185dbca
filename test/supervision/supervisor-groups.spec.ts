import { describe, expect, it } from 'vitest';
import { ignore, noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import type { Strategy } from '../../lib/supervision/strategies.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, end, treeWorld, type WorkerOptions } from '../support/tree.js';

/** A group of five of which each may be broken from outside. */
async function group(
  strategy: Strategy,
  options: Partial<Record<string, WorkerOptions>> = {},
  limits: { maxRestarts?: number } = {},
) {
  const world = treeWorld();
  /** How often the next starts of a child are still to fail. */
  const failures = new Map<string, number>();
  const worker = (id: string) =>
    world.worker(id, {
      init: () => {
        const left = failures.get(id) ?? 0;
        failures.set(id, left - 1);
        return left > 0 ? stop(`${id} is broken`) : ok(null);
      },
      ...options[id],
    });
  await world.supervise(['a', 'b', 'c', 'd', 'e'].map(worker), { strategy, ...limits });
  world.takeJournal();
  const statuses = async () => (await world.whichChildren()).map(({ id, status }) => `${String(id)} ${status}`);
  return { world, failures, statuses };
}

const pidsOf = (world: ReturnType<typeof treeWorld>) => ['a', 'b', 'c', 'd', 'e'].map((name) => world.whereis(name));

describe('one_for_all', () => {
  it('stops the others in reverse and starts all in order [S9]', async () => {
    const { world } = await group('one_for_all');
    const before = pidsOf(world);
    await rejectionOf(world.call('c', crash));
    await settle();
    expect(world.journal).toEqual([
      'c terminate Error: boom',
      'e terminate shutdown',
      'd terminate shutdown',
      'b terminate shutdown',
      'a terminate shutdown',
      'a init',
      'b init',
      'c init',
      'd init',
      'e init',
    ]);
    pidsOf(world).forEach((pid, at) => expect(pid).toMatchObject({ id: before[at]!.id, incarnation: 1 }));
  });

  it('counts once, however many it restarts [S9]', async () => {
    const { world } = await group('one_for_all', {}, { maxRestarts: 3 });
    for (const id of ['a', 'b', 'c']) {
      await rejectionOf(world.call(id, crash));
      await settle();
    }
    expect(pidsOf(world)[0]).toMatchObject({ incarnation: 3 });
    await rejectionOf(world.call('d', crash));
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('answers with NoProcessError while the siblings are being stopped', async () => {
    const { world } = await group('one_for_all', { a: { terminate: () => settle() } });
    await rejectionOf(world.call('c', crash));
    expect(await rejectionOf(world.call('c', crash))).toBeInstanceOf(NoProcessError);
    await settle();
    await settle();
    expect(world.whereis('c')).toBeDefined();
  });

  it('stops and starts everything again when one of the group does not start [S13]', async () => {
    const { world, failures } = await group('one_for_all', {}, { maxRestarts: 3 });
    failures.set('c', 1);
    await rejectionOf(world.call('e', crash));
    await settle();
    expect(world.journal).toEqual([
      'e terminate Error: boom',
      'd terminate shutdown',
      'c terminate shutdown',
      'b terminate shutdown',
      'a terminate shutdown',
      'a init',
      'b init',
      'c init', // fails
      'b terminate shutdown',
      'a terminate shutdown',
      'a init',
      'b init',
      'c init',
      'd init',
      'e init',
    ]);
    expect(world.whereis('c')).toMatchObject({ incarnation: 2 });
    expect(world.whereis('e')).toMatchObject({ incarnation: 1 });
  });

  it('gives up when the attempts at a group use the budget up [S13]', async () => {
    const { world, failures } = await group('one_for_all', {}, { maxRestarts: 2 });
    failures.set('b', Infinity);
    await rejectionOf(world.call('e', crash));
    await settle();
    expect(world.journal.filter((line) => line === 'b init')).toHaveLength(2);
    expect(world.journal.at(-1)).toBe('a terminate shutdown');
    expect(world.runtime.processCount).toBe(0);
    expect(world.names()).toEqual([]);
  });

  it('shows what is up and what is not between two attempts [S13]', async () => {
    const { world, failures, statuses } = await group('one_for_all', {}, { maxRestarts: 100 });
    failures.set('c', 1);
    await rejectionOf(world.call('e', crash));
    expect(await statuses()).toEqual(['a running', 'b running', 'c restarting', 'd stopped', 'e stopped']);
    await settle();
    expect(await statuses()).toEqual(['a running', 'b running', 'c running', 'd running', 'e running']);
  });

  it('makes one incident of a crash and the retry that it overtakes [S13]', async () => {
    const { world, failures, statuses } = await group('one_for_all', {}, { maxRestarts: 100 });
    failures.set('c', 2);
    await rejectionOf(world.call('e', crash));
    expect(await statuses()).toContain('c restarting');
    world.takeJournal();
    // `a` is up again while `c` waits for its next attempt.
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.journal.filter((line) => line === 'c init')).toHaveLength(2);
    expect(world.whereis('c')).toBeDefined();
  });
});

describe('rest_for_one', () => {
  it('takes those along that were started later, and no others [S9]', async () => {
    const { world } = await group('rest_for_one');
    const before = pidsOf(world);
    await rejectionOf(world.call('c', crash));
    await settle();
    expect(world.journal).toEqual([
      'c terminate Error: boom',
      'e terminate shutdown',
      'd terminate shutdown',
      'c init',
      'd init',
      'e init',
    ]);
    const after = pidsOf(world);
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    after.slice(2).forEach((pid) => expect(pid).toMatchObject({ incarnation: 1 }));
  });

  it('restarts the last child alone [S9]', async () => {
    const { world } = await group('rest_for_one');
    await rejectionOf(world.call('e', crash));
    await settle();
    expect(world.journal).toEqual(['e terminate Error: boom', 'e init']);
  });

  it('goes on from the child that did not start, leaving those before it alone [S13]', async () => {
    const { world, failures, statuses } = await group('rest_for_one', {}, { maxRestarts: 3 });
    failures.set('d', 2);
    await rejectionOf(world.call('b', crash));
    expect(await statuses()).toEqual(['a running', 'b running', 'c running', 'd restarting', 'e stopped']);
    await settle();
    expect(world.journal).toEqual([
      'b terminate Error: boom',
      'e terminate shutdown',
      'd terminate shutdown',
      'c terminate shutdown',
      'b init',
      'c init',
      'd init', // fails
      'd init', // fails
      'd init',
      'e init',
    ]);
    expect(world.runtime.processCount).toBe(6);
  });

  it('starts over from an earlier child that crashes while a later one is being retried [S13]', async () => {
    const { world, failures, statuses } = await group('rest_for_one', {}, { maxRestarts: 100 });
    failures.set('d', 1);
    await rejectionOf(world.call('c', crash));
    expect(await statuses()).toContain('d restarting');
    world.takeJournal();
    await rejectionOf(world.call('b', crash));
    await settle();
    expect(world.journal).toEqual([
      'b terminate Error: boom',
      'c terminate shutdown',
      'b init',
      'c init',
      'd init',
      'e init',
    ]);
  });
});

describe.each<{ strategy: Strategy; failing: string }>([
  { strategy: 'one_for_all', failing: 'c' },
  { strategy: 'rest_for_one', failing: 'a' },
])('a group restart by $strategy', ({ strategy, failing }) => {
  it('forgets temporary siblings [S10]', async () => {
    const { world, statuses } = await group(strategy, { d: { restart: 'temporary' } });
    await rejectionOf(world.call(failing, crash));
    await settle();
    expect(world.journal).toContain('d terminate shutdown');
    expect(await statuses()).toEqual(['a running', 'b running', 'c running', 'e running']);
  });

  it('starts transient siblings again that had finished [S10]', async () => {
    const { world, statuses } = await group(strategy, { d: { restart: 'transient' } });
    await rejectionOf(world.call('d', end('normal')));
    await settle();
    expect(await statuses()).toContain('d stopped');
    await rejectionOf(world.call(failing, crash));
    await settle();
    expect(await statuses()).toContain('d running');
  });

  it('starts children again that were stopped by hand [S10]', async () => {
    const { world, statuses } = await group(strategy);
    await world.terminateChild('d');
    await rejectionOf(world.call(failing, crash));
    await settle();
    expect(await statuses()).toContain('d running');
  });

  it('tries children again that had ignored their start [S14]', async () => {
    let starts = 0;
    const { world, statuses } = await group(strategy, { d: { init: () => (starts++ < 1 ? ignore() : ok(null)) } });
    expect(await statuses()).toContain('d stopped');
    await rejectionOf(world.call(failing, crash));
    await settle();
    expect(await statuses()).toContain('d running');
  });

  it('goes on past a child that ignores its restart [S14]', async () => {
    let starts = 0;
    const { world, statuses } = await group(strategy, { d: { init: () => (starts++ < 1 ? ok(null) : ignore()) } });
    await rejectionOf(world.call(failing, crash));
    await settle();
    expect(await statuses()).toEqual(['a running', 'b running', 'c running', 'd stopped', 'e running']);
  });

  it('is one incident when siblings die together [S15]', async () => {
    const { world } = await group(strategy, {}, { maxRestarts: 1 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) world.exit(id, 'kill');
    await settle();
    expect(pidsOf(world).map((pid) => pid?.incarnation)).toEqual([1, 1, 1, 1, 1]);
    expect(world.eventsOf('supervisor.restarts_exceeded')).toEqual([]);
    // Who was dead already needed no stopping.
    expect(world.eventsOf('supervisor.child_stopped')).toEqual([]);
  });

  it('absorbs a sibling that crashes while it is being stopped [S15]', async () => {
    const { world } = await group(
      strategy,
      {
        d: {
          terminate: () => {
            throw new Boom('last words');
          },
        },
      },
      { maxRestarts: 1 },
    );
    await rejectionOf(world.call(failing, crash));
    await settle();
    expect(pidsOf(world).map((pid) => pid?.incarnation)).toEqual([1, 1, 1, 1, 1]);
    expect(world.eventsOf('supervisor.child_stopped').filter(({ isUnexpected }) => isUnexpected)).toMatchObject([
      { childId: "'d'", reason: new Boom('last words') },
    ]);
  });

  it('takes a sibling that crashes right after its restart for a new incident [S15]', async () => {
    let starts = 0;
    const { world } = await group(
      strategy,
      {
        b: {
          init: (self) => {
            if (starts++ === 1) self.send(self.pid, 'crash');
            return ok(null);
          },
        },
      },
      { maxRestarts: 2 },
    );
    // A worker has no handler for infos, so the message is only reported; a cast is what crashes.
    world.events.on('gen_server.unexpected_message', ({ pid }) => world.cast(pid, crash));
    await rejectionOf(world.call(failing, crash));
    await settle();
    expect(world.whereis('b')).toMatchObject({ incarnation: 2 });
    expect(world.eventsOf('supervisor.restarts_exceeded')).toEqual([]);
  });

  it('kills a sibling that hangs in terminate when its time is up, then goes on', async () => {
    const { world, statuses } = await group(strategy, {
      d: { terminate: () => new Promise(() => undefined), shutdownMs: 50 },
    });
    await rejectionOf(world.call(failing, crash));
    await settle();
    expect(world.journal).not.toContain('a init');
    await world.clock.advance(50);
    expect(await statuses()).toEqual(['a running', 'b running', 'c running', 'd running', 'e running']);
  });
});

describe('one_for_one', () => {
  it('makes one incident of each child when several die together [S15]', async () => {
    const { world } = await group('one_for_one', {}, { maxRestarts: 5 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) world.exit(id, 'kill');
    await settle();
    expect(pidsOf(world).map((pid) => pid?.incarnation)).toEqual([1, 1, 1, 1, 1]);
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('gives up when more die together than the budget allows [S15]', async () => {
    const { world } = await group('one_for_one', {}, { maxRestarts: 4 });
    for (const id of ['a', 'b', 'c', 'd', 'e']) world.exit(id, 'kill');
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('retries two children independently of each other [S13]', async () => {
    const { world, failures, statuses } = await group('one_for_one', {}, { maxRestarts: 100 });
    failures.set('a', 3).set('b', 5);
    await Promise.all([rejectionOf(world.call('a', crash)), rejectionOf(world.call('b', crash))]);
    await settle();
    await settle();
    expect(await statuses()).toEqual(['a running', 'b running', 'c running', 'd running', 'e running']);
    expect(world.whereis('a')).toMatchObject({ incarnation: 4 });
    expect(world.whereis('b')).toMatchObject({ incarnation: 6 });
  });

  it('restarts both of two children that are linked to each other [S15]', async () => {
    const { world } = await group('one_for_one');
    await world.call('a', (self) => (self.link(world.whereis('b')!), reply(null)));
    world.cast('a', () => (world.exit('b', 'kill'), noReply()));
    await settle();
    expect(pidsOf(world).map((pid) => pid?.incarnation)).toEqual([1, 1, 0, 0, 0]);
  });
});
