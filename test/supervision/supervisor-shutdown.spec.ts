import { describe, expect, it } from 'vitest';
import { ServerExitedError } from '../../lib/gen-server/errors.js';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { processOf } from '../../lib/runtime/process.js';
import { blueprintOfSupervisor, spawnSupervisor } from '../../lib/supervision/supervisor.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, end, hang, type Job, treeWorld } from '../support/tree.js';
import { expectNothingLeft, tidyWorld } from './tidy-world.js';

const never = () => new Promise(() => undefined);
const state: Job = () => reply('pong');

describe('a supervisor that is stopped', () => {
  it('stops its children in reverse order, one after the other [S5]', async () => {
    const world = treeWorld();
    const { journal, worker } = world;
    const slow = (id: string) =>
      worker(id, {
        terminate: async () => {
          await settle();
          journal.push(`${id} gone`);
        },
      });
    await world.supervise([slow('a'), worker('b'), slow('c')]);
    world.takeJournal();
    await world.stop('root');
    expect(journal).toEqual([
      'c terminate shutdown',
      'c gone',
      'b terminate shutdown',
      'a terminate shutdown',
      'a gone',
    ]);
    expect(world.runtime.processCount).toBe(0);
    expect(world.names()).toEqual([]);
  });

  it.each(['normal', 'shutdown', { shutdown: 'deploy' }, 'odd'])(
    'ends with %o itself, but gives its children shutdown [S5]',
    async (reason) => {
      const world = treeWorld();
      const root = await world.supervise([world.worker('a')]);
      world.takeJournal();
      await world.stop('root', reason);
      expect(world.journal).toEqual(['a terminate shutdown']);
      expect(world.eventsOf('process.exited').at(-1)).toMatchObject({ pid: root, reason });
      expect(world.eventsOf('supervisor.stopped')).toMatchObject([{ supervisor: 'root', isRoot: true, reason }]);
    },
  );

  it('stops a whole tree from its last leaf to its first [S5]', async () => {
    const world = treeWorld();
    const { supervisor, worker } = world;
    await world.supervise([worker('a'), supervisor('mid', [worker('b'), worker('c')]), worker('d')]);
    world.takeJournal();
    await world.stop('root');
    expect(world.journal.map((line) => line.split(' ')[0])).toEqual(['d', 'c', 'b', 'a']);
  });

  it('gives each child a budget of its own [S5]', async () => {
    const world = treeWorld();
    const { worker } = world;
    await world.supervise([
      worker('a', { terminate: never, shutdownMs: 100 }),
      worker('b', { terminate: never, shutdownMs: 2_000 }),
      worker('c', { terminate: never }),
    ]);
    const stopped = world.stop('root');
    await settle();
    const alive = () => ['a', 'b', 'c'].filter((name) => world.whereis(name) !== undefined);
    await world.clock.advance(4_999);
    expect(alive()).toEqual(['a', 'b', 'c']);
    await world.clock.advance(1);
    expect(alive()).toEqual(['a', 'b']);
    await world.clock.advance(1_999);
    expect(alive()).toEqual(['a', 'b']);
    await world.clock.advance(1);
    expect(alive()).toEqual(['a']);
    await world.clock.advance(100);
    await stopped;
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([
      { childId: "'c'", reason: 'killed', tookMs: 5_000, isUnexpected: true },
      { childId: "'b'", reason: 'killed', tookMs: 2_000, isUnexpected: true },
      { childId: "'a'", reason: 'killed', tookMs: 100, isUnexpected: true },
    ]);
  });

  it('is harmless to stop twice', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    await Promise.all([world.stop('root'), world.stop('root')]);
    expect(world.takeJournal()).toEqual(['a init', 'a terminate shutdown']);
  });

  it('leaves no timer behind', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b', { shutdownMs: 77 })]);
    await world.stop('root');
    expect(world.runtime.deadlines.isEmpty).toBe(true);
    world.runtime.close();
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('takes no more requests: they reject with its reason', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const stopped = world.stop('root', 'shutdown');
    const refused = await rejectionOf(world.startChild(world.worker('b')));
    await stopped;
    expect(refused).toBeInstanceOf(ServerExitedError);
    expect(refused).toMatchObject({ reason: 'shutdown' });
    expect(world.journal).not.toContain('b init');
  });
});

