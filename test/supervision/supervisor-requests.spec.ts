import { describe, expect, it } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { ignore, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { AlreadyStartedError } from '../../lib/runtime/errors.js';
import { type ChildSpec, childSpec } from '../../lib/supervision/child-spec.js';
import { ChildStartError, ChildStateError, SupervisorConfigError } from '../../lib/supervision/errors.js';
import { taskChildSpec } from '../../lib/supervision/task-child-spec.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { Boom, crash, end, treeWorld, type TreeWorld } from '../support/tree.js';
import { expectNothingLeft, tidyWorld } from './tidy-world.js';

const start = (): undefined => undefined;
const ids = async (world: TreeWorld) => (await world.whichChildren()).map(({ id }) => id);

describe('Supervisor.startChild', () => {
  it('appends the child, starts it, and gives its pid [S17]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const pid = await world.startChild(world.worker('b'));
    expect(pid).toBe(world.whereis('b'));
    expect(await ids(world)).toEqual(['a', 'b']);
  });

  it('places it last, which is what rest_for_one goes by [S17]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b')], { strategy: 'rest_for_one' });
    await world.startChild(world.worker('c'));
    world.takeJournal();
    await rejectionOf(world.call('b', crash));
    await settle();
    expect(world.journal).toEqual(['b terminate Error: boom', 'c terminate shutdown', 'b init', 'c init']);
  });

  it('starts a child that is restarted like any other [S17]', async () => {
    const world = treeWorld();
    await world.supervise([]);
    await world.startChild(world.worker('a'));
    await rejectionOf(world.call('a', crash));
    expect(await world.call('a', (self) => reply(self.pid))).toMatchObject({ incarnation: 1 });
  });

  it('refuses an id that runs, naming the pid [S17]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const error = await rejectionOf(world.startChild(world.worker('a')));
    expect(error).toBeInstanceOf(AlreadyStartedError);
    expect(error).toMatchObject({ code: 'ALREADY_STARTED', serverName: "'a'", holder: world.whereis('a')!.toString() });
    expect(world.journal).toEqual(['a init']);
  });

  it('refuses an id that is there but stopped [S17]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    await world.terminateChild('a');
    const error = await rejectionOf(world.startChild(world.worker('a')));
    expect(error).toBeInstanceOf(ChildStateError);
    expect(error).toMatchObject({
      name: 'ChildStateError',
      code: 'CHILD_STATE',
      supervisor: 'root',
      childId: "'a'",
      problem: 'already_present',
      message: "Supervisor root: child 'a' is there but stopped; restart it with restartChild, or delete it first.",
    });
  });

  it('refuses an id that is being restarted [S17]', async () => {
    const world = await withRestartingChild();
    expect(await rejectionOf(world.startChild(world.worker('a')))).toMatchObject({ problem: 'restarting' });
  });

  it('starts one of two children with the same id that are asked for at once [S17]', async () => {
    const world = treeWorld();
    await world.supervise([]);
    const slow = () => world.worker('a', { init: () => settle().then(() => ok(null)) });
    const [first, second] = await Promise.allSettled([world.startChild(slow()), world.startChild(slow())]);
    expect(first).toMatchObject({ status: 'fulfilled', value: world.whereis('a') });
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'ALREADY_STARTED' } });
    expect(world.takeJournal()).toEqual(['a init']);
  });

  it('discards the spec of a child that does not start [S17]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const error = await rejectionOf(
      world.startChild(
        world.worker('b', {
          init: () => {
            throw new Boom('no');
          },
        }),
      ),
    );
    expect(error).toBeInstanceOf(ChildStartError);
    expect(error).toMatchObject({
      name: 'ChildStartError',
      code: 'CHILD_START_FAILED',
      supervisor: 'root',
      childId: "'b'",
      reason: new Boom('no'),
      cause: new Boom('no'),
      message: "Supervisor root: child 'b' did not start: Error: no",
    });
    expect(await ids(world)).toEqual(['a']);
    expect(await world.startChild(world.worker('b'))).toBe(world.whereis('b'));
  });

  it('counts nothing when the child does not start [S17]', async () => {
    const world = treeWorld();
    const root = await world.supervise([], { maxRestarts: 0 });
    for (let i = 0; i < 3; i++) await rejectionOf(world.startChild(world.worker('b', { init: () => stop('no') })));
    expect(world.whereis('root')).toBe(root);
  });

  it('gives undefined and keeps the spec of a child that ignores its start [S17]', async () => {
    const world = treeWorld();
    await world.supervise([]);
    expect(await world.startChild(world.worker('a', { init: () => ignore() }))).toBeUndefined();
    expect(await world.whichChildren()).toEqual([{ id: 'a', pid: undefined, status: 'stopped', type: 'worker' }]);
  });

  it('forgets a temporary child that ignores its start [S17]', async () => {
    const world = treeWorld();
    await world.supervise([]);
    expect(await world.startChild(world.worker('a', { init: () => ignore(), restart: 'temporary' }))).toBeUndefined();
    expect(await ids(world)).toEqual([]);
  });

  it.each([
    ['nothing', undefined, 'missing_id'],
    ['null', null, 'missing_id'],
    ['a string', 'a', 'missing_id'],
    ['a spec without a start', { id: 'a' }, 'missing_start'],
    ['a restart that is none', { id: 'a', start, restart: 'often' }, 'invalid_restart_type'],
    ['a shutdownMs that is none', { id: 'a', start, shutdownMs: 'soon' }, 'invalid_shutdown'],
    ['a type that is none', { id: 'a', start, type: 'job' }, 'invalid_child_type'],
  ])('refuses %s and lives on [S17]', async (_what, spec, mistake) => {
    const world = treeWorld();
    const root = await world.supervise([world.worker('x')]);
    const error = await rejectionOf(world.startChild(spec as ChildSpec));
    expect(error).toBeInstanceOf(SupervisorConfigError);
    expect(error).toMatchObject({ mistake });
    expect(world.whereis('root')).toBe(root);
    expect(await ids(world)).toEqual(['x']);
  });

  it('waits its turn behind a child that is in init', async () => {
    const world = treeWorld();
    await world.supervise([]);
    let goOn!: () => void;
    const init = () => new Promise((resolve) => (goOn = () => resolve(ok(null))));
    const first = world.startChild(world.worker('a', { init }));
    const second = world.startChild(world.worker('b'));
    await settle();
    expect(world.journal).toEqual(['a init']);
    // Nothing is too long for a request to a supervisor.
    await world.clock.advance(60_000);
    goOn();
    await Promise.all([first, second]);
    expect(await ids(world)).toEqual(['a', 'b']);
  });

  it('finds nobody when the supervisor is not there', async () => {
    expect(await rejectionOf(treeWorld().startChild({} as ChildSpec))).toBeInstanceOf(NoProcessError);
  });
});

