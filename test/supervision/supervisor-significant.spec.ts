import { describe, expect, it } from 'vitest';
import { ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import type { AutoShutdown } from '../../lib/supervision/supervisor-options.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { crash, end, type TreeWorld } from '../support/tree.js';
import { expectNothingLeft, tidyWorld } from './tidy-world.js';

expectNothingLeft();

const exitsOf = (world: TreeWorld, label: string) =>
  world
    .eventsOf('process.exited')
    .filter((event) => event.label === label)
    .map(({ reason }) => reason);

/** A supervisor of the significant `a` and `b`, with `x` before them. */
async function withSignificant(autoShutdown: AutoShutdown, restart: 'transient' | 'temporary'): Promise<TreeWorld> {
  const world = tidyWorld();
  const significant = { significant: true, restart } as const;
  await world.supervise([world.worker('x'), world.worker('a', significant), world.worker('b', significant)], {
    autoShutdown,
  });
  world.takeJournal();
  return world;
}

describe('autoShutdown', () => {
  // What the end of a child of its own accord means, for the child and for its supervisor.
  describe.each([
    { restart: 'transient', how: 'normal', any: 'shuts down', all: 'waits for the other' },
    { restart: 'transient', how: 'shutdown', any: 'shuts down', all: 'waits for the other' },
    { restart: 'transient', how: { shutdown: 'done' }, any: 'shuts down', all: 'waits for the other' },
    { restart: 'transient', how: 'odd', any: 'restarts it', all: 'restarts it' },
    { restart: 'transient', how: crash, any: 'restarts it', all: 'restarts it' },
    { restart: 'temporary', how: 'normal', any: 'shuts down', all: 'waits for the other' },
    { restart: 'temporary', how: 'odd', any: 'shuts down', all: 'waits for the other' },
    { restart: 'temporary', how: crash, any: 'shuts down', all: 'waits for the other' },
  ] as const)('when a significant $restart child ends with $how', ({ restart, how, any, all }) => {
    const job = typeof how === 'function' ? how : end(how);

    it.each([
      ['any_significant', any],
      ['all_significant', all],
    ] as const)('%s: the supervisor %s [S20]', async (autoShutdown, expected) => {
      const world = await withSignificant(autoShutdown, restart);
      await rejectionOf(world.call('a', job));
      await settle();
      const names = {
        'shuts down': [],
        'restarts it': ['a', 'b', 'root', 'x'],
        'waits for the other': ['b', 'root', 'x'],
      };
      expect(world.names().sort()).toEqual(names[expected]);
      expect(exitsOf(world, 'root')).toEqual(expected === 'shuts down' ? ['shutdown'] : []);
    });

    it('all_significant: the end of the last one, and only that, ends the supervisor [S20]', async () => {
      const world = await withSignificant('all_significant', restart);
      await rejectionOf(world.call('a', job));
      await rejectionOf(world.call('b', job));
      await settle();
      expect(world.names()).toHaveLength(all === 'restarts it' ? 4 : 0);
    });
  });

  it('stops the others in reverse, and the supervisor exits with shutdown [S20]', async () => {
    const world = await withSignificant('any_significant', 'transient');
    await rejectionOf(world.call('a', end('normal')));
    await settle();
    expect(world.takeJournal()).toEqual(['a terminate normal', 'b terminate shutdown', 'x terminate shutdown']);
    expect(world.eventsOf('supervisor.stopped')).toMatchObject([{ supervisor: 'root', reason: 'shutdown' }]);
    expect(world.eventsOf('supervisor.restarts_exceeded')).toEqual([]);
  });

  it.each(['any_significant', 'all_significant'] as const)(
    '%s: the end of a child that is not significant means nothing [S20]',
    async (autoShutdown) => {
      const world = tidyWorld();
      await world.supervise(
        [world.worker('a', { significant: true, restart: 'transient' }), world.worker('x', { restart: 'temporary' })],
        { autoShutdown },
      );
      await rejectionOf(world.call('x', end('normal')));
      await settle();
      expect(world.names()).toEqual(['root', 'a']);
    },
  );

  it.each(['any_significant', 'all_significant'] as const)(
    '%s: a child that is terminated by hand does not end the supervisor [S20]',
    async (autoShutdown) => {
      for (const restart of ['transient', 'temporary'] as const) {
        const world = await withSignificant(autoShutdown, restart);
        await world.terminateChild('a');
        await world.terminateChild('b');
        await settle();
        expect(world.names()).toEqual(['root', 'x']);
      }
    },
  );

  it('counts one that was terminated by hand among those that are gone [S20]', async () => {
    const world = await withSignificant('all_significant', 'transient');
    await world.terminateChild('a');
    await rejectionOf(world.call('b', end('normal')));
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('does not take a child that is being restarted for gone [S20]', async () => {
    const world = tidyWorld();
    let isBroken = false;
    const significant = { significant: true, restart: 'transient' } as const;
    await world.supervise(
      [
        world.worker('a', { ...significant, init: () => (isBroken ? stop('not yet') : ok(null)) }),
        world.worker('b', significant),
      ],
      { autoShutdown: 'all_significant', maxRestarts: 1_000_000 },
    );
    isBroken = true;
    await rejectionOf(world.call('a', crash));
    expect((await world.whichChildren())[0]).toMatchObject({ id: 'a', status: 'restarting' });
    await rejectionOf(world.call('b', end('normal')));
    expect(world.whereis('root')).toBeDefined();
    isBroken = false;
    await settle();
    expect(world.names()).toEqual(['root', 'a']);
    await rejectionOf(world.call('a', end('normal')));
    expect(world.runtime.processCount).toBe(0);
  });

  it('does not take a child that waits for its back-off for gone [S20]', async () => {
    const world = tidyWorld();
    const significant = { significant: true, restart: 'transient' } as const;
    await world.supervise([world.worker('a', significant), world.worker('b', significant)], {
      autoShutdown: 'all_significant',
      restartBackoff: { minMs: 100, maxMs: 1_000 },
    });
    await rejectionOf(world.call('a', crash));
    await rejectionOf(world.call('b', end('normal')));
    await world.clock.advance(100);
    expect(world.names()).toEqual(['root', 'a']);
  });

  it('ignores significant siblings that a group restart stops [S20]', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a', { significant: true, restart: 'temporary' }), world.worker('x')], {
      autoShutdown: 'any_significant',
      strategy: 'one_for_all',
    });
    await rejectionOf(world.call('x', crash));
    await settle();
    expect(world.names()).toEqual(['root', 'x']);
  });

  it('is decided by a child that was added later as well [S20]', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('x')], { autoShutdown: 'any_significant' });
    await world.startChild(world.worker('a', { significant: true, restart: 'temporary' }));
    await rejectionOf(world.call('a', end('normal')));
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('of a supervisor refuses a significant child that makes no sense there, and lives on [S20]', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('x')]);
    const spec = world.worker('a', { significant: true, restart: 'transient' });
    expect(await rejectionOf(world.startChild(spec))).toMatchObject({ mistake: 'bad_combination' });
    expect(await rejectionOf(world.supervise([spec], { name: 'other' }))).toMatchObject({ mistake: 'bad_combination' });
    expect(world.names()).toEqual(['root', 'x']);
  });

  it.each([
    ['permanent', 1],
    ['transient', 0],
    ['temporary', 0],
  ] as const)(
    'is a clean end to the supervisor above: a %s one is started again %i time(s) [S20] [S16]',
    async (restart, times) => {
      const world = tidyWorld();
      const a = world.worker('a', { significant: true, restart: 'transient' });
      const mid = { ...world.supervisor('mid', [a], { autoShutdown: 'any_significant' }), restart };
      await world.supervise([mid, world.worker('x')], { maxRestarts: 1 });
      await rejectionOf(world.call('a', end('normal')));
      await settle();
      expect(exitsOf(world, 'mid')).toEqual(['shutdown']);
      expect(world.whereis('mid')?.incarnation).toBe(times === 1 ? 1 : undefined);
      expect(world.whereis('x')).toBeDefined();
    },
  );

  it('goes up the tree when the supervisor is significant itself [S20]', async () => {
    const world = tidyWorld();
    const significant = { significant: true, restart: 'transient' } as const;
    const mid = world.supervisor('mid', [world.worker('a', significant)], { autoShutdown: 'all_significant' });
    await world.supervise([world.worker('x'), { ...mid, ...significant }], { autoShutdown: 'any_significant' });
    await rejectionOf(world.call('a', end('normal')));
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('does not keep a supervisor from giving up [S20] [S12]', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a', { significant: true, restart: 'transient' })], {
      autoShutdown: 'all_significant',
      maxRestarts: 0,
    });
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.eventsOf('supervisor.restarts_exceeded')).toHaveLength(1);
    expect(world.runtime.processCount).toBe(0);
  });
});

describe('an exit signal that a child sends to its supervisor', () => {
  it('does not pass for the end of the child [S21]', async () => {
    const world = tidyWorld();
    const root = await world.supervise([world.worker('a')], { maxRestarts: 0 });
    const a = world.whereis('a');
    await world.call('a', (self) => (self.exit(root, 'odd'), reply(null)));
    await settle();
    expect(world.whereis('a')).toBe(a);
    expect(await world.countChildren()).toMatchObject({ active: 1 });
    expect(world.eventsOf('supervisor.child_exited')).toEqual([]);
  });
});
