import { describe, expect, it } from 'vitest';
import { ignore, noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { callServer, getServer } from '../../lib/gen-server/client/client.js';
import { NoProcessError, ServerExitedError } from '../../lib/gen-server/errors.js';
import { AlreadyStartedError } from '../../lib/runtime/errors.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { nextLoopTurn } from '../../lib/testing/event-loop.js';
import { CallbackClock, settleMicrotasks } from '../support/callback-clock.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, crashLater, end, type Job, treeWorld, type TreeWorld } from '../support/tree.js';

const whoAmI: Job = (self) => reply(self.pid);

/** Calls by name right after the rejection of a crashed call, as a caller that tries once more does. */
async function crashAndCallAgain(world: TreeWorld, job: Job): Promise<Pid> {
  try {
    await world.call('a', job);
  } catch (error) {
    expect(error).toBeInstanceOf(ServerExitedError);
    return (await world.call('a', whoAmI)) as Pid;
  }
  throw new Error('it did not crash');
}

/** Time runs so fast that the slice of a turn is used up whenever the scheduler looks. */
class RacingClock extends ManualClock {
  private readings = 0;

  override now(): number {
    return super.now() + 3 * this.readings++;
  }
}

describe('a child that ends', () => {
  it('is restarted alone, in its place, by one_for_one [S8]', async () => {
    const world = treeWorld();
    const { worker } = world;
    await world.supervise([worker('a'), worker('b'), worker('c')]);
    const [a, c] = [world.whereis('a'), world.whereis('c')];
    world.takeJournal();
    await rejectionOf(world.call('b', crash));
    await settle();
    expect(world.journal).toEqual(['b terminate Error: boom', 'b init']);
    expect(world.whereis('a')).toBe(a);
    expect(world.whereis('c')).toBe(c);
    expect((await world.whichChildren()).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('comes back under the same id as the next incarnation, with its name [S8]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const first = world.whereis('a')!;
    for (const incarnation of [1, 2, 3]) {
      await rejectionOf(world.call('a', crash));
      await settle();
      expect(world.whereis('a')).toMatchObject({ id: first.id, incarnation });
    }
    // The old pid is nobody any more.
    expect(await rejectionOf(world.call(first, whoAmI))).toBeInstanceOf(NoProcessError);
  });

  it.each([
    ['permanent', 'normal', 'restarted', end('normal')],
    ['permanent', 'shutdown', 'restarted', end('shutdown')],
    ['permanent', '{ shutdown }', 'restarted', end({ shutdown: 'idle' })],
    ['permanent', 'a crash', 'restarted', crash],
    ['transient', 'normal', 'stopped', end('normal')],
    ['transient', 'shutdown', 'stopped', end('shutdown')],
    ['transient', '{ shutdown }', 'stopped', end({ shutdown: 'idle' })],
    ['transient', 'odd', 'restarted', end('odd')],
    ['transient', 'a crash', 'restarted', crash],
    ['temporary', 'normal', 'gone', end('normal')],
    ['temporary', 'a crash', 'gone', crash],
  ] as const)('that is %s and ends by %s is %s afterwards [S11]', async (restart, _how, fate, job) => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { restart }), world.worker('b')]);
    const b = world.whereis('b');
    await rejectionOf(world.call('a', job));
    await settle();
    const [child] = (await world.whichChildren()).filter(({ id }) => id === 'a');
    if (fate === 'gone') expect(child).toBeUndefined();
    else if (fate === 'stopped') expect(child).toMatchObject({ pid: undefined, status: 'stopped' });
    else expect(child).toMatchObject({ pid: { incarnation: 1 }, status: 'running' });
    expect(world.whereis('b')).toBe(b);
  });

  it.each([
    ['permanent', 1],
    ['transient', 1],
  ] as const)(
    'when it is %s is restarted after it was killed, which is no clean exit [S11]',
    async (restart, incarnation) => {
      const world = treeWorld();
      await world.supervise([world.worker('a', { restart })]);
      world.exit('a', 'kill');
      await settle();
      expect(world.whereis('a')).toMatchObject({ incarnation });
      expect(world.eventsOf('supervisor.child_exited')).toMatchObject([
        { childId: "'a'", reason: 'killed', isClean: false },
      ]);
    },
  );

  it('is restarted when it dies with a process that it was linked to [S11]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const other = await world.start({ init: () => ok(null) });
    await world.call('a', (self) => (self.link(other), reply(null)));
    world.exit(other, 'odd');
    await settle();
    expect(world.whereis('a')).toMatchObject({ incarnation: 1 });
  });

  it('costs its siblings nothing when it is transient and ends clean, or temporary [S11]', async () => {
    const world = treeWorld();
    const { worker } = world;
    await world.supervise([worker('a', { restart: 'transient' }), worker('b', { restart: 'temporary' }), worker('c')], {
      strategy: 'one_for_all',
    });
    world.takeJournal();
    await rejectionOf(world.call('a', end('normal')));
    await rejectionOf(world.call('b', crash));
    await settle();
    expect(world.journal).toEqual(['a terminate normal', 'b terminate Error: boom']);
    expect(await world.whichChildren()).toMatchObject([
      { id: 'a', status: 'stopped' },
      { id: 'c', status: 'running' },
    ]);
  });

  it('is restarted although its init takes many turns', async () => {
    const world = treeWorld();
    const init = async () => {
      await settle();
      return ok(null);
    };
    await world.supervise([world.worker('a', { init })]);
    await rejectionOf(world.call('a', crash));
    // The name is taken before init is done: what is sent now waits for the new incarnation.
    expect(await world.call('a', whoAmI)).toMatchObject({ incarnation: 1 });
  });

  it('stays without a process when it ignores its restart [S14]', async () => {
    const world = treeWorld();
    let starts = 0;
    await world.supervise([
      world.worker('a', { init: () => (starts++ === 0 ? ok(null) : ignore()) }),
      world.worker('b'),
    ]);
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(starts).toBe(2);
    expect(await world.whichChildren()).toMatchObject([
      { id: 'a', pid: undefined, status: 'stopped' },
      { id: 'b', status: 'running' },
    ]);
    expect(await rejectionOf(world.call('a', whoAmI))).toBeInstanceOf(NoProcessError);
  });

  it('is reported with its reason and its new pid', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const first = world.whereis('a');
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.eventsOf('supervisor.child_exited')).toEqual([
      {
        type: 'supervisor.child_exited',
        supervisor: 'root',
        childId: "'a'",
        pid: first,
        reason: new Boom('boom'),
        isClean: false,
      },
    ]);
    expect(world.eventsOf('supervisor.child_restarted')).toEqual([
      {
        type: 'supervisor.child_restarted',
        supervisor: 'root',
        childId: "'a'",
        pid: world.whereis('a'),
        reason: new Boom('boom'),
      },
    ]);
  });
});

