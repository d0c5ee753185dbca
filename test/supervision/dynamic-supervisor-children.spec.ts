import { describe, expect, it } from 'vitest';
import { ok } from '../../lib/gen-server/results/callback-result.js';
import type { Self } from '../../lib/gen-server/self.js';
import type { Pid } from '../../lib/runtime/pid.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { DynamicSupervisor, blueprintOfDynamicSupervisor } from '../../lib/supervision/dynamic-supervisor.js';
import type { Shutdown } from '../../lib/supervision/child-spec.js';
import { dynamicWorld } from './dynamic-world.js';
import { expectNothingLeft } from './tidy-world.js';
import { never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { rejectionOf } from '../support/thrown.js';
import { crash } from '../support/tree.js';

expectNothingLeft();

describe('a dynamic supervisor', () => {
  it('is a child like any other, and is found by the name that it was given', async () => {
    const world = dynamicWorld();
    const registry = world.registries.create('supervisors', { keys: 'unique' });
    const names: ServerName[] = ['local', { global: 'global' }, { via: registry, key: 'via' }];
    await world.supervise(names.map((name, at) => world.dyn({ name, label: `dyn ${at}` } as object)));
    for (const name of names) {
      expect(DynamicSupervisor.whichChildren(world.runtime, name)).toEqual([]);
      const pid = await world.add(world.anonymous('child'), name);
      expect(DynamicSupervisor.whichChildren(world.runtime, name)).toMatchObject([{ pid }]);
    }
    const second = world.dyn({ label: 'dyn 0', name: 'another' } as object);
    expect(await rejectionOf(world.startChild(second))).toMatchObject({ code: 'ALREADY_STARTED' });
    expect(await world.countChildren()).toMatchObject({ specs: 3, supervisors: 3 });
  });

  it('has its spec overridden like any other child', async () => {
    const world = dynamicWorld();
    await world.supervise([world.dyn({}, { id: 'other', restart: 'temporary' })]);
    expect(await world.whichChildren()).toMatchObject([{ id: 'other', type: 'supervisor' }]);
    world.exit('dyn', 'kill');
    await settle();
    expect(await world.whichChildren()).toEqual([]);
  });

  it('counts a child that was restarted towards maxChildren as before', async () => {
    const world = dynamicWorld();
    await world.startDyn({ maxChildren: 1 });
    const first = await world.add(world.named('only'));
    await rejectionOf(world.call('only', crash));
    expect(world.whereis('only')).toMatchObject({ id: first.id, incarnation: 1 });
    expect(world.count()).toMatchObject({ active: 1, workers: 1 });
    expect(await rejectionOf(world.add(world.anonymous('another')))).toMatchObject({ code: 'MAX_CHILDREN' });
  });
});

describe('the count of the children of a dynamic supervisor', () => {
  it.each(['worker', 'supervisor'] as const)(
    'tells each %s, however many there are, until they are gone',
    async (type) => {
      const world = dynamicWorld();
      await world.startDyn();
      const source =
        type === 'supervisor' ? blueprintOfDynamicSupervisor({ label: 'inner' }) : world.anonymous('a').source;
      const pids: Pid[] = [];
      for (const expected of [1_000, 2_000]) {
        while (pids.length < expected) pids.push(await world.add({ source, restart: 'temporary' }));
        const [workers, supervisors] = type === 'worker' ? [expected, 0] : [0, expected];
        expect(world.count()).toEqual({ specs: expected, active: expected, workers, supervisors });
        expect(world.which()).toHaveLength(expected);
      }
      for (const pid of pids) world.exit(pid, 'kill');
      await settle();
      expect(world.count()).toEqual({ specs: 0, active: 0, workers: 0, supervisors: 0 });
    },
  );

  it('tells those that are being restarted, which are not active', async () => {
    const world = dynamicWorld();
    await world.startDyn({ maxRestarts: Infinity });
    let isBroken = false;
    const init = (): unknown => {
      if (isBroken) throw new Error('not now');
      return ok(null);
    };
    const [first, second, third] = [
      await world.add(world.named('first', { init })),
      await world.add(world.named('second', { init })),
      await world.add(world.named('third', { init })),
    ];
    isBroken = true;
    for (const pid of [first, second]) world.exit(pid, 'kill');
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.count()).toEqual({ specs: 3, active: 1, workers: 3, supervisors: 0 });
    isBroken = false;
    await settle();
    expect(world.count()).toEqual({ specs: 3, active: 3, workers: 3, supervisors: 0 });
    await world.remove(third);
    expect(world.count()).toEqual({ specs: 2, active: 2, workers: 2, supervisors: 0 });
  });
});