describe('the shutdown of a child', () => {
  it('lets a running handler finish and the earlier queue drain, then terminates [S6]', async () => {
    const world = treeWorld();
    const { journal } = world;
    await world.supervise([world.worker('a')]);
    world.takeJournal();
    let finish!: () => void;
    const running = world.call('a', () => new Promise((resolve) => (finish = () => resolve(reply('done')))), Infinity);
    const queued = world.call('a', () => (journal.push('queued'), reply('too')));
    await settle();
    const stopped = world.stop('root');
    await settle();
    const late = rejectionOf(world.call('a', state));
    finish();
    await stopped;
    expect(await running).toBe('done');
    expect(await queued).toBe('too');
    expect(await late).toMatchObject({ reason: 'shutdown' });
    expect(journal).toEqual(['queued', 'a terminate shutdown']);
  });

  it('kills a child that hangs in a handler when its time is up, without terminate [S6]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { shutdownMs: 1_000 })]);
    world.takeJournal();
    const hanging = rejectionOf(world.call('a', hang, Infinity));
    const waiting = rejectionOf(world.call('a', state, Infinity));
    await settle();
    const stopped = world.stop('root');
    await settle();
    await world.clock.advance(999);
    expect(world.whereis('a')).toBeDefined();
    await world.clock.advance(1);
    await stopped;
    expect(world.journal).toEqual([]);
    expect(await hanging).toMatchObject({ reason: 'killed' });
    expect(await waiting).toMatchObject({ reason: 'killed' });
    // The call that nobody handled; the shutdown itself is no message of anybody's.
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([
      { reason: 'killed', undrained: 1, tookMs: 1_000 },
    ]);
  });

  it('kills a child that hangs in terminate when its time is up [S6]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { shutdownMs: 1_000, terminate: never })]);
    const stopped = world.stop('root');
    await settle();
    await world.clock.advance(999);
    expect(world.whereis('a')).toBeDefined();
    await world.clock.advance(1);
    await stopped;
    expect(world.journal).toEqual(['a init', 'a terminate shutdown']);
    expect(world.runtime.processCount).toBe(0);
  });

  it('does not wait for an abandoned handler, whose end is a no-op [S6]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { shutdownMs: 10 })]);
    let finish!: (value: unknown) => void;
    const hanging = rejectionOf(world.call('a', () => new Promise((resolve) => (finish = resolve)), Infinity));
    await settle();
    const stopped = world.stop('root');
    await settle();
    await world.clock.advance(10);
    await stopped;
    finish(reply('too late'));
    expect(await hanging).toMatchObject({ reason: 'killed' });
  });

  it('kills at once with brutal_kill, which is no surprise afterwards [S6]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { shutdownMs: 'brutal_kill' })]);
    world.takeJournal();
    await world.stop('root');
    expect(world.journal).toEqual([]);
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([
      { reason: 'killed', tookMs: 0, undrained: 0, isUnexpected: false },
    ]);
  });

  it('kills after no time at all with a budget of 0 [S6]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { shutdownMs: 0, terminate: never })]);
    const stopped = world.stop('root');
    await settle();
    await world.clock.advance(0);
    await stopped;
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([{ reason: 'killed', tookMs: 0 }]);
  });

  it('waits as long as it takes with a budget of Infinity [S6]', async () => {
    const world = treeWorld();
    let finish!: () => void;
    const terminate = () => new Promise<void>((resolve) => (finish = resolve));
    await world.supervise([world.worker('a', { shutdownMs: Infinity, terminate })]);
    const stopped = world.stop('root');
    await settle();
    await world.clock.advance(1e9);
    expect(world.whereis('a')).toBeDefined();
    finish();
    await stopped;
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([{ reason: 'shutdown', tookMs: 1e9 }]);
  });

  it('ends a child that neither drains nor traps in the middle of its handler [S6]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { startOptions: { drain: false } })]);
    world.takeJournal();
    const hanging = rejectionOf(world.call('a', hang, Infinity));
    await settle();
    await world.stop('root');
    expect(await hanging).toMatchObject({ reason: 'shutdown' });
    expect(world.journal).toEqual([]);
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([{ reason: 'shutdown', isUnexpected: false }]);
  });

  it('lets a child that traps exits drain even without drain [S6]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { startOptions: { drain: false, trapExit: true } })]);
    await world.stop('root');
    expect(world.journal).toEqual(['a init', 'a terminate shutdown']);
  });

  it.each([
    [
      'throws in terminate',
      () => {
        throw new Boom('last words');
      },
      new Boom('last words'),
    ],
    ['rejects in terminate', () => Promise.reject(new Boom('last words')), new Boom('last words')],
  ])('reports a child that %s, and goes on [S7]', async (_how, terminate, reason) => {
    const world = treeWorld();
    const root = await world.supervise([world.worker('a'), world.worker('b', { terminate })]);
    await world.stop('root', 'shutdown');
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([
      { childId: "'b'", reason, isUnexpected: true },
      { childId: "'a'", reason: 'shutdown', isUnexpected: false },
    ]);
    expect(world.eventsOf('process.exited').at(-1)).toMatchObject({ pid: root, reason: 'shutdown' });
  });

  it('reports a child that crashes while it drains, and goes on [S7]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b')]);
    let fail!: (error: Error) => void;
    const failing = rejectionOf(world.call('b', () => new Promise((_resolve, reject) => (fail = reject))));
    await settle();
    const stopped = world.stop('root');
    await settle();
    fail(new Boom('boom'));
    await failing;
    await stopped;
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([
      { childId: "'b'", reason: new Boom('boom'), isUnexpected: true },
      { childId: "'a'", reason: 'shutdown' },
    ]);
    expect(world.eventsOf('supervisor.child_restarted')).toEqual([]);
  });
});

