import { describe, expect, it } from 'vitest';
import { ignore, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { AlreadyStartedError } from '../../lib/runtime/errors.js';
import { watch } from '../../lib/runtime/relations/monitors.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, crashLater, end, type Job } from '../support/tree.js';
import { dynamicWorld, type DynamicWorld } from './dynamic-world.js';
import { expectNothingLeft } from './tidy-world.js';

expectNothingLeft();

const whoAmI: Job = (self) => reply(self.pid);
const never = () => new Promise(() => undefined);

/** A registry for one process, which throws as often as it is told. */
class FlakyRegistry {
  holder: Pid | undefined;
  refusals = 0;

  registerName(_key: unknown, pid: Pid): boolean {
    if (this.refusals-- > 0) throw new Boom('no registry');
    this.holder = pid;
    return true;
  }

  unregisterName(): void {
    this.holder = undefined;
  }

  whereisName(): Pid | undefined {
    return this.holder;
  }

  send(): void {
    throw new Boom('nothing is sent by name');
  }
}

async function started(options?: Parameters<DynamicWorld['startDyn']>[0]): Promise<DynamicWorld> {
  const world = dynamicWorld();
  await world.startDyn(options);
  return world;
}

/** An `init` that gives the results of a list, one per start, and then succeeds. */
function inits(...results: (() => unknown)[]) {
  let starts = 0;
  return { init: () => results[starts++]?.() ?? ok(null), starts: () => starts };
}
const fine = () => ok(null);

describe('a dynamic child that ends', () => {
  it.each([
    ['permanent', end('normal'), true],
    ['permanent', end('shutdown'), true],
    ['permanent', end({ shutdown: 'idle' }), true],
    ['permanent', crash, true],
    ['transient', end('normal'), false],
    ['transient', end('shutdown'), false],
    ['transient', end({ shutdown: 'idle' }), false],
    ['transient', end('odd'), true],
    ['transient', crash, true],
    ['temporary', end('normal'), false],
    ['temporary', end('odd'), false],
    ['temporary', crash, false],
  ] as const)('%s, by %o: starts again: %s, else it is forgotten [D5]', async (restart, job, isRestarted) => {
    const world = await started({ maxRestarts: 1 });
    const { id } = await world.add(world.named('a', { restart }));
    await rejectionOf(world.call('a', job));
    await settle();
    expect(world.which()).toMatchObject(isRestarted ? [{ pid: { id, incarnation: 1 }, status: 'running' }] : []);
    expect(world.names()).toEqual(isRestarted ? ['dyn', 'a'] : ['dyn']);
    expect(world.eventsOf('supervisor.child_restarted')).toHaveLength(isRestarted ? 1 : 0);
  });

  it('is restarted alone, with a new pid, the same spec and the same arguments [D5] [S23]', async () => {
    const world = await started();
    const seen: unknown[] = [];
    const args = [{ since: 1 }];
    const init = (_self: unknown, given: readonly unknown[]) => (seen.push(given[0]), ok(null));
    const first = await world.add(world.named('a', { init, options: { args } }));
    const b = await world.add(world.named('b'));
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.whereis('a')).not.toBe(first);
    expect(world.whereis('b')).toBe(b);
    expect(seen).toEqual([args[0], args[0]]);
    expect(seen[0]).toBe(seen[1]);
    expect(world.eventsOf('supervisor.child_exited')).toEqual([
      {
        type: 'supervisor.child_exited',
        supervisor: 'dyn',
        childId: "'a'",
        pid: first,
        reason: new Boom('boom'),
        isClean: false,
      },
    ]);
    expect(world.eventsOf('supervisor.child_restarted')).toEqual([
      {
        type: 'supervisor.child_restarted',
        supervisor: 'dyn',
        childId: "'a'",
        pid: world.whereis('a'),
        reason: new Boom('boom'),
      },
    ]);
  });

  it.each([
    ['in the handler', crash],
    ['after an await', crashLater],
  ])('%s: a call by name that follows the crash reaches the next incarnation', async (_when, job) => {
    const world = await started();
    await world.add(world.named('a'));
    await rejectionOf(world.call('a', job));
    expect(await world.call('a', whoAmI)).toMatchObject({ incarnation: 1 });
  });

  it('in the very turn in which its init finished is restarted like any other', async () => {
    const world = await started();
    const initialised = deferred();
    const { init, starts } = inits(() => initialised.promise.then(fine));
    const start = world.add(world.named('a', { init }));
    world.cast('a', crash); // waits for init to end
    initialised.resolve();
    expect(await start).toMatchObject({ incarnation: 0 });
    await settle();
    expect(starts()).toBe(2);
    expect(world.which()).toMatchObject([{ pid: { incarnation: 1 }, status: 'running' }]);
    expect(world.eventsOf('supervisor.child_restarted')).toHaveLength(1);
  });

  it('in that turn is not up again before the init of its restart is done', async () => {
    const world = await started();
    const [first, second] = [deferred(), deferred()];
    const { init } = inits(
      () => first.promise.then(fine),
      () => second.promise.then(fine),
    );
    const start = world.add(world.named('a', { init }));
    world.cast('a', crash);
    first.resolve();
    await start;
    await settle();
    expect(world.which()).toMatchObject([{ pid: { incarnation: 1 }, status: 'restarting' }]);
    expect(world.eventsOf('supervisor.child_restarted')).toEqual([]);
    second.resolve();
    await settle();
    expect(world.which()).toMatchObject([{ pid: { incarnation: 1 }, status: 'running' }]);
    expect(world.eventsOf('supervisor.child_restarted')).toHaveLength(1);
  });

  it('in the very turn in which the init of its restart finished is restarted once more', async () => {
    const world = await started();
    const initialised = deferred();
    const { init, starts } = inits(fine, () => initialised.promise.then(fine));
    await world.add(world.named('a', { init }));
    await rejectionOf(world.call('a', crash));
    world.cast('a', crash);
    initialised.resolve();
    await settle();
    expect(starts()).toBe(3);
    expect(world.which()).toMatchObject([{ pid: { incarnation: 2 }, status: 'running' }]);
    expect(world.eventsOf('supervisor.child_restarted').map(({ pid }) => pid.incarnation)).toEqual([1, 2]);
    expect(world.eventsOf('supervisor.child_exited')).toHaveLength(2);
  });

  it('in that turn, with a name that cannot be taken again just then, is tried again', async () => {
    const world = await started({ maxRestarts: 10 });
    const via = new FlakyRegistry();
    const initialised = deferred();
    const { init } = inits(fine, () => initialised.promise.then(fine));
    await world.add(world.anonymous('a', { init, options: { name: { via, key: 1 } } }));
    await rejectionOf(world.call(via.holder!, crash));
    world.cast(via.holder!, crash);
    via.refusals = 1;
    initialised.resolve();
    await settle();
    expect(world.which()).toMatchObject([{ pid: via.holder, status: 'running' }]);
    expect(world.eventsOf('supervisor.child_start_failed')).toMatchObject([{ reason: new Boom('no registry') }]);
    expect(await world.call(via.holder!, whoAmI)).toBe(via.holder);
  });

  it('and had sent its supervisor a signal of its own just before counts once', async () => {
    const world = await started({ maxRestarts: 2 });
    const via = new FlakyRegistry();
    const dyn = world.whereis('dyn')!;
    await world.add(world.anonymous('a', { options: { name: { via, key: 1 } } }));
    via.refusals = 1;
    const signalAndCrash: Job = (self) => {
      self.exit(dyn, 'odd');
      throw new Boom('boom');
    };
    await rejectionOf(world.call(via.holder!, signalAndCrash));
    await settle();
    expect(world.eventsOf('supervisor.child_exited')).toHaveLength(1);
    expect(world.which()).toMatchObject([{ pid: via.holder, status: 'running' }]);
  });
});