describe('a child of a dynamic supervisor that ends', () => {
  const trapping = { options: { trapExit: true } };
  const itself = (reason: unknown) => () => {
    let self!: Self;
    return {
      ...trapping,
      init: (given: Self) => ((self = given), ok(null)),
      terminate: () => self.exit(reason as string),
    };
  };

  it.each<[string, Shutdown, () => object, unknown]>([
    ['is killed', 'brutal_kill', () => ({}), 'killed'],
    ['ends with shutdown', Infinity, () => ({}), 'shutdown'],
    ['ends with a reason of its own', Infinity, itself({ shutdown: 'oops' }), { shutdown: 'oops' }],
    ['ends with shutdown', 1_000, () => ({}), 'shutdown'],
    ['ends with a reason of its own', 1_000, itself({ shutdown: 'oops' }), { shutdown: 'oops' }],
    ['ends with shutdown when it does not trap exits', 1, () => ({ options: { drain: false } }), 'shutdown'],
    ['is killed when it takes too long', 1, () => ({ ...trapping, terminate: never }), 'killed'],
    ['ends with normal if it likes, permanent or not', Infinity, itself('normal'), 'normal'],
  ])('%s with shutdownMs %o', async (_what, shutdownMs, options, reason) => {
    const world = dynamicWorld();
    await world.startDyn();
    const children = [];
    for (let at = 0; at < 3; at++)
      children.push(await world.add(world.anonymous('child', { shutdownMs, ...options() })));
    const probe = await startProbe(world);
    for (const pid of children) probe.self.monitor(pid);
    const stopped = world.stop('dyn', 'shutdown');
    await world.clock.advance(1);
    await stopped;
    expect(probe.messages).toMatchObject(children.map((pid) => ({ pid, reason })));
  });

  it('ends as its own spec says when others have other specs', async () => {
    const world = dynamicWorld();
    await world.startDyn();
    const patient = await world.add(world.anonymous('patient', { shutdownMs: Infinity }));
    const brutal = await world.add(world.anonymous('brutal', { shutdownMs: 'brutal_kill' }));
    const probe = await startProbe(world);
    for (const pid of [patient, brutal]) probe.self.monitor(pid);
    await world.stop('dyn', 'shutdown');
    expect(probe.messages).toHaveLength(2);
    expect(probe.messages).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ pid: patient, reason: 'shutdown' }),
        expect.objectContaining({ pid: brutal, reason: 'killed' }),
      ]),
    );
  });

  it.each<[Shutdown, string]>([
    ['brutal_kill', 'killed'],
    [1_000, 'shutdown'],
  ])('by hand with shutdownMs %o ends with %o, and is not there any more', async (shutdownMs, reason) => {
    const world = dynamicWorld();
    await world.startDyn();
    const pid = await world.add(world.anonymous('child', { shutdownMs }));
    const probe = await startProbe(world);
    probe.self.monitor(pid);
    await world.remove(pid);
    await settle();
    expect(probe.messages).toMatchObject([{ pid, reason }]);
    expect(await rejectionOf(world.remove(pid))).toMatchObject({ code: 'CHILD_STATE' });
    expect(world.count()).toMatchObject({ workers: 0, active: 0 });
  });
});