/** A world whose child `a` ended and does not start again for now. */
async function withRestartingChild(): Promise<TreeWorld> {
  const world = treeWorld();
  let starts = 0;
  const init = () => (starts++ === 0 ? ok(null) : stop('not yet'));
  await world.supervise([world.worker('a', { init })], { maxRestarts: 1_000_000 });
  await rejectionOf(world.call('a', crash));
  expect(await world.whichChildren()).toMatchObject([{ id: 'a', status: 'restarting' }]);
  return world;
}

describe('Supervisor.terminateChild', () => {
  it('stops the child, keeps its spec, and does not restart it [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b')], { maxRestarts: 0 });
    await world.terminateChild('a');
    await settle();
    expect(world.journal).toEqual(['a init', 'b init', 'a terminate shutdown']);
    expect(await world.whichChildren()).toMatchObject([
      { id: 'a', pid: undefined, status: 'stopped' },
      { id: 'b', status: 'running' },
    ]);
    expect(world.names()).toEqual(['root', 'b']);
  });

  it('resolves when the child is gone and its name is free [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { terminate: () => settle() })]);
    await world.terminateChild('a');
    expect(world.whereis('a')).toBeUndefined();
    expect(world.runtime.processCount).toBe(1);
  });

  it('leaves the siblings alone, whatever the strategy [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b')], { strategy: 'one_for_all' });
    const b = world.whereis('b');
    await world.terminateChild('a');
    await settle();
    expect(world.whereis('b')).toBe(b);
  });

  it('forgets a temporary child [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { restart: 'temporary' })]);
    await world.terminateChild('a');
    expect(await ids(world)).toEqual([]);
    expect(await rejectionOf(world.terminateChild('a'))).toMatchObject({ problem: 'not_found' });
  });

  it('is fine with a child that is stopped already [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    await world.terminateChild('a');
    await expect(world.terminateChild('a')).resolves.toBeUndefined();
  });

  it('stops the retries of a child that is being restarted [S18]', async () => {
    const world = await withRestartingChild();
    await world.terminateChild('a');
    world.takeJournal();
    await settle();
    expect(world.takeJournal()).toEqual([]);
    expect(await world.whichChildren()).toMatchObject([{ status: 'stopped' }]);
  });

  it('gives a hanging child the time of its spec, while others wait [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { terminate: () => new Promise(() => undefined), shutdownMs: 300 })]);
    const terminated = world.terminateChild('a');
    await settle();
    await world.clock.advance(300);
    await terminated;
    expect(world.eventsOf('supervisor.child_stopped')).toMatchObject([{ reason: 'killed', tookMs: 300 }]);
  });

  it('does not know an id that it does not have [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const error = await rejectionOf(world.terminateChild('b'));
    expect(error).toBeInstanceOf(ChildStateError);
    expect(error).toMatchObject({ problem: 'not_found', message: "Supervisor root: there is no child 'b'." });
  });
});