describe('a supervisor that is stopped while a child is in init', () => {
  const hangingInit = () => {
    const world = treeWorld();
    const { worker } = world;
    let isHanging = true;
    const init = () => (isHanging ? never() : ok(null));
    return { world, worker, init, hangFromNowOn: (hangs: boolean) => (isHanging = hangs) };
  };

  it('gives that child its budget and no more, at first start', async () => {
    const { world, worker, init } = hangingInit();
    const started = rejectionOf(world.supervise([worker('a'), worker('b', { init, shutdownMs: 300 }), worker('c')]));
    await settle();
    const stopped = rejectionOf(world.stop('root', 'shutdown'));
    await settle();
    await world.clock.advance(299);
    expect(world.whereis('b')).toBeDefined();
    await world.clock.advance(1);
    const reason = { shutdown: { failedToStartChild: { id: 'b', reason: 'killed' } } };
    expect(await started).toMatchObject({ reason });
    expect(await stopped).toMatchObject({ reason });
    expect(world.journal).toEqual(['a init', 'b init', 'a terminate shutdown']);
    expect(world.runtime.processCount).toBe(0);
  });

  it('gives that child its budget and no more, at a restart', async () => {
    const { world, worker, init, hangFromNowOn } = hangingInit();
    hangFromNowOn(false);
    await world.supervise([worker('a'), worker('b', { init, shutdownMs: 300 })]);
    hangFromNowOn(true);
    await rejectionOf(world.call('b', crash));
    await settle();
    const stopped = world.stop('root', 'shutdown');
    await settle();
    await world.clock.advance(299);
    expect(world.whereis('b')).toBeDefined();
    await world.clock.advance(1);
    await stopped;
    expect(world.runtime.processCount).toBe(0);
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([
      { childId: "'b'", reason: 'killed', tookMs: 300, isUnexpected: true },
      { childId: "'a'" },
    ]);
    // It was stopped; that it therefore did not start is no failure of its own.
    expect(world.eventsOf('supervisor.child_start_failed')).toEqual([]);
  });

  it('stops the child in the usual way when its init is done in time', async () => {
    const world = treeWorld();
    let goOn!: () => void;
    const init = () => new Promise((resolve) => (goOn = () => resolve(ok(null))));
    const started = rejectionOf(world.supervise([world.worker('a'), world.worker('b', { init }), world.worker('c')]));
    await settle();
    const stopped = rejectionOf(world.stop('root', 'shutdown'));
    await settle();
    goOn();
    await started;
    await stopped;
    expect(world.journal).toEqual(['a init', 'b init', 'b terminate shutdown', 'a terminate shutdown']);
    expect(world.runtime.processCount).toBe(0);
  });

  it('reaches a child in init through every level of the tree', async () => {
    const { world, worker, init } = hangingInit();
    const started = rejectionOf(
      world.supervise([
        world.supervisor('mid', [worker('a'), world.supervisor('low', [worker('b', { init, shutdownMs: 300 })])]),
      ]),
    );
    await settle();
    const stopped = rejectionOf(world.stop('root'));
    await settle();
    await world.clock.advance(300);
    await started;
    await stopped;
    expect(world.runtime.processCount).toBe(0);
  });

  it('starts nothing any more that was asked for before, and ends', async () => {
    const { world, worker, init } = hangingInit();
    await world.supervise([worker('a')]);
    const refused = rejectionOf(world.startChild(worker('b', { init, shutdownMs: 300 })));
    const stopped = world.stop('root', 'shutdown');
    expect(await refused).toMatchObject({ code: 'CHILD_START_FAILED', reason: 'shutdown' });
    await stopped;
    expect(world.journal).not.toContain('b init');
    expect(world.runtime.processCount).toBe(0);
  });

  it('ends a supervisor that was to be stopped before it ran its own init', async () => {
    const { world, worker, init } = hangingInit();
    await world.supervise([worker('a')]);
    let stopped: Promise<void> | undefined;
    const other = await world.start({
      init: () => ok(null),
      handleCast: () => {
        stopped = world.stop('root', 'shutdown');
        return noReply();
      },
    });
    // In the run queue: root, the other, and then mid, which exists by the time the other has its turn.
    const refused = rejectionOf(world.startChild(world.supervisor('mid', [worker('b', { init })])));
    world.cast(other, 'stop it');
    expect(await refused).toMatchObject({ code: 'CHILD_START_FAILED' });
    await stopped;
    expect(world.journal).toEqual(['a init', 'a terminate shutdown']);
    expect(world.runtime.processCount).toBe(1);
  });

  it('interrupts a child that comes to be while the stop arrives', async () => {
    const { world, worker, init } = hangingInit();
    await world.supervise([worker('a')]);
    let stopped: Promise<void> | undefined;
    world.events.on('process.spawned', ({ label }) => {
      if (label === 'b') stopped = world.stop('root', 'shutdown');
    });
    const refused = rejectionOf(world.startChild(world.supervisor('mid', [worker('b', { init, shutdownMs: 300 })])));
    await settle();
    await world.clock.advance(300);
    await refused;
    await stopped;
    expect(world.runtime.processCount).toBe(0);
  });

  it('lets startChild fail with shutdown when its init is interrupted', async () => {
    const { world, worker, init } = hangingInit();
    await world.supervise([worker('a')]);
    const refused = rejectionOf(world.startChild(worker('b', { init, shutdownMs: 300 })));
    await settle();
    const stopped = world.stop('root');
    await settle();
    await world.clock.advance(300);
    expect(await refused).toMatchObject({ code: 'CHILD_START_FAILED', reason: 'killed' });
    await stopped;
    expect(world.runtime.processCount).toBe(0);
  });
});