describe('a caller that catches the rejection of a crashed call and calls again at once', () => {
  it.each<[string, Job]>([
    ['throws', crash],
    ['rejects', crashLater],
    ['stops', end('odd')],
    ['stops clean', end('normal')],
    ['kills itself', (self) => (self.exit(self.pid, 'kill'), noReply())],
  ])('reaches the new incarnation of a server whose handler %s', async (_how, job) => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    expect(await crashAndCallAgain(world, job)).toMatchObject({ incarnation: 1 });
  });

  it('reaches it when the call was still queued behind the one that crashed', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const first = rejectionOf(world.call('a', crash));
    expect(await crashAndCallAgain(world, () => reply('never handled'))).toMatchObject({ incarnation: 1 });
    await first;
  });

  it.each([
    ['throws', crash],
    ['rejects', crashLater],
  ])('reaches it while 1 000 other processes are ready, when the handler %s', async (_how, job) => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const others = await Promise.all(
      Array.from({ length: 1_000 }, () => world.start({ init: () => ok(null), handleCast: () => noReply() })),
    );
    for (const other of others) world.cast(other, 'work');
    const again = crashAndCallAgain(world, job);
    for (const other of others) world.cast(other, 'work');
    expect(await again).toMatchObject({ incarnation: 1 });
  });

  it.each([
    ['throws', crash],
    ['rejects', crashLater],
  ])('reaches it wherever in the time slice the handler %s', async (_how, job) => {
    const world = treeWorld({ clock: new RacingClock() });
    await world.supervise([world.worker('a')], { maxRestarts: Infinity });
    const other = await world.start({ init: () => ok(null), handleCast: () => noReply() });
    for (let ahead = 0; ahead < 200; ahead++) {
      for (let i = 0; i < ahead; i++) world.cast(other, 'work');
      const again = crashAndCallAgain(world, job);
      for (let i = 0; i < 200; i++) world.cast(other, 'work');
      expect(await again).toMatchObject({ incarnation: ahead + 1 });
    }
  });

  it('has the name before the time slice of others that is used up is over', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const other = await world.start({ init: () => ok(null), handleCast: () => (world.clock.jump(10), noReply()) });
    const before = world.clock.now();
    for (let i = 0; i < 3; i++) world.cast(other, 'work');
    await settleMicrotasks();
    expect(world.clock.now()).toBe(before + 10);
    world.exit('a', 'kill');
    await settleMicrotasks();
    expect(world.whereis('a')).toMatchObject({ incarnation: 1 });
    expect(world.clock.now()).toBe(before + 10); // the others still wait
  });

  it('reaches it also when others are gathered until the end of a turn, in which several crash', async () => {
    const clock = new CallbackClock();
    const world = treeWorld({ clock });
    const { worker } = world;
    await world.supervise([worker('a'), worker('b'), worker('c')]);
    await settle();
    for (const name of ['c', 'c', 'c']) {
      world.cast(name, () => noReply());
      await clock.endCallback();
    }
    for (const name of ['a', 'b']) {
      world.exit(name, 'kill');
      await clock.endCallback();
      world.cast('c', () => noReply());
      await clock.endCallback();
    }
    expect([world.whereis('a'), world.whereis('b')]).toMatchObject([{ incarnation: 1 }, { incarnation: 1 }]);
  });

  it('reaches it for every one of many callers', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const callers = Array.from({ length: 50 }, () => crashAndCallAgain(world, crash));
    for (const pid of await Promise.all(callers)) expect(pid).toMatchObject({ incarnation: 1 });
  });

  it.each<[string, Job]>([
    ['throws', crash],
    ['rejects', crashLater],
  ])('finds its name taken again in its very first reaction when the handler %s', async (_how, job) => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const server = getServer(world.runtime, 'a');
    const first = server.pid;
    // As injected clients call: nothing lies between the rejection and this reaction.
    const reaction = callServer(server, server.definition.anyCall!.one, job, Infinity).catch(() => world.whereis('a'));
    expect(await reaction).toMatchObject({ id: first.id, incarnation: 1 });
  });

  it('needs no time to pass: nothing polls', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const before = world.clock.now();
    await crashAndCallAgain(world, crash);
    expect(world.clock.now()).toBe(before);
  });
});

