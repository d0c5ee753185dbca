import { describe, expect, it } from 'vitest';
import { ok, stop } from '../../lib/gen-server/results/callback-result.js';
import { watch } from '../../lib/runtime/relations/monitors.js';
import { processOf } from '../../lib/runtime/process.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, treeWorld, type TreeWorld } from '../support/tree.js';

const crashAndSettle = async (world: TreeWorld, name: string) => {
  await rejectionOf(world.call(name, crash));
  await settle();
};
const exits = (world: TreeWorld) =>
  world.eventsOf('process.exited').map(({ pid, label, reason }) => `${label}.${pid.incarnation} ${String(reason)}`);

describe('a supervisor that gives up', () => {
  it('exits with shutdown, and its own supervisor starts it again [S16]', async () => {
    const world = treeWorld();
    const { supervisor, worker } = world;
    await world.supervise([worker('x'), supervisor('mid', [worker('a'), worker('b')], { maxRestarts: 1 })]);
    const [mid, x] = [world.whereis('mid')!, world.whereis('x')];
    await crashAndSettle(world, 'a');
    await crashAndSettle(world, 'a');
    expect(exits(world)).toEqual(['a.0 Error: boom', 'a.1 Error: boom', 'b.0 shutdown', 'mid.0 shutdown']);
    expect(world.whereis('mid')).toMatchObject({ id: mid.id, incarnation: 1 });
    expect(world.whereis('a')).toBeDefined();
    expect(world.whereis('x')).toBe(x);
    expect(world.eventsOf('supervisor.child_exited').at(-1)).toMatchObject({ childId: "'mid'", reason: 'shutdown' });
  });

  it('starts afresh with a new budget [S16]', async () => {
    const world = treeWorld();
    await world.supervise([world.supervisor('mid', [world.worker('a')], { maxRestarts: 1 })]);
    for (let i = 0; i < 3; i++) await crashAndSettle(world, 'a');
    expect(world.whereis('mid')).toMatchObject({ incarnation: 1 });
  });

  it('loses the children that were added later [S16]', async () => {
    const world = treeWorld();
    await world.supervise([world.supervisor('mid', [world.worker('a')], { maxRestarts: 0 })]);
    await world.startChild(world.worker('late'), 'mid');
    expect(world.names()).toContain('late');
    await crashAndSettle(world, 'a');
    expect(world.names()).toEqual(['root', 'mid', 'a']);
    expect(await world.whichChildren('mid')).toMatchObject([{ id: 'a' }]);
  });

  it('has its children back that were stopped by hand [S16]', async () => {
    const world = treeWorld();
    await world.supervise([world.supervisor('mid', [world.worker('a'), world.worker('b')], { maxRestarts: 0 })]);
    await world.terminateChild('b', 'mid');
    await world.deleteChild('b', 'mid');
    await crashAndSettle(world, 'a');
    expect(await world.whichChildren('mid')).toMatchObject([{ id: 'a' }, { id: 'b', status: 'running' }]);
  });

  it('stays down when it is transient: shutdown is a clean end [S16]', async () => {
    const world = treeWorld();
    const mid = { ...world.supervisor('mid', [world.worker('a')], { maxRestarts: 0 }), restart: 'transient' as const };
    await world.supervise([mid, world.worker('x')]);
    await crashAndSettle(world, 'a');
    expect(await world.whichChildren()).toMatchObject([
      { id: 'mid', status: 'stopped', type: 'supervisor' },
      { id: 'x', status: 'running' },
    ]);
  });

  it('takes the siblings along that its own supervisor wants [S16]', async () => {
    const world = treeWorld();
    const { supervisor, worker } = world;
    const mid = supervisor('mid', [worker('a')], { maxRestarts: 0 });
    await world.supervise([worker('x'), mid, worker('y')], { strategy: 'rest_for_one' });
    world.takeJournal();
    await crashAndSettle(world, 'a');
    expect(world.journal).toEqual(['a terminate Error: boom', 'y terminate shutdown', 'a init', 'y init']);
  });

  it('passes the failure on through two levels until the root gives up [S12] [S16]', async () => {
    const world = treeWorld();
    const { supervisor, worker } = world;
    const low = supervisor('low', [worker('a')], { maxRestarts: 1 });
    const mid = supervisor('mid', [worker('b'), low], { maxRestarts: 1 });
    await world.supervise([worker('c'), mid], { maxRestarts: 1 });
    // Each level bears one restart of the level below: 2 * 2 * 2 crashes are one too many.
    for (let i = 0; i < 7; i++) await crashAndSettle(world, 'a');
    expect(world.runtime.processCount).toBe(6);
    await crashAndSettle(world, 'a');
    const last = world.eventsOf('process.exited').slice(-6);
    expect(last.map(({ label, reason }) => [label, reason])).toEqual([
      ['a', new Boom('boom')],
      ['low', 'shutdown'],
      ['b', 'shutdown'],
      ['mid', 'shutdown'],
      ['c', 'shutdown'],
      ['root', 'shutdown'],
    ]);
    expect(world.runtime.processCount).toBe(0);
    expect(world.names()).toEqual([]);
    expect(world.eventsOf('supervisor.restarts_exceeded').map(({ supervisor: who }) => who)).toEqual([
      'low',
      'low',
      'mid',
      'low',
      'low',
      'mid',
      'root',
    ]);
  });

  it('is retried when it does not come up again, and the reason says what did not [S16]', async () => {
    const world = treeWorld();
    let isBroken = false;
    const a = world.worker('a', { init: () => (isBroken ? stop('no database') : ok(null)) });
    await world.supervise([world.worker('x'), world.supervisor('mid', [a], { maxRestarts: 0 })], { maxRestarts: 2 });
    isBroken = true;
    await crashAndSettle(world, 'a');
    expect(world.eventsOf('supervisor.child_start_failed').filter(({ supervisor }) => supervisor === 'root')).toEqual(
      [1, 2].map(() => ({
        type: 'supervisor.child_start_failed',
        supervisor: 'root',
        childId: "'mid'",
        isRestart: true,
        reason: { shutdown: { failedToStartChild: { id: 'a', reason: 'no database' } } },
      })),
    );
    expect(exits(world).at(-1)).toBe('root.0 shutdown');
    expect(world.runtime.processCount).toBe(0);
  });

  it('leaves a monitor with the reason shutdown [S16]', async () => {
    const world = treeWorld();
    const root = await world.supervise([world.worker('a')], { maxRestarts: 0 });
    const reasons: unknown[] = [];
    watch(processOf(root)!, (reason) => reasons.push(reason));
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(reasons).toEqual(['shutdown']);
  });
});