describe('a restart of a dynamic child', () => {
  it('whose init fails is tried again in a later turn, and each attempt counts [S13]', async () => {
    const world = await started({ maxRestarts: 3 });
    const { init, starts } = inits(
      fine,
      () => stop('no'),
      () => Promise.reject(new Boom('no')),
    );
    const { id } = await world.add(world.named('a', { init }));
    await rejectionOf(world.call('a', crash));
    expect(world.which()).toMatchObject([{ status: 'restarting' }]);
    expect(world.count()).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 1 });
    expect(await rejectionOf(world.call('a', crash))).toBeInstanceOf(NoProcessError);
    await settle();
    expect(starts()).toBe(4);
    expect(world.which()).toMatchObject([{ pid: { id, incarnation: 3 }, status: 'running' }]);
    expect(world.eventsOf('supervisor.child_start_failed')).toEqual(
      ['no', new Boom('no')].map((reason) => ({
        type: 'supervisor.child_start_failed',
        supervisor: 'dyn',
        childId: "'a'",
        reason,
        isRestart: true,
      })),
    );
    // Why it had ended in the first place.
    expect(world.eventsOf('supervisor.child_restarted')).toMatchObject([{ reason: new Boom('boom') }]);
  });

  it('whose init keeps failing uses up the restarts of the supervisor [S13] [D7]', async () => {
    const world = await started();
    const { init, starts } = inits(fine, ...Array.from({ length: 10 }, () => () => stop('no')));
    await world.add(world.named('a', { init }));
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(starts()).toBe(1 + 3);
    expect(world.runtime.processCount).toBe(0);
  });

  it('that is killed in its init, or takes too long, is tried again [S13]', async () => {
    const world = await started({ maxRestarts: 2 });
    const { init, starts } = inits(fine, never, never);
    await world.add(world.named('a', { init, options: { startTimeoutMs: 100 } }));
    await rejectionOf(world.call('a', crash));
    expect(world.which()).toMatchObject([{ pid: { incarnation: 1 }, status: 'restarting' }]);
    world.exit('a', 'kill');
    await settle();
    expect(world.which()).toMatchObject([{ pid: { incarnation: 2 }, status: 'restarting' }]);
    expect(starts()).toBe(3);
    await world.clock.advance(100);
    // The third attempt is one too many.
    expect(world.runtime.processCount).toBe(0);
    expect(world.eventsOf('supervisor.child_start_failed').map(({ reason }) => reason)).toEqual(['killed', 'timeout']);
  });

  it('that ignores its start forgets the child [D5]', async () => {
    const world = await started();
    const { init } = inits(fine, () => ignore());
    await world.add(world.named('a', { init }));
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.which()).toEqual([]);
    expect(world.names()).toEqual(['dyn']);
    expect(world.eventsOf('supervisor.child_start_failed')).toEqual([]);
  });

  it('gives way to somebody who has taken the name, and the others lose no restarts by it', async () => {
    const world = await started({ maxRestarts: 2 });
    const { init, starts } = inits(fine, () => stop('no'));
    await world.add(world.named('a', { init }));
    await rejectionOf(world.call('a', crash));
    const rival = await world.add(world.named('a'));
    await settle();
    expect(starts()).toBe(2);
    expect(world.which()).toEqual([{ pid: rival, name: "'a'", status: 'running' }]);
    expect(world.eventsOf('supervisor.child_superseded')).toEqual([
      { type: 'supervisor.child_superseded', supervisor: 'dyn', childId: "'a'", holder: rival.toString() },
    ]);
  });

  it('gives way to a watcher that took the name before the supervisor could', async () => {
    const world = await started();
    const pid = await world.add(world.named('a'));
    let rival: Promise<Pid> | undefined;
    watch(processOf(pid)!, () => {
      rival = world.add(world.named('a'));
    });
    await rejectionOf(world.call('a', crash));
    expect(world.which()).toEqual([{ pid: await rival, name: "'a'", status: 'running' }]);
  });

  it('does not mistake a name that is taken inside of init for its own', async () => {
    const world = await started({ maxRestarts: 5 });
    const { init } = inits(fine, () => {
      throw new AlreadyStartedError("'helper'", '<0.9.0>');
    });
    await world.add(world.named('a', { init }));
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.which()).toMatchObject([{ pid: { incarnation: 2 }, status: 'running' }]);
    expect(world.eventsOf('supervisor.child_superseded')).toEqual([]);
  });

  it.each([
    ['that crashed', (pids: Pid[]) => pids[0]!],
    ['of the attempt', (pids: Pid[]) => pids[1]!],
  ])('is called off by terminateChild between two attempts, by the pid %s [D4] [S18]', async (_which, pick) => {
    const world = await started({ maxRestarts: 1_000_000 });
    const { init, starts } = inits(fine, () => stop('no'));
    const crashed = await world.add(world.named('a', { init }));
    await rejectionOf(world.call('a', crash));
    const { pid } = world.which()[0]!;
    expect(pid).not.toBe(crashed);
    await world.remove(pick([crashed, pid]));
    await settle();
    expect(starts()).toBe(2);
    expect(world.which()).toEqual([]);
    expect(await rejectionOf(world.remove(pid))).toMatchObject({ problem: 'not_found' });
  });

  it('is called off by terminateChild while it is in init [D4]', async () => {
    const world = await started();
    const initialised = deferred();
    const { init, starts } = inits(fine, () => initialised.promise.then(() => stop('no')));
    const crashed = await world.add(world.named('a', { init }));
    await rejectionOf(world.call('a', crash));
    const removed = world.remove(crashed);
    initialised.resolve();
    await removed;
    await settle();
    expect(starts()).toBe(2);
    expect(world.names()).toEqual(['dyn']);
    expect(world.eventsOf('supervisor.child_start_failed')).toEqual([]);
  });

  it('is called off by the end of the supervisor, in init and between two attempts', async () => {
    const world = await started({ maxRestarts: 1_000_000 });
    const waiting = inits(fine, () => stop('no'));
    const starting = inits(fine, never);
    await world.add(world.named('waiting', { init: waiting.init }));
    await world.add(world.named('starting', { init: starting.init, shutdownMs: 50 }));
    await rejectionOf(world.call('starting', crash));
    await rejectionOf(world.call('waiting', crash));
    const stopped = world.stop('dyn', 'shutdown');
    await world.clock.advance(50);
    await stopped;
    expect([waiting.starts(), starting.starts()]).toEqual([2, 2]);
    expect(world.runtime.processCount).toBe(0);
  });

  it('of one child does not hold up the others', async () => {
    const world = await started();
    const { init } = inits(fine, never);
    await world.add(world.named('a', { init, shutdownMs: 0 }));
    await world.add(world.named('b'));
    await rejectionOf(world.call('a', crash));
    await rejectionOf(world.call('b', crash));
    expect(await world.call('b', whoAmI)).toMatchObject({ incarnation: 1 });
  });
});