describe('Supervisor.restartChild', () => {
  it('starts a stopped child in its old place, as its next incarnation [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b')]);
    const { id } = world.whereis('a')!;
    await world.terminateChild('a');
    const pid = await world.restartChild('a');
    expect(pid).toBe(world.whereis('a'));
    expect(pid).toMatchObject({ id, incarnation: 1 });
    expect(await ids(world)).toEqual(['a', 'b']);
  });

  it('starts a transient child that has ended clean [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { restart: 'transient' })]);
    await rejectionOf(world.call('a', end('normal')));
    expect(await world.restartChild('a')).toMatchObject({ incarnation: 1 });
  });

  it('refuses a child that runs [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    expect(await rejectionOf(world.restartChild('a'))).toMatchObject({
      code: 'CHILD_STATE',
      problem: 'running',
      message: "Supervisor root: child 'a' is running; terminate it first.",
    });
  });

  it('refuses a child that is being restarted [S18]', async () => {
    const world = await withRestartingChild();
    expect(await rejectionOf(world.restartChild('a'))).toMatchObject({
      problem: 'restarting',
      message: "Supervisor root: child 'a' is being restarted; terminate it first.",
    });
  });

  it('does not know an id that it does not have [S18]', async () => {
    const world = treeWorld();
    await world.supervise([]);
    expect(await rejectionOf(world.restartChild('a'))).toMatchObject({ problem: 'not_found' });
  });

  it('keeps the child stopped when it does not start, without trying again [S18]', async () => {
    const world = treeWorld();
    let starts = 0;
    await world.supervise([world.worker('a', { init: () => (starts++ === 0 ? ok(null) : stop('no')) })]);
    await world.terminateChild('a');
    expect(await rejectionOf(world.restartChild('a'))).toMatchObject({ code: 'CHILD_START_FAILED', reason: 'no' });
    await settle();
    expect(starts).toBe(2);
    expect(await world.whichChildren()).toMatchObject([{ id: 'a', status: 'stopped' }]);
  });

  it('gives undefined when the child ignores its start [S18]', async () => {
    const world = treeWorld();
    let starts = 0;
    await world.supervise([world.worker('a', { init: () => (starts++ === 0 ? ok(null) : ignore()) })]);
    await world.terminateChild('a');
    expect(await world.restartChild('a')).toBeUndefined();
    expect(await world.whichChildren()).toMatchObject([{ id: 'a', status: 'stopped' }]);
  });
});

describe('Supervisor.deleteChild', () => {
  it('forgets a stopped child [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b')]);
    await world.terminateChild('a');
    await world.deleteChild('a');
    expect(await ids(world)).toEqual(['b']);
    expect(await world.startChild(world.worker('a'))).toMatchObject({ incarnation: 0 });
    expect(await ids(world)).toEqual(['b', 'a']);
  });

  it('refuses a child that runs [S18]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    expect(await rejectionOf(world.deleteChild('a'))).toMatchObject({ problem: 'running' });
    expect(await ids(world)).toEqual(['a']);
  });

  it('refuses a child that is being restarted [S18]', async () => {
    const world = await withRestartingChild();
    expect(await rejectionOf(world.deleteChild('a'))).toMatchObject({ problem: 'restarting' });
  });

  it('does not know an id that it does not have [S18]', async () => {
    const world = treeWorld();
    await world.supervise([]);
    expect(await rejectionOf(world.deleteChild('a'))).toMatchObject({ problem: 'not_found' });
  });
});

describe('Supervisor.whichChildren and countChildren', () => {
  it('show the children in the order they are started [S19]', async () => {
    const world = treeWorld();
    const { supervisor, worker } = world;
    await world.supervise([worker('a'), supervisor('mid', []), worker('b', { restart: 'transient' })]);
    await world.startChild(worker('c'));
    await rejectionOf(world.call('b', end('normal')));
    expect(await world.whichChildren()).toEqual([
      { id: 'a', pid: world.whereis('a'), status: 'running', type: 'worker' },
      { id: 'mid', pid: world.whereis('mid'), status: 'running', type: 'supervisor' },
      { id: 'b', pid: undefined, status: 'stopped', type: 'worker' },
      { id: 'c', pid: world.whereis('c'), status: 'running', type: 'worker' },
    ]);
  });

  it('count those that do not run among the workers and supervisors, not among the active [S19]', async () => {
    const world = treeWorld();
    const { supervisor, worker } = world;
    await world.supervise([worker('a'), worker('b'), supervisor('mid', []), supervisor('low', [])]);
    await world.terminateChild('b');
    await world.terminateChild('low');
    expect(await world.countChildren()).toEqual({ specs: 4, active: 2, supervisors: 2, workers: 2 });
  });

  it('count a child that is being restarted, which is not active [S19]', async () => {
    const world = await withRestartingChild();
    expect(await world.countChildren()).toEqual({ specs: 1, active: 0, supervisors: 0, workers: 1 });
  });

  it('give a list of their own: changing it changes nothing [S19]', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const list = (await world.whichChildren()) as unknown[];
    list.length = 0;
    expect(await ids(world)).toEqual(['a']);
  });
});

describe('a child that is added to a supervisor', () => {
  expectNothingLeft();

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