describe('a supervisor that receives signals', () => {
  it.each(['odd', 'normal', 'shutdown', new Boom('from a stranger')])(
    'ignores the exit signal %o of a stranger [S21]',
    async (reason) => {
      const world = treeWorld();
      const root = await world.supervise([world.worker('a')]);
      world.exit('root', reason);
      await settle();
      expect(world.whereis('root')).toBe(root);
      expect(world.eventsOf('gen_server.unexpected_message')).toEqual([]);
      expect(world.journal).toEqual(['a init']);
    },
  );

  it('reports a message that nobody expects, and lives [S21]', async () => {
    const world = treeWorld();
    const root = await world.supervise([world.worker('a')]);
    world.send('root', { type: 'hello' });
    await settle();
    expect(world.eventsOf('gen_server.unexpected_message')).toMatchObject([{ pid: root, message: { type: 'hello' } }]);
    expect(await world.whichChildren()).toMatchObject([{ id: 'a', status: 'running' }]);
  });

  it('lives on when a child that it does not know ends [S21]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const stranger = await world.start({
      init: (_args, self) => {
        self.link(world.whereis('root')!);
        return ok(null);
      },
    });
    world.exit(stranger, 'odd');
    await settle();
    expect(await world.whichChildren()).toMatchObject([{ id: 'a', status: 'running' }]);
  });

  it.each(['normal', 'odd', { shutdown: 'parent' }])(
    'stops its tree with the reason %o when its parent ends with it [S21]',
    async (reason) => {
      const world = treeWorld();
      const parent = await world.start({ init: () => ok(null) });
      const source = blueprintOfSupervisor({ label: 'mid', children: [world.worker('a')] });
      const { process, outcome } = spawnSupervisor(world.runtime, source, 'mid', { parent: processOf(parent)! });
      await outcome;
      await world.stop(parent, reason);
      await settle();
      expect(world.eventsOf('process.exited').find(({ pid }) => pid === process.pid)).toMatchObject({ reason });
      expect(world.journal).toEqual(['a init', 'a terminate shutdown']);
      expect(world.runtime.processCount).toBe(0);
    },
  );

  it('lets children that trap exits run terminate with killed when it is killed itself [S22]', async () => {
    const world = treeWorld();
    const startOptions = { trapExit: true };
    await world.supervise([
      world.worker('a', { startOptions }),
      world.worker('b', { startOptions: { drain: false } }),
      world.worker('c', { startOptions }),
    ]);
    world.takeJournal();
    world.exit('root', 'kill');
    await settle();
    expect(world.journal).toEqual(expect.arrayContaining(['a terminate killed', 'c terminate killed']));
    expect(world.journal).toHaveLength(2);
    expect(world.runtime.processCount).toBe(0);
    expect(world.names()).toEqual([]);
    const exits = world.eventsOf('process.exited').map(({ label, reason }) => `${label} ${String(reason)}`);
    expect(exits).toEqual(expect.arrayContaining(['root killed', 'a killed', 'b killed', 'c killed']));
  });

  it.each([
    ['is in its terminate', 'is killed'],
    ['is in its terminate', 'has used up its own time'],
    ['finishes its queue', 'is killed'],
    ['finishes its queue', 'has used up its own time'],
  ])('takes along a child that it is stopping and that %s, when it %s itself [S22]', async (doing, how) => {
    const world = treeWorld();
    const a = world.worker('a', { shutdownMs: Infinity, ...(doing.includes('terminate') && { terminate: never }) });
    await world.supervise([{ ...world.supervisor('mid', [a]), shutdownMs: 100 }]);
    if (doing.includes('queue')) world.cast('a', hang);
    await settle();
    const stopped = world.stop('root');
    await settle();
    expect(world.whereis('a')).toBeDefined();
    if (how.includes('killed')) world.exit('mid', 'kill');
    else await world.clock.advance(100);
    await settle();
    await stopped;
    expect([world.runtime.processCount, world.names()]).toEqual([0, []]);
  });

  it('takes a whole tree down when its root is killed, each supervisor stopping its own children [S22]', async () => {
    const world = treeWorld();
    const c = world.worker('c', { startOptions: { trapExit: true } });
    await world.supervise([world.supervisor('mid', [world.worker('a'), world.worker('b')]), c]);
    world.takeJournal();
    world.exit('root', 'kill');
    await settle();
    expect(world.takeJournal().sort()).toEqual(['a terminate shutdown', 'b terminate shutdown', 'c terminate killed']);
    expect(world.runtime.processCount).toBe(0);
  });

  it('is restarted with its children when it is killed under a supervisor [S22]', async () => {
    const world = treeWorld();
    await world.supervise([world.supervisor('mid', [world.worker('a')])]);
    const [mid, a] = [world.whereis('mid')!, world.whereis('a')!];
    world.exit('mid', 'kill');
    await settle();
    expect(world.whereis('mid')).toMatchObject({ id: mid.id, incarnation: 1 });
    expect(world.whereis('a')).toBeDefined();
    expect(world.whereis('a')).not.toBe(a);
    await world.stop('root');
    expect(world.runtime.processCount).toBe(0);
  });

  it('starts nothing any more when it is killed in the middle of a restart [S22]', async () => {
    const world = treeWorld();
    const { worker } = world;
    let goOn: (() => void) | undefined;
    let isSlow = false;
    const init = () => (isSlow ? new Promise((resolve) => (goOn = () => resolve(ok(null)))) : ok(null));
    const startOptions = { trapExit: true };
    const children = [worker('a', { startOptions }), worker('b', { startOptions, init }), worker('c')];
    await world.supervise(children, { strategy: 'one_for_all' });
    isSlow = true;
    world.takeJournal();
    await rejectionOf(world.call('a', crash));
    await settle();
    world.exit('root', 'kill');
    await settle();
    goOn!();
    await settle();
    expect(world.takeJournal()).toEqual([
      'a terminate Error: boom',
      'c terminate shutdown',
      'b terminate shutdown',
      'a init',
      'b init',
      'a terminate killed',
      'b terminate killed',
    ]);
    expect(world.runtime.processCount).toBe(0);
    expect(world.eventsOf('supervisor.child_start_failed')).toEqual([]);
  });

  it.each([end('normal'), end('shutdown'), crash])(
    'does not go down with a child that it restarts [S21]',
    async (job) => {
      const world = treeWorld();
      const root = await world.supervise([world.worker('a')]);
      await rejectionOf(world.call('a', job));
      await settle();
      expect(world.whereis('root')).toBe(root);
    },
  );
});