describe('the restart budget of a dynamic supervisor', () => {
  it('is 3 in 5 s for all children together; the next one ends it with shutdown [D7]', async () => {
    const world = await started();
    for (const name of ['a', 'b', 'c', 'd', 'x']) await world.add(world.named(name));
    for (const name of ['a', 'b', 'c']) await rejectionOf(world.call(name, crash));
    await settle();
    expect(world.count()).toMatchObject({ active: 5 });
    await rejectionOf(world.call('d', crash));
    await settle();
    expect(world.eventsOf('supervisor.restarts_exceeded')).toEqual([
      {
        type: 'supervisor.restarts_exceeded',
        supervisor: 'dyn',
        childId: "'d'",
        strategy: 'one_for_one',
        maxRestarts: 3,
        withinMs: 5_000,
        reason: new Boom('boom'),
      },
    ]);
    expect(world.eventsOf('supervisor.stopped')).toMatchObject([{ reason: 'shutdown' }]);
    expect(world.runtime.processCount).toBe(0);
    expect(world.names()).toEqual([]);
  });

  it('used up, no child is taken any more while the others end [D7]', async () => {
    const world = await started({ maxRestarts: 0 });
    const ended = deferred();
    await world.add(world.named('slow', { terminate: () => ended.promise }));
    await world.add(world.named('a'));
    await rejectionOf(world.call('a', crash));
    expect(await rejectionOf(world.add(world.named('b')))).toBeInstanceOf(NoProcessError);
    ended.resolve();
    await settle();
    expect(world.runtime.processCount).toBe(0);
    expect(world.takeJournal()).not.toContain('b init');
  });

  it('is a sliding window [D7] [S12]', async () => {
    const world = await started({ maxRestarts: 1, withinMs: 1_000 });
    await world.add(world.named('a'));
    for (let i = 0; i < 3; i++) {
      await rejectionOf(world.call('a', crash));
      await world.clock.advance(1_001);
    }
    expect(world.whereis('a')).toMatchObject({ incarnation: 3 });
    await rejectionOf(world.call('a', crash));
    await world.clock.advance(1_000);
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('is not touched by ends that cause no restart, nor by what is stopped by hand [D7] [S12]', async () => {
    const world = await started({ maxRestarts: 0 });
    for (let i = 0; i < 5; i++) {
      const temporary = await world.add(world.anonymous('t', { restart: 'temporary' }));
      const transient = await world.add(world.anonymous('u', { restart: 'transient' }));
      await rejectionOf(world.call(temporary, crash));
      await rejectionOf(world.call(transient, end({ shutdown: 'idle' })));
      await world.remove(await world.add(world.anonymous('p')));
    }
    await settle();
    expect(world.count()).toMatchObject({ specs: 0 });
    expect(world.whereis('dyn')).toBeDefined();
  });

  it('used up, the supervisor above starts another, which is empty [D7] [S16]', async () => {
    const world = dynamicWorld();
    await world.supervise([world.dyn({ maxRestarts: 0 }), world.worker('after')]);
    const [first, after] = [world.whereis('dyn')!, world.whereis('after')];
    await world.add(world.named('a'));
    await world.add(world.named('b'));
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.whereis('dyn')).toMatchObject({ id: first.id, incarnation: 1 });
    expect(world.which()).toEqual([]);
    expect(world.names().sort()).toEqual(['after', 'dyn', 'root']);
    expect(world.whereis('after')).toBe(after);
    // Its budget is fresh as well, and the names are free.
    await world.add(world.named('a'));
    expect(world.takeJournal().filter((line) => line.startsWith('b'))).toEqual(['b init', 'b terminate shutdown']);
  });

  it.each([
    ['transient', false],
    ['temporary', false],
    ['permanent', true],
  ] as const)('used up, a %s one is started again by the supervisor above: %s [D7] [S16]', async (restart, isBack) => {
    const world = dynamicWorld();
    await world.supervise([world.dyn({ maxRestarts: 0 }, { restart })]);
    await world.add(world.named('a'));
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.whereis('dyn') !== undefined).toBe(isBack);
    expect(world.whereis('root')).toBeDefined();
  });

  it('bears 10 000 crashes at once when it is endless', async () => {
    const world = await started({ maxRestarts: Infinity });
    const { source } = world.anonymous('many');
    const pids = await Promise.all(Array.from({ length: 10_000 }, () => world.add({ source })));
    for (const pid of pids) world.exit(pid, 'odd');
    await settle();
    expect(world.count()).toMatchObject({ specs: 10_000, active: 10_000 });
    expect(world.which().every(({ pid }) => pid.incarnation === 1)).toBe(true);
  });
});
