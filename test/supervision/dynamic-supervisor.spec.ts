import { describe, expect, it } from 'vitest';
import { error, ignore, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError, StartError } from '../../lib/gen-server/errors.js';
import type { GenServerProcess } from '../../lib/gen-server/process/gen-server-process.js';
import { AlreadyStartedError } from '../../lib/runtime/errors.js';
import { watch } from '../../lib/runtime/relations/monitors.js';
import { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { DynamicChildPlan } from '../../lib/supervision/dynamic-child.js';
import type { DynamicChildSpec } from '../../lib/supervision/dynamic-child-spec.js';
import { DynamicSupervisor, blueprintOfDynamicSupervisor } from '../../lib/supervision/dynamic-supervisor.js';
import { ChildStateError, MaxChildrenError, SupervisorConfigError } from '../../lib/supervision/errors.js';
import { blueprintOfSupervisor } from '../../lib/supervision/supervisor.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, hang } from '../support/tree.js';
import { dynamicWorld, type DynamicWorld } from './dynamic-world.js';
import { expectNothingLeft } from './tidy-world.js';

expectNothingLeft();

const never = () => new Promise(() => undefined);

async function started(options?: Parameters<DynamicWorld['startDyn']>[0]): Promise<DynamicWorld> {
  const world = dynamicWorld();
  await world.startDyn(options);
  return world;
}

describe('a dynamic supervisor', () => {
  it('starts empty, and says that it is up and down [D1]', async () => {
    const world = dynamicWorld();
    const pid = await world.startDyn();
    expect(world.which()).toEqual([]);
    expect(world.count()).toEqual({ specs: 0, active: 0, supervisors: 0, workers: 0 });
    await world.stop('dyn', 'shutdown');
    const about = { supervisor: 'dyn', pid, isRoot: true, tookMs: 0 };
    expect(world.eventsOf('supervisor.started')).toEqual([{ type: 'supervisor.started', children: 0, ...about }]);
    expect(world.eventsOf('supervisor.stopped')).toEqual([
      { type: 'supervisor.stopped', reason: 'shutdown', ...about },
    ]);
  });

  it('is refused with options that only other supervisors have [D8]', async () => {
    const world = dynamicWorld();
    for (const options of [{ strategy: 'rest_for_one' }, { autoShutdown: 'any_significant' }]) {
      expect(await rejectionOf(world.startDyn(options as object))).toBeInstanceOf(SupervisorConfigError);
    }
    expect(world.runtime.processCount).toBe(0);
  });

  it('ignores exit signals of strangers, and reports messages that it does not know [S21]', async () => {
    const world = await started({ maxRestarts: 0 });
    const pid = await world.add(world.anonymous('a'));
    await world.supervise([world.worker('stranger')]);
    await world.call('stranger', (self) => (self.exit('dyn', 'odd'), reply(null)));
    world.exit('dyn', 'odd');
    world.send('dyn', 'hello');
    await settle();
    expect(world.which()).toMatchObject([{ pid }]);
    expect(world.eventsOf('gen_server.unexpected_message')).toMatchObject([{ label: 'dyn', message: 'hello' }]);
  });

  it('ignores an exit signal that a child sends while it lives on [S21]', async () => {
    const world = await started({ maxRestarts: 0 });
    const dyn = world.whereis('dyn')!;
    const a = await world.add(world.named('a'));
    await world.call('a', (self) => (self.exit(dyn, 'odd'), reply(null)));
    await settle();
    expect(world.which()).toEqual([{ pid: a, name: "'a'", status: 'running' }]);
    expect(world.takeJournal()).toEqual(['a init']);
  });
});

describe('DynamicSupervisor.startChild', () => {
  it('starts a child under the supervisor and gives its pid when init is done [D3]', async () => {
    const world = await started();
    const initialised = deferred();
    const pid = world.add(world.named('a', { init: () => initialised.promise.then(() => ok(null)) }));
    await settle();
    expect(world.whereis('a')).toBeInstanceOf(Pid);
    initialised.resolve();
    expect(await pid).toBe(world.whereis('a'));
    expect(processOf(await pid)!.parent!.pid).toBe(world.whereis('dyn'));
  });

  it('starts many children of one spec, whatever their ids [D1]', async () => {
    const world = await started();
    const spec = { ...world.anonymous('a'), id: 'same' } as DynamicChildSpec;
    const pids = [await world.add(spec), await world.add(spec), await world.add(spec)];
    expect(new Set(pids).size).toBe(3);
    expect(world.which().map(({ pid }) => pid)).toEqual(pids);
  });

  it('refuses a name that is taken, and the second init does not run [D1]', async () => {
    const world = await started();
    const holder = await world.add(world.named('a'));
    const failure = await rejectionOf(world.add(world.named('a')));
    expect(failure).toBeInstanceOf(AlreadyStartedError);
    expect(failure).toMatchObject({ code: 'ALREADY_STARTED', serverName: "'a'", holder: holder.toString() });
    expect(world.takeJournal()).toEqual(['a init']);
    expect(world.count()).toMatchObject({ specs: 1 });
  });

  it('refuses the name of a child that is still in init [D1] [I8]', async () => {
    const world = await started();
    const initialised = deferred();
    const first = world.add(world.named('a', { init: () => initialised.promise.then(() => ok(null)) }));
    expect(await rejectionOf(world.add(world.named('a')))).toBeInstanceOf(AlreadyStartedError);
    initialised.resolve();
    expect(world.which()).toMatchObject([{ pid: await first }]);
  });

  it('puts the extra arguments of the supervisor in front of those of the child, at each start [D2]', async () => {
    const world = await started({ extraArguments: ['db', { retries: 2 }] });
    const seen: unknown[] = [];
    const init = (_self: unknown, args: readonly unknown[]) => (seen.push(args), ok(null));
    await world.add(world.named('a', { init, options: { args: [1, 2] } }));
    await world.add(world.anonymous('b', { init }));
    await rejectionOf(world.call('a', crash));
    await settle();
    const extra = ['db', { retries: 2 }];
    expect(seen).toEqual([[...extra, 1, 2], extra, [...extra, 1, 2]]);
  });

  it('gives every incarnation arguments of its own when they are made anew for each, also after a start that failed [S23]', async () => {
    const world = await started({ extraArguments: ['db'] });
    const seen: unknown[] = [];
    const init = (_self: unknown, args: readonly unknown[]) => (
      seen.push(args),
      seen.length === 2 ? stop('bad') : ok(null)
    );
    let made = 0;
    await world.add(world.named('a', { init, options: { args: () => [++made] } }));
    world.cast('a', crash);
    await settle();
    expect(seen).toEqual([
      ['db', 1],
      ['db', 2],
      ['db', 3],
    ]);
  });

  it('lets go of the arguments of a child that it has forgotten', async () => {
    const world = await started();
    const pid = await world.add(world.named('a', { restart: 'temporary', options: { args: ['large'] } }));
    const process = processOf(pid) as GenServerProcess;
    expect(process.args).toEqual(['large']);
    world.exit(pid, 'kill');
    await settle();
    expect(process.args).toEqual([]);
  });

  it('keeps a child that sent it an exit signal from its init, and restarts it when it crashes [S21]', async () => {
    const world = await started();
    await world.add(world.named('a', { init: () => (world.exit('dyn', 'odd'), ok(null)) }));
    world.cast('a', crash);
    await settle();
    expect(world.which()).toMatchObject([{ name: "'a'", status: 'running' }]);
    expect(world.whereis('a')).toMatchObject({ incarnation: 1 });
  });

  it('refuses more than maxChildren, naming the limit [D2]', async () => {
    const world = await started({ maxChildren: 2 });
    const first = await world.add(world.anonymous('a'));
    await world.add(world.anonymous('b'));
    const failure = await rejectionOf(world.add(world.anonymous('c')));
    expect(failure).toBeInstanceOf(MaxChildrenError);
    expect(failure).toMatchObject({
      code: 'MAX_CHILDREN',
      supervisor: 'dyn',
      maxChildren: 2,
      message: 'dyn has all the children it may have (maxChildren: 2). Stop some, or raise the limit.',
    });
    expect(world.takeJournal()).toEqual(['a init', 'b init']);
    await world.remove(first);
    expect(await world.add(world.anonymous('c'))).toBeInstanceOf(Pid);
  });

  it('refuses every child when maxChildren is 0 [D2]', async () => {
    const world = await started({ maxChildren: 0 });
    expect(await rejectionOf(world.add(world.anonymous('a')))).toBeInstanceOf(MaxChildrenError);
  });

  it('counts children that are still in init towards maxChildren [D2]', async () => {
    const world = await started({ maxChildren: 1 });
    const initialised = deferred();
    const first = world.add(world.anonymous('a', { init: () => initialised.promise.then(() => stop('no')) }));
    expect(await rejectionOf(world.add(world.anonymous('b')))).toBeInstanceOf(MaxChildrenError);
    initialised.resolve();
    await rejectionOf(first);
    expect(await world.add(world.anonymous('b'))).toBeInstanceOf(Pid);
  });

  it('counts children that are being restarted towards maxChildren [D2]', async () => {
    const world = await started({ maxChildren: 1, maxRestarts: 1_000_000 });
    let isBroken = false;
    await world.add(world.named('a', { init: () => (isBroken ? stop('not yet') : ok(null)) }));
    isBroken = true;
    await rejectionOf(world.call('a', crash));
    expect(world.which()).toMatchObject([{ status: 'restarting' }]);
    expect(await rejectionOf(world.add(world.anonymous('b')))).toBeInstanceOf(MaxChildrenError);
    isBroken = false;
    await settle();
    expect(world.which()).toMatchObject([{ status: 'running' }]);
  });

  it('counts children that are being stopped towards maxChildren [D2]', async () => {
    const world = await started({ maxChildren: 1 });
    const ended = deferred();
    const pid = await world.add(world.anonymous('a', { terminate: () => ended.promise }));
    const removed = world.remove(pid);
    expect(await rejectionOf(world.add(world.anonymous('b')))).toBeInstanceOf(MaxChildrenError);
    ended.resolve();
    await removed;
    expect(await world.add(world.anonymous('b'))).toBeInstanceOf(Pid);
  });

  it('takes a child in place of another in the turn in which that ends [D2]', async () => {
    const world = await started({ maxChildren: 1 });
    for (const end of [(pid: Pid) => world.remove(pid), (pid: Pid) => world.stop(pid, 'shutdown')]) {
      const pid = await world.add(world.named('a', { restart: 'transient' }));
      const next = new Promise<Pid>((resolve) => {
        watch(processOf(pid)!, () => {
          void Promise.resolve().then(() => resolve(world.add(world.named('a'))));
        });
      });
      await end(pid);
      await world.remove(await next);
    }
  });

  it('rejects when the child ignores its start, and keeps nothing [D3]', async () => {
    const world = await started();
    const failure = await rejectionOf(world.add(world.named('a', { init: () => ignore() })));
    expect(failure).toBeInstanceOf(StartError);
    expect(failure).toMatchObject({ code: 'START_FAILED', server: 'a', reason: 'ignore' });
    expect(world.count()).toMatchObject({ specs: 0 });
    expect(world.names()).toEqual(['dyn']);
  });

  it.each([
    ['stops', () => stop('no'), 'no', 'no'],
    ['gives an error', () => error('no'), 'no', 'no'],
    [
      'throws',
      () => {
        throw new Boom('no');
      },
      new Boom('no'),
      new Boom('no'),
    ],
    ['rejects', () => Promise.reject(new Boom('no')), new Boom('no'), new Boom('no')],
  ])('rejects when init %s, keeps nothing and counts nothing [D3]', async (_what, init, reason, cause) => {
    const world = await started({ maxRestarts: 0 });
    const failure = await rejectionOf(world.add(world.named('a', { init })));
    expect(failure).toBeInstanceOf(StartError);
    expect(failure).toMatchObject({ reason, cause });
    await settle();
    expect(world.which()).toEqual([]);
    expect(world.names()).toEqual(['dyn']);
    expect(world.takeJournal()).toEqual(['a init']);
  });

  it('rejects when init takes longer than startTimeoutMs, and keeps nothing [D3] [I7]', async () => {
    const world = await started();
    const failure = rejectionOf(world.add(world.named('a', { init: never, options: { startTimeoutMs: 100 } })));
    await world.clock.advance(100);
    expect(await failure).toMatchObject({ reason: 'timeout' });
    expect(world.which()).toEqual([]);
    expect(world.names()).toEqual(['dyn']);
  });

  it('rejects when the child is killed in init, and keeps nothing [D3]', async () => {
    const world = await started();
    const failure = rejectionOf(world.add(world.named('a', { init: never })));
    await settle();
    world.exit('a', 'kill');
    expect(await failure).toMatchObject({ reason: 'killed' });
    expect(world.which()).toEqual([]);
  });

  it('refuses a spec that makes no sense before it looks for the supervisor [D3]', async () => {
    const world = await started();
    const { source } = world.anonymous('a');
    for (const spec of [undefined, {}, { source, restart: 'often' }, { source, shutdownMs: -1 }]) {
      for (const supervisor of ['dyn', 'nobody']) {
        expect(await rejectionOf(world.add(spec as DynamicChildSpec, supervisor))).toBeInstanceOf(
          SupervisorConfigError,
        );
      }
    }
    expect(world.which()).toEqual([]);
  });

  it('refuses a significant child [D8]', async () => {
    const world = await started();
    const spec = { ...world.anonymous('a'), restart: 'transient', significant: true } as DynamicChildSpec;
    expect(await rejectionOf(world.add(spec))).toMatchObject({ mistake: 'bad_combination' });
  });

  it('keeps nothing of a child whose start options make no sense [D3]', async () => {
    const world = await started();
    for (const options of [{ name: '' }, { name: 'a', startTimeoutMs: -1 }]) {
      const spec = { ...world.anonymous('a'), options };
      expect(await rejectionOf(world.add(spec))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(world.which()).toEqual([]);
    expect(world.names()).toEqual(['dyn']);
    expect(world.runtime.processCount).toBe(1);
  });

  it('finds nobody where no dynamic supervisor runs', async () => {
    const world = await started();
    await world.supervise([]);
    const failure = await rejectionOf(world.add(world.anonymous('a'), 'root'));
    expect(failure).toBeInstanceOf(NoProcessError);
    expect(failure).toMatchObject({ message: "No process: 'root'. It is no dynamic supervisor that runs." });
    expect(await rejectionOf(world.add(world.anonymous('a'), 'nobody'))).toBeInstanceOf(NoProcessError);
  });

  it('does not hold up other starts while a child is in init', async () => {
    const world = await started();
    const initialised = deferred();
    const slow = world.add(world.anonymous('slow', { init: () => initialised.promise.then(() => ok(null)) }));
    await world.add(world.anonymous('quick'));
    expect(world.count()).toMatchObject({ specs: 2 });
    initialised.resolve();
    await slow;
  });

  it('is refused once the supervisor is to stop, from the moment that is asked for', async () => {
    const world = await started();
    await world.add(world.anonymous('a', { terminate: () => settle() }));
    const stopped = world.stop('dyn', 'shutdown');
    const atOnce = await rejectionOf(world.add(world.anonymous('b')));
    expect(atOnce).toBeInstanceOf(NoProcessError);
    expect(atOnce).toMatchObject({ message: 'No process: dyn. It is stopping and takes no more children.' });
    await Promise.resolve();
    expect(await rejectionOf(world.add(world.anonymous('b')))).toBeInstanceOf(NoProcessError);
    await stopped;
    expect(await rejectionOf(world.add(world.anonymous('b')))).toBeInstanceOf(NoProcessError);
    expect(world.takeJournal()).toEqual(['a init', 'a terminate shutdown']);
  });

  it('is refused by a supervisor that was killed, before its end is through', async () => {
    const world = await started();
    world.exit('dyn', 'kill');
    expect(await rejectionOf(world.add(world.anonymous('a')))).toBeInstanceOf(NoProcessError);
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('starts 10 000 children that are asked for at once, and one for each name', async () => {
    const world = await started();
    const init = () => Promise.resolve().then(() => ok(null));
    const { source } = world.anonymous('many', { init });
    const asked = Array.from({ length: 10_000 }, (_, at) => world.add({ source, options: { name: `n${at % 5_000}` } }));
    const answers = await Promise.allSettled(asked);
    const pids = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(new Set(pids).size).toBe(5_000);
    for (const answer of answers) {
      if (answer.status === 'rejected') expect(answer.reason).toBeInstanceOf(AlreadyStartedError);
    }
    expect(world.count()).toEqual({ specs: 5_000, active: 5_000, supervisors: 0, workers: 5_000 });
    expect(world.runtime.processCount).toBe(5_001);
  });
});

describe('DynamicSupervisor.terminateChild', () => {
  it('stops the child and forgets it; again, it is not there [D4]', async () => {
    const world = await started({ maxRestarts: 0 });
    const pid = await world.add(world.named('a'));
    await world.remove(pid);
    expect(world.takeJournal()).toEqual(['a init', 'a terminate shutdown']);
    expect(world.which()).toEqual([]);
    expect(world.names()).toEqual(['dyn']);
    const failure = await rejectionOf(world.remove(pid));
    expect(failure).toBeInstanceOf(ChildStateError);
    expect(failure).toMatchObject({
      code: 'CHILD_STATE',
      problem: 'not_found',
      message: `Supervisor dyn: there is no child ${pid.toString()}.`,
    });
  });

  it('does not know a child while it is being stopped [D4]', async () => {
    const world = await started();
    const pid = await world.add(world.named('a', { terminate: () => settle() }));
    const removed = world.remove(pid);
    expect(await rejectionOf(world.remove(pid))).toMatchObject({ problem: 'not_found' });
    expect(world.which()).toEqual([]);
    expect(world.count()).toMatchObject({ specs: 0 });
    await removed;
    expect(world.takeJournal()).toEqual(['a init', 'a terminate shutdown']);
  });

  it.each([undefined, null, 'a', new Pid(99, 0)])('does not know %s [D4]', async (pid) => {
    const world = await started();
    expect(await rejectionOf(world.remove(pid as Pid))).toMatchObject({ problem: 'not_found' });
  });

  it('does not know an earlier incarnation of a child that runs again [D4]', async () => {
    const world = await started();
    const old = await world.add(world.named('a'));
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(await rejectionOf(world.remove(old))).toMatchObject({ problem: 'not_found' });
    await world.remove(world.whereis('a')!);
    expect(world.which()).toEqual([]);
  });

  it('gives the child the time of its spec, then kills it [S6]', async () => {
    const world = await started();
    const pid = await world.add(world.anonymous('a', { terminate: never, shutdownMs: 300 }));
    const removed = world.remove(pid);
    await world.clock.advance(300);
    await removed;
    expect(world.eventsOf('supervisor.child_stopped')).toEqual([
      {
        type: 'supervisor.child_stopped',
        supervisor: 'dyn',
        childId: 'a',
        pid,
        reason: 'killed',
        tookMs: 300,
        undrained: 0,
        isUnexpected: true,
      },
    ]);
  });

  it('kills at once with brutal_kill [S6]', async () => {
    const world = await started();
    const pid = await world.add(world.named('a', { shutdownMs: 'brutal_kill' }));
    await world.remove(pid);
    expect(world.takeJournal()).toEqual(['a init']);
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([{ reason: 'killed', isUnexpected: false }]);
  });

  it('stops a child that is in init: its start succeeds first, or is cut short by the kill', async () => {
    const world = await started();
    const initialised = deferred();
    const slow = world.add(world.named('slow', { init: () => initialised.promise.then(() => ok(null)) }));
    const hanging = rejectionOf(world.add(world.named('hanging', { init: never, shutdownMs: 50 })));
    await settle();
    const removed = ['slow', 'hanging'].map((name) => world.remove(world.whereis(name)!));
    initialised.resolve();
    expect(await slow).toBeInstanceOf(Pid);
    await world.clock.advance(50);
    expect(await hanging).toMatchObject({ reason: 'killed' });
    await Promise.all(removed);
    expect(world.names()).toEqual(['dyn']);
    expect(world.takeJournal()).toEqual(['slow init', 'hanging init', 'slow terminate shutdown']);
  });

  it('keeps a child that would fail in init from being tried again', async () => {
    const world = await started();
    const initialised = deferred();
    const start = rejectionOf(world.add(world.named('a', { init: () => initialised.promise.then(() => stop('no')) })));
    await settle();
    const removed = world.remove(world.whereis('a')!);
    initialised.resolve();
    expect(await start).toMatchObject({ reason: 'no' });
    await removed;
    await settle();
    expect(world.takeJournal()).toEqual(['a init']);
    expect(world.runtime.processCount).toBe(1);
  });

  it('terminates 10 000 children at once within the budget of one', async () => {
    const world = await started();
    const { source } = world.anonymous('many', { terminate: never });
    const pids = await Promise.all(Array.from({ length: 10_000 }, () => world.add({ source, shutdownMs: 100 })));
    const removed = Promise.all(pids.map((pid) => world.remove(pid)));
    await world.clock.advance(100);
    await removed;
    expect(world.runtime.processCount).toBe(1);
    expect(world.which()).toEqual([]);
  });
});

describe('DynamicSupervisor.whichChildren and countChildren', () => {
  it('show the children in the order they were first started, without ids [D4]', async () => {
    const world = await started();
    const a = await world.add(world.named('a'));
    const anonymous = await world.add(world.anonymous('x'));
    const b = await world.add({ ...world.anonymous('b'), options: { name: Symbol('key') } });
    expect(world.which()).toEqual([
      { pid: a, name: "'a'", status: 'running' },
      { pid: anonymous, name: undefined, status: 'running' },
      { pid: b, name: 'Symbol(key)', status: 'running' },
    ]);
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(world.which().map(({ name }) => name)).toEqual(["'a'", undefined, 'Symbol(key)']);
  });

  it('count a supervisor as such, which traps exits and has all the time it needs to end [D6] [S1]', async () => {
    const world = await started();
    const terminate = (reason: unknown) => (reason === 'shutdown' ? never() : undefined);
    const slow = world.worker('slow', { shutdownMs: 60_000, terminate });
    await world.add({ source: blueprintOfSupervisor({ label: 'sup', children: [slow] }) });
    await world.add({ source: blueprintOfDynamicSupervisor({ label: 'inner' }), options: { name: 'inner' } });
    await world.add(world.anonymous('a'), 'inner');
    expect(world.count()).toEqual({ specs: 2, active: 2, supervisors: 2, workers: 0 });
    await rejectionOf(world.call('slow', crash));
    expect(world.whereis('slow')).toMatchObject({ incarnation: 1 });
    const stopped = world.stop('dyn', 'shutdown');
    await world.clock.advance(59_999);
    expect(world.runtime.processCount).toBe(3);
    await world.clock.advance(1);
    await stopped;
  });

  it('keep nothing of children with which everything is in order', async () => {
    const world = await started();
    const pid = await world.add(world.anonymous('a'));
    const kept = Pid.supervisorRecord(pid);
    expect(kept).toBeInstanceOf(DynamicChildPlan);
    expect([world.which().length, world.count().active]).toEqual([1, 1]);
    expect(Pid.supervisorRecord(pid)).toBe(kept);
  });
});

describe('the end of a dynamic supervisor', () => {
  it('stops all children at once and waits as long as the slowest takes [D6]', async () => {
    const world = await started();
    const terminate = () => new Promise((resolve) => world.clock.setTimer(60, () => resolve(null)));
    for (const name of ['a', 'b', 'c']) await world.add(world.named(name, { terminate }));
    const begin = world.clock.now();
    let tookMs: number | undefined;
    const stopped = world.stop('dyn', 'shutdown').then(() => (tookMs = world.clock.now() - begin));
    await world.clock.advance(60);
    await stopped;
    expect(tookMs).toBe(60);
    expect(world.takeJournal().slice(3)).toEqual(['a', 'b', 'c'].map((name) => `${name} terminate shutdown`));
    expect(world.eventsOf('supervisor.stopped')).toMatchObject([{ tookMs: 60, reason: 'shutdown' }]);
  });

  it('gives each child its own budget, all of them from the same moment on [D6]', async () => {
    const world = await started();
    for (const shutdownMs of [10, 500, 200])
      await world.add(world.anonymous(`${shutdownMs}`, { terminate: never, shutdownMs }));
    await world.add(world.anonymous('killed', { shutdownMs: 'brutal_kill' }));
    const stopped = world.stop('dyn', 'shutdown');
    await world.clock.advance(500);
    await stopped;
    expect(world.eventsOf('supervisor.child_stopped').map(({ childId, tookMs }) => [childId, tookMs])).toEqual([
      ['killed', 0],
      ['10', 10],
      ['200', 200],
      ['500', 500],
    ]);
  });

  it('gives 10 000 children one budget, not 10 000 [D6]', async () => {
    const world = await started();
    const { source } = world.anonymous('many', { terminate: never });
    await Promise.all(Array.from({ length: 10_000 }, () => world.add({ source, shutdownMs: 5_000 })));
    const stopped = world.stop('dyn', 'shutdown');
    await world.clock.advance(5_000);
    await stopped;
    expect(world.runtime.processCount).toBe(0);
  });

  it('gives the children shutdown as their reason, whatever its own [S5]', async () => {
    const world = await started();
    await world.add(world.named('a'));
    await world.stop('dyn', 'odd');
    expect(world.takeJournal()).toEqual(['a init', 'a terminate shutdown']);
  });

  it('waits for children that are still in init, and for those that somebody is stopping', async () => {
    const world = await started();
    const ended = deferred();
    const initialised = deferred();
    const leaving = await world.add(world.named('leaving', { terminate: () => ended.promise }));
    const starting = world.add(world.named('starting', { init: () => initialised.promise.then(() => ok(null)) }));
    await settle();
    const removed = world.remove(leaving);
    const stopped = world.stop('dyn', 'shutdown');
    await settle();
    expect(world.names().sort()).toEqual(['dyn', 'leaving', 'starting']);
    initialised.resolve();
    await starting;
    await settle();
    expect(world.names().sort()).toEqual(['dyn', 'leaving']);
    ended.resolve();
    await Promise.all([removed, stopped]);
    expect(world.runtime.processCount).toBe(0);
    expect(world.takeJournal().filter((line) => line === 'leaving terminate shutdown')).toHaveLength(1);
  });

  it('kills a child that hangs in init when its time is up', async () => {
    const world = await started();
    const start = rejectionOf(world.add(world.named('a', { init: never })));
    await settle();
    const stopped = world.stop('dyn', 'shutdown');
    await world.clock.advance(5_000);
    expect(await start).toMatchObject({ reason: 'killed' });
    await stopped;
    expect(world.runtime.processCount).toBe(0);
  });

  it('starts nothing any more: a child that fails while the others end stays away', async () => {
    const world = await started({ maxRestarts: 0 });
    const ended = deferred();
    await world.add(world.named('slow', { terminate: () => ended.promise }));
    await world.add(
      world.named('a', {
        terminate: () => {
          throw new Boom('in terminate');
        },
      }),
    );
    const stopped = world.stop('dyn', 'shutdown');
    await settle();
    ended.resolve();
    await stopped;
    expect(world.takeJournal().filter((line) => line.endsWith('init'))).toEqual(['slow init', 'a init']);
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([{ childId: "'a'", isUnexpected: true }, {}]);
  });

  it('by a kill takes the children along, with killed as their reason [S22]', async () => {
    const world = await started();
    await world.add(world.named('a', { options: { trapExit: true } }));
    await world.add(world.named('b', { options: { drain: false } }));
    world.exit('dyn', 'kill');
    await settle();
    expect(world.runtime.processCount).toBe(0);
    expect(world.takeJournal()).toEqual(['a init', 'b init', 'a terminate killed']);
  });

  it.each([
    ['lives', () => undefined],
    ['is killed first', (world: DynamicWorld) => world.exit('a', 'kill')],
  ])('by a kill leaves nothing behind the pid of a child that somebody keeps: it %s [S22]', async (_, before) => {
    const world = await started();
    const pid = await world.add(world.named('a'));
    expect(Pid.supervisorRecord(pid)).toBeDefined();
    before(world);
    world.exit('dyn', 'kill');
    await settle();
    expect(processOf(pid)).toBeUndefined();
    expect(Pid.supervisorRecord(pid)).toBeUndefined();
  });

  it('by a kill ends a child on its way back, and tries nothing again [S22]', async () => {
    const world = await started();
    let starts = 0;
    const pid = await world.add(world.named('a', { init: () => (++starts === 1 ? ok(null) : never()) }));
    world.cast('a', crash);
    await settle();
    expect(starts).toBe(2);
    const next = world.whereis('a')!;
    world.exit('dyn', 'kill');
    await settle();
    expect(world.runtime.processCount).toBe(0);
    expect(world.eventsOf('supervisor.child_start_failed')).toEqual([]);
    for (const kept of [pid, next]) expect(Pid.supervisorRecord(kept)).toBeUndefined();
  });

  it('by a kill that came from a child on its way back, whose start fails then, leaves nothing behind its pid [S22]', async () => {
    const world = await started();
    let starts = 0;
    const init = () => (++starts === 1 ? ok(null) : (world.exit('dyn', 'kill'), stop('bad')));
    const pid = await world.add(world.named('a', { init }));
    world.cast('a', crash);
    await settle();
    expect(starts).toBe(2);
    expect(world.runtime.processCount).toBe(0);
    expect(Pid.supervisorRecord(pid)).toBeUndefined();
  });

  it.each([100, Infinity])(
    'by a kill, while it was stopping a child, ends that child at once [S22] (%s ms)',
    async (shutdownMs) => {
      const world = await started();
      const pid = await world.add(world.named('a', { terminate: never, shutdownMs }));
      const removed = world.remove(pid);
      await settle();
      world.exit('dyn', 'kill');
      await settle();
      await removed;
      expect(world.runtime.processCount).toBe(0);
    },
  );

  it('rejects the callers of its children', async () => {
    const world = await started();
    await world.add(world.named('a', { shutdownMs: 10 }));
    const call = rejectionOf(world.call('a', hang, Infinity));
    await settle();
    const stopped = world.stop('dyn', 'shutdown');
    await world.clock.advance(10);
    expect(await call).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
    await stopped;
  });

  it('leaves nobody to ask', async () => {
    const world = await started();
    const dyn = world.whereis('dyn')!;
    await world.stop('dyn', 'shutdown');
    for (const ask of [DynamicSupervisor.whichChildren, DynamicSupervisor.countChildren]) {
      expect(() => ask(world.runtime, dyn)).toThrow(NoProcessError);
    }
  });
});