describe('a restart whose start fails', () => {
  const flaky = (failures: number) => {
    const world = treeWorld();
    let starts = 0;
    const init = () => {
      starts++;
      if (starts > 1 && starts <= 1 + failures) throw new Boom(`start ${starts}`);
      return ok(null);
    };
    return { world, init, starts: () => starts };
  };

  it('is tried again until it succeeds, and each attempt counts [S13]', async () => {
    const { world, init, starts } = flaky(2);
    await world.supervise([world.worker('a', { init })], { maxRestarts: 3 });
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(starts()).toBe(4);
    expect(world.whereis('a')).toMatchObject({ incarnation: 3 });
    expect(world.eventsOf('supervisor.child_start_failed')).toMatchObject([
      { childId: "'a'", isRestart: true, reason: new Boom('start 2') },
      { childId: "'a'", isRestart: true, reason: new Boom('start 3') },
    ]);
    // However often it took, the reason is that of the end which began it.
    expect(world.eventsOf('supervisor.child_restarted')).toMatchObject([{ reason: new Boom('boom') }]);
    // Three attempts are the whole budget: the next crash is one too many.
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('gives up when the attempts use the budget up [S13]', async () => {
    const { world, init, starts } = flaky(Infinity);
    const root = await world.supervise([world.worker('a', { init }), world.worker('b')], { maxRestarts: 3 });
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(starts()).toBe(4);
    expect(world.journal.at(-1)).toBe('b terminate shutdown');
    expect(world.eventsOf('process.exited').at(-1)).toMatchObject({ pid: root, reason: 'shutdown' });
  });

  it('lets others be served between two attempts [S13]', async () => {
    const { world, init } = flaky(3);
    const { journal } = world;
    await world.supervise([world.worker('a', { init }), world.worker('b')], { maxRestarts: 100 });
    world.takeJournal();
    await rejectionOf(world.call('a', crash));
    // Each of these is sent after the one before was answered.
    for (let i = 0; i < 2; i++) {
      journal.push((await world.whichChildren())[0]!.status);
      await world.call('b', () => (journal.push('b served'), reply(null)));
    }
    await settle();
    expect(world.takeJournal().slice(0, 6)).toEqual([
      'a terminate Error: boom',
      'a init',
      'restarting',
      'b served',
      'restarting',
      'b served',
    ]);
    expect(world.whereis('a')).toBeDefined();
  });

  it('shows the child as restarting and its name as free [S13]', async () => {
    const { world, init } = flaky(1);
    await world.supervise([world.worker('a', { init })]);
    await rejectionOf(world.call('a', crash));
    expect(await world.whichChildren()).toEqual([{ id: 'a', pid: undefined, status: 'restarting', type: 'worker' }]);
    expect(await rejectionOf(world.call('a', whoAmI))).toBeInstanceOf(NoProcessError);
    await settle();
    expect(await world.whichChildren()).toMatchObject([{ id: 'a', status: 'running' }]);
  });

  it('waits for no clock: there is no back-off [S13]', async () => {
    const { world, init } = flaky(50);
    await world.supervise([world.worker('a', { init })], { maxRestarts: 100 });
    const before = world.clock.now();
    await rejectionOf(world.call('a', crash));
    for (let i = 0; i < 10; i++) await settle();
    expect(world.whereis('a')).toMatchObject({ incarnation: 51 });
    expect(world.clock.now()).toBe(before);
  });

  it('is not tried again once the child was terminated by hand [S13]', async () => {
    const { world, init, starts } = flaky(Infinity);
    await world.supervise([world.worker('a', { init })], { maxRestarts: 1_000 });
    await rejectionOf(world.call('a', crash));
    await world.terminateChild('a');
    const tried = starts();
    await settle();
    expect(starts()).toBe(tried);
    expect(await world.whichChildren()).toMatchObject([{ status: 'stopped' }]);
  });

  it('is tried once per turn, also when it was terminated and started by hand in between [S13]', async () => {
    const { world, init, starts } = flaky(0);
    let isBroken = false;
    await world.supervise([world.worker('a', { init: () => (isBroken ? stop('broken') : init()) })], {
      maxRestarts: 1_000,
    });
    isBroken = true;
    await rejectionOf(world.call('a', crash));
    expect((await world.whichChildren())[0]!.status).toBe('restarting');
    // In the very turn in which an attempt is already on its way, the child is revived and fails anew.
    await world.terminateChild('a');
    isBroken = false;
    await world.restartChild('a');
    isBroken = true;
    await rejectionOf(world.call('a', crash));
    expect((await world.whichChildren())[0]!.status).toBe('restarting');
    world.seen.length = 0;
    await nextLoopTurn();
    expect(starts()).toBe(2);
    expect(world.eventsOf('supervisor.child_start_failed')).toHaveLength(1);
    await world.stop('root');
  });

  it('may fail because somebody else has taken the name, until it is free again [S13]', async () => {
    const { world, init, starts } = flaky(1);
    await world.supervise([world.worker('a', { init })], { maxRestarts: 100 });
    await rejectionOf(world.call('a', crash));
    const thief = await world.start({ init: () => ok(null) }, { name: 'a' });
    await nextLoopTurn();
    expect(world.eventsOf('supervisor.child_start_failed').at(-1)).toMatchObject({
      reason: new AlreadyStartedError("'a'", thief.toString()),
    });
    await world.stop(thief);
    await settle();
    expect(starts()).toBe(3);
    expect(world.whereis('a')).not.toBe(thief);
    expect(world.whereis('a')).toBeDefined();
  });
});

describe('maxRestarts and withinMs', () => {
  const crashes = async (world: TreeWorld, times: number) => {
    for (let i = 0; i < times; i++) {
      await rejectionOf(world.call('a', crash));
      await settle();
    }
  };

  it('bear 3 crashes in 5 s and give up at the 4th, by default [S12]', async () => {
    const world = treeWorld();
    const root = await world.supervise([world.worker('b'), world.worker('a'), world.worker('c')]);
    await crashes(world, 3);
    expect(world.whereis('a')).toMatchObject({ incarnation: 3 });
    world.takeJournal();
    await crashes(world, 1);
    expect(world.journal).toEqual(['a terminate Error: boom', 'c terminate shutdown', 'b terminate shutdown']);
    expect(world.eventsOf('process.exited').at(-1)).toMatchObject({ pid: root, reason: 'shutdown', isClean: true });
    expect(world.eventsOf('supervisor.restarts_exceeded')).toEqual([
      {
        type: 'supervisor.restarts_exceeded',
        supervisor: 'root',
        childId: "'a'",
        strategy: 'one_for_one',
        maxRestarts: 3,
        withinMs: 5_000,
        reason: new Boom('boom'),
      },
    ]);
    expect(world.runtime.processCount).toBe(0);
    expect(world.names()).toEqual([]);
  });

  it('with 0 give up at the first crash [S12]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')], { maxRestarts: 0 });
    await crashes(world, 1);
    expect(world.runtime.processCount).toBe(0);
    expect(world.journal).toEqual(['a init', 'a terminate Error: boom']);
  });

  it.each([
    [5_000, 0],
    [5_001, 1],
  ])('count an incident for exactly as long as the window: %i ms later [S12]', async (ms, alive) => {
    const world = treeWorld();
    await world.supervise([world.worker('a')], { maxRestarts: 1, withinMs: 5_000 });
    await crashes(world, 1);
    await world.clock.advance(ms);
    await crashes(world, 1);
    expect(world.names().filter((name) => name === 'a')).toHaveLength(alive);
  });

  it('do not count ends that cause no restart [S12]', async () => {
    const world = treeWorld();
    const children = Array.from({ length: 10 }, (_, i) => world.worker(`t${i}`, { restart: 'temporary' }));
    const root = await world.supervise([...children, world.worker('a', { restart: 'transient' })], { maxRestarts: 0 });
    for (let i = 0; i < 10; i++) await rejectionOf(world.call(`t${i}`, crash));
    await rejectionOf(world.call('a', end('normal')));
    await settle();
    expect(world.whereis('root')).toBe(root);
    expect(await world.countChildren()).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 1 });
  });

  it('do not count what is started and stopped by hand [S12]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')], { maxRestarts: 0 });
    for (let i = 0; i < 5; i++) {
      await world.terminateChild('a');
      await world.restartChild('a');
    }
    expect(world.whereis('a')).toMatchObject({ incarnation: 5 });
  });

  it('count the crashes of all children together [S12]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b')], { maxRestarts: 1 });
    await rejectionOf(world.call('b', crash));
    await settle();
    await crashes(world, 1);
    expect(world.runtime.processCount).toBe(0);
  });
});
