import { describe, expect, it } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { StartError } from '../../lib/gen-server/errors.js';
import { error, ignore, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { AlreadyStartedError } from '../../lib/runtime/errors.js';
import { Pid } from '../../lib/runtime/pid.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { childSpec, type ChildStart } from '../../lib/supervision/child-spec.js';
import { SupervisorConfigError } from '../../lib/supervision/errors.js';
import { Supervisor } from '../../lib/supervision/supervisor.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, treeWorld } from '../support/tree.js';
import { expectNothingLeft, tidyWorld } from './tidy-world.js';

describe('startSupervisor', () => {
  it('starts the children in list order, each fully initialised before the next [S3]', async () => {
    const world = treeWorld();
    const { journal, worker } = world;
    const slow = (id: string) =>
      worker(id, {
        init: async () => {
          await settle();
          journal.push(`${id} ready`);
          return ok(null);
        },
      });
    const root = await world.supervise([slow('a'), worker('b'), slow('c')]);
    expect(journal).toEqual(['a init', 'a ready', 'b init', 'c init', 'c ready']);
    expect(root).toBeInstanceOf(Pid);
    expect(world.whereis('root')).toBe(root);
  });

  it('takes a supervisor without children [S3]', async () => {
    const world = treeWorld();
    await world.supervise([]);
    expect(await world.whichChildren()).toEqual([]);
  });

  it('keeps the spec of a child that ignores its start, without a process [S3]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { init: () => ignore() }), world.worker('b')]);
    expect(await world.whichChildren()).toMatchObject([
      { id: 'a', pid: undefined, status: 'stopped' },
      { id: 'b', status: 'running' },
    ]);
  });

  it('forgets a temporary child that ignores its start [S3]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { init: () => ignore(), restart: 'temporary' }), world.worker('b')]);
    expect(await world.whichChildren()).toMatchObject([{ id: 'b' }]);
  });

  it('gives a child the defaults of a worker: permanent [S1]', async () => {
    const world = treeWorld();
    await world.supervise([childSpec(blueprintOfBehaviour({ label: 'Cart', init: () => ok(null) }), { name: 'cart' })]);
    expect(await world.whichChildren()).toMatchObject([{ id: 'Cart', status: 'running', type: 'worker' }]);
    await rejectionOf(world.call('cart', 'anything'));
    await settle();
    expect(await world.whichChildren()).toMatchObject([{ pid: { incarnation: 1 } }]);
  });

  it('refuses options that make no sense before anything starts [S2]', async () => {
    const world = treeWorld();
    const refused = await rejectionOf((async () => world.supervise([world.worker('a')], { maxRestarts: -1 }))());
    expect(refused).toBeInstanceOf(SupervisorConfigError);
    expect(world.journal).toEqual([]);
    expect(world.runtime.processCount).toBe(0);
  });

  it('refuses specs that make no sense before anything starts [S2]', async () => {
    const world = treeWorld();
    const refused = await rejectionOf((async () => world.supervise([world.worker('a'), world.worker('a')]))());
    expect(refused).toMatchObject({ mistake: 'duplicate_child_name' });
    expect(world.journal).toEqual([]);
  });

  describe('when a child does not start', () => {
    it.each([
      [
        'throws',
        () => {
          throw new Boom('no');
        },
        new Boom('no'),
      ],
      ['rejects', () => Promise.reject(new Boom('no')), new Boom('no')],
      ['returns stop', () => stop('no'), 'no'],
      ['returns error', () => error('no'), 'no'],
      ['returns no result', () => 42, { badReturnValue: 42 }],
    ])('stops the others in reverse and rejects when init %s [S4]', async (_how, init, reason) => {
      const world = treeWorld();
      const { worker } = world;
      const failure = await rejectionOf(
        world.supervise([worker('a'), worker('b'), worker('c', { init }), worker('d')]),
      );
      expect(failure).toBeInstanceOf(StartError);
      expect(failure).toMatchObject({
        server: 'root',
        reason: { shutdown: { failedToStartChild: { id: 'c', reason } } },
      });
      expect(world.journal).toEqual(['a init', 'b init', 'c init', 'b terminate shutdown', 'a terminate shutdown']);
      expect(world.runtime.processCount).toBe(0);
      expect(world.names()).toEqual([]);
    });

    it('does not try again and counts nothing [S4]', async () => {
      const world = treeWorld();
      let attempts = 0;
      const init = () => {
        attempts++;
        throw new Boom('no');
      };
      await rejectionOf(world.supervise([world.worker('a', { init })], { maxRestarts: 100 }));
      await settle();
      expect(attempts).toBe(1);
      expect(world.eventsOf('supervisor.restarts_exceeded')).toEqual([]);
      expect(world.eventsOf('supervisor.child_start_failed')).toMatchObject([{ childId: "'a'", isRestart: false }]);
    });

    it('fails when the name of a child is taken [S4]', async () => {
      const world = treeWorld();
      const holder = await world.start({ init: () => ok(null) }, { name: 'b' });
      const failure = await rejectionOf(world.supervise([world.worker('a'), world.worker('b')]));
      expect(failure).toMatchObject({
        reason: { shutdown: { failedToStartChild: { id: 'b', reason: expect.any(AlreadyStartedError) } } },
      });
      expect(world.journal).toEqual(['a init', 'a terminate shutdown']);
      expect(world.whereis('b')).toBe(holder);
    });

    it('tells the reason through every level of the tree [S4]', async () => {
      const world = treeWorld();
      const { supervisor, worker } = world;
      const broken = worker('leaf', { init: () => stop('no') });
      const failure = await rejectionOf(
        world.supervise([worker('a'), supervisor('mid', [worker('b'), supervisor('low', [broken])])]),
      );
      const low = { shutdown: { failedToStartChild: { id: 'leaf', reason: 'no' } } };
      const mid = { shutdown: { failedToStartChild: { id: 'low', reason: low } } };
      expect(failure).toMatchObject({ reason: { shutdown: { failedToStartChild: { id: 'mid', reason: mid } } } });
      expect(world.runtime.processCount).toBe(0);
    });

    it('fails with "timeout" when init takes longer than its startTimeoutMs [S4]', async () => {
      const world = treeWorld();
      const never = () => new Promise(() => undefined);
      const starting = rejectionOf(
        world.supervise([world.worker('a'), world.worker('b', { init: never, startOptions: { startTimeoutMs: 300 } })]),
      );
      await settle();
      await world.clock.advance(300);
      expect(await starting).toMatchObject({
        reason: { shutdown: { failedToStartChild: { id: 'b', reason: 'timeout' } } },
      });
      expect(world.runtime.processCount).toBe(0);
    });
  });

  describe('a start function of its own', () => {
    const startedBy = (start: unknown) => {
      const world = treeWorld();
      const started = world.supervise([world.worker('a'), { id: 'odd', start: start as ChildStart }]);
      return rejectionOf(started).then((failure) => ({ failure, world }));
    };

    it.each([[42], [undefined], [null], ['ok'], [{ process: 'none' }]])(
      'fails with the value itself when it returns %o [S24]',
      async (value) => {
        const { failure, world } = await startedBy(() => value);
        expect(failure).toMatchObject({ reason: { shutdown: { failedToStartChild: { id: 'odd', reason: value } } } });
        expect(world.runtime.processCount).toBe(0);
      },
    );

    it('fails with what it throws [S24]', async () => {
      const { failure } = await startedBy(() => {
        throw new Boom('no start');
      });
      expect(failure).toMatchObject({
        reason: { shutdown: { failedToStartChild: { id: 'odd', reason: new Boom('no start') } } },
      });
    });

    it('is refused when it is no function, naming the child [S24]', async () => {
      const failure = await rejectionOf(
        (async () => treeWorld().supervise([{ id: 'odd', start: undefined as never }]))(),
      );
      expect(failure).toMatchObject({
        mistake: 'missing_start',
        message: expect.stringContaining("(child 'odd' of supervisor root)"),
      });
    });
  });

  describe('the arguments of init', () => {
    it('are evaluated once and reused by every incarnation [S23]', async () => {
      const world = treeWorld();
      const args = [{ items: ['apple'] }];
      const seen: unknown[] = [];
      const source = blueprintOfBehaviour({
        init: (received) => {
          seen.push(received[0]);
          return ok(null);
        },
        handleCall: () => crash(null as never),
      });
      await world.supervise([childSpec(source, { name: 'a', args })]);
      await rejectionOf(world.call('a', null));
      await settle();
      expect(seen).toHaveLength(2);
      expect(seen[0]).toBe(args[0]);
      expect(seen[1]).toBe(args[0]);
    });

    it('are made anew for each incarnation by a function [S23]', async () => {
      const world = treeWorld();
      let made = 0;
      const source = blueprintOfBehaviour({
        init: ([number]) => ok(number as number),
        handleCall: (request, _from, state) => (request === 'crash' ? crash(null as never) : reply(state)),
      });
      await world.supervise([childSpec(source, { name: 'a', args: () => [++made] })]);
      expect(await world.call('a', 'state')).toBe(1);
      await rejectionOf(world.call('a', 'crash'));
      expect(await world.call('a', 'state')).toBe(2);
    });
  });

  it('says so after 10 s when a child is still in init', async () => {
    const world = treeWorld();
    let goOn!: () => void;
    const init = () => new Promise((resolve) => (goOn = () => resolve(ok(null))));
    const started = world.supervise([world.worker('a', { init })]);
    await settle();
    await world.clock.advance(9_999);
    expect(world.eventsOf('supervisor.child_start_slow')).toEqual([]);
    await world.clock.advance(1);
    expect(world.eventsOf('supervisor.child_start_slow')).toEqual([
      { type: 'supervisor.child_start_slow', supervisor: 'root', childId: "'a'", waitedMs: 10_000 },
    ]);
    goOn();
    await started;
  });

  it('says nothing of a child that was in time', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    await world.clock.advance(20_000);
    expect(world.eventsOf('supervisor.child_start_slow')).toEqual([]);
    expect(world.runtime.deadlines.isEmpty).toBe(true);
  });

  it('reports when it is up, with how many children and in what time', async () => {
    const world = treeWorld();
    const root = await world.supervise([world.worker('a'), world.supervisor('mid', [])]);
    expect(world.eventsOf('supervisor.started')).toMatchObject([
      { supervisor: 'mid', isRoot: false, children: 0, tookMs: 0 },
      { supervisor: 'root', isRoot: true, children: 2, tookMs: 0, pid: root },
    ]);
  });
});

describe('the name of a supervisor', () => {
  expectNothingLeft();

  it.each<[string, (world: ReturnType<typeof tidyWorld>) => ServerName]>([
    ['a string', () => 'sup'],
    ['{ global }', () => ({ global: 'sup' })],
    ['{ via }', ({ registries }) => ({ via: registries.create('supervisors', { keys: 'unique' }), key: 'sup' })],
  ])('may be %s', async (_form, nameIn) => {
    const world = tidyWorld();
    const name = nameIn(world);
    await world.supervise([world.worker('a')], { name });
    expect(await Supervisor.whichChildren(world.runtime, name)).toMatchObject([{ id: 'a' }]);
    expect(await Supervisor.countChildren(world.runtime, name)).toMatchObject({ specs: 1, active: 1 });
    await world.stop(name, 'shutdown');
    expect(world.runtime.processCount).toBe(0);
  });

  it.each([[42], [''], [{}], [{ invalid: 'sup' }]])('is refused when it is none: %o', async (name) => {
    const world = tidyWorld();
    const error = await rejectionOf(world.supervise([world.worker('a')], { name: name as never }));
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringMatching(/name/) as unknown });
    expect(world.takeJournal()).toEqual([]);
  });
});