describe('a child that has unlinked itself from its supervisor', () => {
  expectNothingLeft();

  it('can be stopped by it all the same', async () => {
    const world = tidyWorld();
    const supervisor = await world.supervise([world.worker('loner'), world.worker('other')]);
    world.cast('loner', (self) => (self.unlink(supervisor), noReply()));
    await world.terminateChild('loner');
    expect(world.takeJournal()).toContain('loner terminate shutdown');
    expect(await world.whichChildren()).toMatchObject([{ id: 'loner', pid: undefined }, { id: 'other' }]);
  });

  it('that was killed is stopped as any other that is gone', async () => {
    const world = tidyWorld();
    const supervisor = await world.supervise([world.worker('loner')]);
    world.cast('loner', (self) => (self.unlink(supervisor), noReply()));
    await settle();
    world.exit('loner', 'kill');
    await settle();
    await world.terminateChild('loner');
    expect(await world.countChildren()).toMatchObject({ specs: 1, active: 0 });
  });
});

describe('a supervisor whose children end by themselves while it stops', () => {
  expectNothingLeft();

  it('starts none of them again, whatever their reasons are, and ends as it was asked to', async () => {
    const world = tidyWorld();
    const gate = deferred();
    const reasons = ['normal', 'shutdown', { shutdown: 'test' }, 'other'];
    const children = (['temporary', 'transient', 'permanent'] as const).flatMap((restart) =>
      reasons.map((reason, at) => ({ id: `${restart} ${at}`, restart, reason })),
    );
    const supervisor = await world.supervise([
      world.worker('first'),
      ...children.map(({ id, restart }) => world.worker(id, { restart })),
      world.worker('last', { terminate: () => gate.promise }),
    ]);
    const watcher = await startProbe(world);
    watcher.self.monitor(supervisor);
    world.takeJournal();
    const stopped = world.stop(supervisor, 'shutdown');
    await settle();
    for (const { id, reason } of children) world.cast(id, end(reason));
    await settle();
    expect(world.names().filter((name) => name !== 'root')).toEqual(['first', 'last']);
    gate.resolve();
    await stopped;
    await settle();
    expect(watcher.messages).toMatchObject([{ reason: 'shutdown' }]);
    expect(world.takeJournal().filter((line) => line.includes('init'))).toEqual([]);
    expect(world.runtime.processCount).toBe(1);
  });
});
