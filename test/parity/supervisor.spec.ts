import { describe, expect, it } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { noReply } from '../../lib/gen-server/results/callback-result.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { Supervisor } from '../../lib/supervision/supervisor.js';
import { childSpec } from '../../lib/supervision/child-spec.js';
import { taskChildSpec } from '../../lib/supervision/task-child-spec.js';
import { expectNothingLeft, tidyWorld } from '../supervision/tidy-world.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { rejectionOf } from '../support/thrown.js';
import { end } from '../support/tree.js';

expectNothingLeft();

describe('the name of a supervisor', () => {
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

describe('a child that is added to a supervisor', () => {
  it('may be a server, with the defaults of one', async () => {
    const world = tidyWorld();
    await world.supervise([]);
    const pid = await world.startChild(childSpec(blueprintOfBehaviour({ label: 'Stack' }), { args: [['hello']] }));
    expect(await world.whichChildren()).toMatchObject([{ id: 'Stack', pid, type: 'worker' }]);
  });

  it('may be a task, which is gone when it is done', async () => {
    const world = tidyWorld();
    await world.supervise([]);
    const gate = deferred();
    const pid = await world.startChild(taskChildSpec(() => gate.promise));
    expect(await world.whichChildren()).toMatchObject([{ pid, type: 'worker' }]);
    gate.resolve();
    await settle();
    expect(await world.countChildren()).toEqual({ specs: 0, active: 0, supervisors: 0, workers: 0 });
  });
});

describe('a child that has unlinked itself from its supervisor', () => {
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
