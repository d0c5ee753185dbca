import { describe, expect, it } from 'vitest';
import { ok, stop } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { crash, type TreeWorld } from '../support/tree.js';
import { expectNothingLeft, tidyWorld } from './tidy-world.js';

expectNothingLeft();

const backoff = { minMs: 100, maxMs: 1_000 };
const BEARS_ALL = { restartBackoff: backoff, maxRestarts: Infinity };
const statuses = async (world: TreeWorld) =>
  (await world.whichChildren()).map(({ id, status }) => `${String(id)} ${status}`);

async function crashAndSettle(world: TreeWorld, name = 'a'): Promise<void> {
  await rejectionOf(world.call(name, crash));
  await settle();
}

/** How long it takes until `name` is there, to the millisecond. */
async function waitFor(world: TreeWorld, name = 'a'): Promise<number> {
  for (let waited = 0; waited <= 2_000; waited += 50) {
    if (world.whereis(name) !== undefined) return waited;
    await world.clock.advance(49);
    if (world.whereis(name) !== undefined) return waited + 49;
    await world.clock.advance(1);
  }
  throw new Error(`${name} did not come back`);
}

describe('restartBackoff', () => {
  it('waits minMs before the first restart, and not a millisecond less', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], BEARS_ALL);
    await crashAndSettle(world);
    await world.clock.advance(99);
    expect(world.whereis('a')).toBeUndefined();
    await world.clock.advance(1);
    expect(world.whereis('a')).toMatchObject({ incarnation: 1 });
  });

  it('doubles the wait for each restart in a row, up to maxMs', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], BEARS_ALL);
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      await crashAndSettle(world);
      waits.push(await waitFor(world));
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  it('starts over once the child has run for longer than maxMs', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], BEARS_ALL);
    const waitAfter = async (ms: number) => {
      await world.clock.advance(ms);
      await crashAndSettle(world);
      return waitFor(world);
    };
    expect(await waitAfter(5_000)).toBe(100);
    expect(await waitAfter(1_000)).toBe(200);
    expect(await waitAfter(1_001)).toBe(100);
    expect(await waitAfter(0)).toBe(200);
  });

  it('goes on doubling while the start fails, however long each attempt takes', async () => {
    const world = tidyWorld();
    const startedAt: number[] = [];
    const init = async () => {
      startedAt.push(world.clock.now());
      if (startedAt.length === 1 || startedAt.length === 5) return ok(null);
      await new Promise((resolve) => world.clock.setTimer(5_000, () => resolve(null)));
      return stop('not yet');
    };
    await world.supervise([world.worker('a', { init })], BEARS_ALL);
    const begin = world.clock.now();
    await crashAndSettle(world);
    await world.clock.advance(100 + 5_000 + 200 + 5_000 + 400 + 5_000 + 800);
    expect(startedAt.slice(1).map((at) => at - begin)).toEqual([100, 5_300, 10_700, 16_500]);
    expect(world.whereis('a')).toMatchObject({ incarnation: 4 });
  });

  it('counts for each child on its own', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a'), world.worker('b')], BEARS_ALL);
    for (let i = 0; i < 3; i++) {
      await crashAndSettle(world, 'a');
      await waitFor(world, 'a');
    }
    await crashAndSettle(world, 'b');
    expect(await waitFor(world, 'b')).toBe(100);
  });

  it('leaves the name free meanwhile, and the child shows as restarting', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a'), world.worker('b')], BEARS_ALL);
    await crashAndSettle(world);
    expect(await rejectionOf(world.call('a', crash))).toBeInstanceOf(NoProcessError);
    expect(await statuses(world)).toEqual(['a restarting', 'b running']);
    expect(await world.countChildren()).toMatchObject({ specs: 2, active: 1 });
  });

  it('counts an incident when it happens, so that the budget is as small as without', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], { restartBackoff: { minMs: 10, maxMs: 10 }, maxRestarts: 2 });
    for (let i = 0; i < 2; i++) {
      await crashAndSettle(world);
      await world.clock.advance(10);
    }
    expect(world.whereis('a')).toMatchObject({ incarnation: 2 });
    await crashAndSettle(world);
    expect(world.runtime.processCount).toBe(0);
    expect(world.eventsOf('supervisor.restarts_exceeded')).toHaveLength(1);
  });

  it('counts each attempt whose start fails', async () => {
    const world = tidyWorld();
    let starts = 0;
    await world.supervise([world.worker('a', { init: () => (starts++ === 0 ? ok(null) : stop('no')) })], {
      restartBackoff: { minMs: 10, maxMs: 10 },
      maxRestarts: 3,
    });
    await crashAndSettle(world);
    await world.clock.advance(1_000);
    expect(starts).toBe(4);
    expect(world.runtime.processCount).toBe(0);
  });

  it('ends with the supervisor when that is stopped during the wait', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a'), world.worker('b')], BEARS_ALL);
    await crashAndSettle(world);
    await world.stop('root', 'shutdown');
    expect(world.runtime.processCount).toBe(0);
    expect(world.runtime.deadlines.isEmpty).toBe(true);
    await world.clock.advance(1_000);
    expect(world.takeJournal().filter((line) => line === 'a init')).toHaveLength(1);
  });

  it('ends with the supervisor when that is killed during the wait', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], BEARS_ALL);
    await crashAndSettle(world);
    world.exit('root', 'kill');
    await world.clock.advance(1_000);
    expect(world.runtime.processCount).toBe(0);
  });

  it('is called off by terminateChild [S18]', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], BEARS_ALL);
    await crashAndSettle(world);
    await world.terminateChild('a');
    expect(await statuses(world)).toEqual(['a stopped']);
    expect(world.runtime.deadlines.isEmpty).toBe(true);
    await world.clock.advance(1_000);
    expect(await statuses(world)).toEqual(['a stopped']);
  });

  it.each(['restartChild', 'deleteChild'] as const)('refuses %s during the wait [S18]', async (request) => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], BEARS_ALL);
    await crashAndSettle(world);
    expect(await rejectionOf(world[request]('a'))).toMatchObject({ code: 'CHILD_STATE', problem: 'restarting' });
    await world.clock.advance(100);
    expect(world.whereis('a')).toMatchObject({ incarnation: 1 });
  });

  it('begins a new row when the child is started by hand after it was terminated [S18]', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], BEARS_ALL);
    await crashAndSettle(world);
    await waitFor(world);
    await crashAndSettle(world);
    await world.clock.advance(50);
    await world.terminateChild('a');
    await world.restartChild('a');
    await crashAndSettle(world);
    expect(await waitFor(world)).toBe(100);
    // The attempt that was called off stays called off.
    await world.clock.advance(1_000);
    expect(world.whereis('a')).toMatchObject({ incarnation: 3 });
  });

  it.each([
    ['one_for_all', ['c terminate shutdown', 'a terminate shutdown'], ['a init', 'b init', 'c init']],
    ['rest_for_one', ['c terminate shutdown'], ['b init', 'c init']],
  ] as const)('of %s stops the group at once and starts it after the wait [S9]', async (strategy, stopped, started) => {
    const world = tidyWorld();
    await world.supervise(
      ['a', 'b', 'c'].map((id) => world.worker(id)),
      { ...BEARS_ALL, strategy },
    );
    world.takeJournal();
    await crashAndSettle(world, 'b');
    expect(world.takeJournal()).toEqual(['b terminate Error: boom', ...stopped]);
    await world.clock.advance(99);
    expect(world.takeJournal()).toEqual([]);
    await world.clock.advance(1);
    expect(world.takeJournal()).toEqual(started);
    expect(await statuses(world)).toEqual(['a running', 'b running', 'c running']);
  });

  it('of a group forgets temporary siblings, and counts one incident [S10] [S12]', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('t', { restart: 'temporary' }), world.worker('a'), world.worker('b')], {
      restartBackoff: backoff,
      maxRestarts: 1,
      strategy: 'one_for_all',
    });
    await crashAndSettle(world);
    expect(await statuses(world)).toEqual(['a restarting', 'b stopped']);
    await world.clock.advance(100);
    expect(await statuses(world)).toEqual(['a running', 'b running']);
  });

  it('of a group is not prolonged by siblings that take their time to stop', async () => {
    const world = tidyWorld();
    const terminate = () => new Promise((resolve) => world.clock.setTimer(80, () => resolve(null)));
    await world.supervise([world.worker('a'), world.worker('slow', { terminate })], {
      ...BEARS_ALL,
      strategy: 'one_for_all',
    });
    await crashAndSettle(world);
    await world.clock.advance(99);
    expect(world.names()).toEqual(['root']);
    await world.clock.advance(1);
    expect(world.names()).toEqual(['root', 'a', 'slow']);
  });

  it('of a group is taken over by an earlier child that fails during the wait [S9]', async () => {
    const world = tidyWorld();
    await world.supervise(
      ['a', 'b', 'c'].map((id) => world.worker(id)),
      { ...BEARS_ALL, strategy: 'rest_for_one' },
    );
    await crashAndSettle(world, 'b');
    await world.clock.advance(50);
    await crashAndSettle(world, 'a');
    world.takeJournal();
    await world.clock.advance(99);
    expect(world.takeJournal()).toEqual([]);
    await world.clock.advance(1);
    expect(world.takeJournal()).toEqual(['a init', 'b init', 'c init']);
    await world.clock.advance(1_000);
    expect(world.takeJournal()).toEqual([]);
  });

  it('does not hold up the first start, nor what is started by hand', async () => {
    const world = tidyWorld();
    await world.supervise([world.worker('a')], BEARS_ALL);
    await world.startChild(world.worker('b'));
    await world.terminateChild('a');
    await world.restartChild('a');
    expect(world.names()).toEqual(['root', 'b', 'a']);
  });
});
