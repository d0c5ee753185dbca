import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { Exit } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { ChildStateError, MaxChildrenError } from '../../lib/supervision/errors.js';
import { taskChildSpec } from '../../lib/supervision/task-child-spec.js';
import { TaskSupervisor } from '../../lib/supervision/task-supervisor.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { rejectionOf } from '../support/thrown.js';
import { treeWorld, type TreeWorld } from '../support/tree.js';
import { expectWorldEnds } from '../support/world-end.js';

class Boom extends Error {}

const boom = (): never => {
  throw new Boom('boom');
};

const isAlive = (pid: Pid): boolean => processOf(pid) !== undefined;

let world: TreeWorld;
let owner: Probe;
let supervisor: Pid;

beforeEach(async () => {
  world = treeWorld();
  owner = await startProbe(world, { name: 'owner' });
  supervisor = await TaskSupervisor.start(world.runtime, { name: 'tasks' });
});

afterEach(() => expectWorldEnds(world));

const children = () => TaskSupervisor.children(world.runtime, 'tasks');

describe('TaskSupervisor', () => {
  it('keeps its tasks until they end, and hears of them without messages (K14)', async () => {
    const gate = deferred<number>();
    const task = TaskSupervisor.async(owner.self, 'tasks', () => gate.promise);
    expect(children()).toEqual([task.pid]);
    gate.resolve(1);
    expect(await task).toBe(1);
    expect(children()).toEqual([]);
    expect(world.seen.filter(({ type }) => type === 'gen_server.unexpected_message')).toEqual([]);
  });

  it('takes an owner with a linked task that fails, and lives itself (K11, K14)', async () => {
    const failed = TaskSupervisor.async(owner.self, 'tasks', boom);
    expect(await rejectionOf(failed.await())).toBeInstanceOf(Boom);
    expect([isAlive(owner.pid), isAlive(supervisor)]).toEqual([false, true]);
  });

  it('tells a failure without a link to await only (K11)', async () => {
    const failed = TaskSupervisor.asyncNolink(owner.self, 'tasks', boom);
    expect(await failed.yield()).toEqual({ status: 'exit', reason: expect.any(Boom) as unknown });
    expect(isAlive(owner.pid)).toBe(true);
  });

  it('lets a task without a link outlive its owner (K11)', async () => {
    const task = TaskSupervisor.asyncNolink(owner.self, 'tasks', never);
    await settle();
    world.exit(owner.pid, 'kill');
    await settle();
    expect(isAlive(task.pid)).toBe(true);
  });

  it.each<[string, () => unknown, unknown]>([
    ['is stopped', () => world.stop('tasks', 'shutdown'), 'shutdown'],
    ['is killed', () => world.exit('tasks', 'kill'), 'killed'],
  ])('ends its tasks when it %s, and the owners that are linked to them (K14)', async (_name, end, reason) => {
    const trapping = await startProbe(world, { trapExit: true });
    const linked = TaskSupervisor.async(owner.self, 'tasks', never);
    const trapped = TaskSupervisor.async(trapping.self, 'tasks', never);
    const watcher = await startProbe(world);
    watcher.self.monitor(owner.pid);
    await settle();
    await end();
    await settle();
    expect([linked, trapped].map(({ pid }) => isAlive(pid))).toEqual([false, false]);
    expect(watcher.messages).toMatchObject([{ reason }]);
    expect(trapping.messages).toMatchObject([new Exit(trapped.pid, reason), { reason }]);
  });

  it('refuses one task more than it may have, by throwing (K14)', async () => {
    await TaskSupervisor.start(world.runtime, { name: 'small', label: 'Small', maxChildren: 1 });
    const first = TaskSupervisor.asyncNolink(owner.self, 'small', never);
    for (const start of [TaskSupervisor.async, TaskSupervisor.asyncNolink]) {
      expect(() => start(owner.self, 'small', never)).toThrow(MaxChildrenError);
    }
    expect(() => TaskSupervisor.startChild(world.runtime, 'small', never)).toThrow(
      'Small has all the children it may have (maxChildren: 1). Stop some, or raise the limit.',
    );
    await first.shutdown();
    expect(await TaskSupervisor.asyncNolink(owner.self, 'small', () => 'room again')).toBe('room again');
  });

  it.each([[-1], [1.5], [Number.NaN]])('refuses maxChildren %s', async (maxChildren) => {
    expect(await rejectionOf(TaskSupervisor.start(world.runtime, { maxChildren }))).toMatchObject({
      code: 'SUPERVISOR_CONFIG',
      mistake: 'invalid_max_children',
    });
  });

  it('starts a child that is linked to nobody and not started again (K14)', async () => {
    let runs = 0;
    const pid = TaskSupervisor.startChild(world.runtime, 'tasks', () => {
      runs++;
      boom();
    });
    await settle();
    expect([runs, isAlive(pid), children(), isAlive(supervisor)]).toEqual([1, false, [], true]);
    expect(world.eventsOf('task.crashed')).toMatchObject([{ label: 'Task', isAwaited: false }]);
  });

  it('stops one child, once (K14)', async () => {
    let signal!: AbortSignal;
    const pid = TaskSupervisor.startChild(world.runtime, 'tasks', (given) => ((signal = given), never()));
    await settle();
    await TaskSupervisor.terminateChild(world.runtime, 'tasks', pid);
    expect([isAlive(pid), signal.reason, children()]).toEqual([false, 'shutdown', []]);
    expect(await rejectionOf(TaskSupervisor.terminateChild(world.runtime, 'tasks', pid))).toBeInstanceOf(
      ChildStateError,
    );
  });

  it('streams with its tasks, as outcomes or with links (K13)', async () => {
    const nolink = [];
    for await (const outcome of TaskSupervisor.asyncStreamNolink(owner.self, 'tasks', [1, 2], (at) =>
      at === 1 ? boom() : at,
    )) {
      nolink.push(outcome);
      expect(isAlive(owner.pid)).toBe(true);
    }
    expect(nolink).toMatchObject([{ status: 'exit' }, { status: 'ok', value: 2 }]);
    const linked = TaskSupervisor.asyncStream(owner.self, 'tasks', [1], boom);
    expect(await rejectionOf(linked.next())).toBeInstanceOf(NoProcessError);
    expect(isAlive(owner.pid)).toBe(false);
  });

  it('ends a stream that it has no room for, and stops what was started (K13, K14)', async () => {
    await TaskSupervisor.start(world.runtime, { name: 'small', maxChildren: 2 });
    const stream = TaskSupervisor.asyncStreamNolink(owner.self, 'small', [1, 2, 3], never, { maxConcurrency: 3 });
    expect(await rejectionOf(stream.next())).toBeInstanceOf(MaxChildrenError);
    await settle();
    expect(TaskSupervisor.children(world.runtime, 'small')).toEqual([]);
  });

  it('stops what a stream runs when its owner ends', async () => {
    const stream = TaskSupervisor.asyncStreamNolink(owner.self, 'tasks', [1, 2], never, { maxConcurrency: 2 });
    const first = rejectionOf(stream.next());
    await settle();
    await world.stop(owner.pid);
    expect(await first).toBeInstanceOf(NoProcessError);
    expect(children()).toEqual([]);
  });

  it('takes no tasks when it is not there, is none, or is on its way out', async () => {
    for (const destination of ['nobody', owner.pid]) {
      expect(() => TaskSupervisor.async(owner.self, destination, never)).toThrow(NoProcessError);
    }
    const stopped = world.stop('tasks');
    expect(() => TaskSupervisor.async(owner.self, 'tasks', never)).toThrow(/is stopping and takes no more tasks/);
    await stopped;
  });

  it('takes the task of a start that was in its own init', async () => {
    await world.supervise([TaskSupervisor.childSpec({ label: 'pool', name: 'pool', maxChildren: 1 })]);
    const task = TaskSupervisor.asyncNolink(owner.self, 'pool', never);
    await settle();
    await world.stop('root', 'shutdown');
    expect(isAlive(task.pid)).toBe(false);
    await settle();
    expect(owner.messages).toMatchObject([{ ref: task.ref, reason: 'shutdown' }]);
  });

  it('begins without tasks when it was started again', async () => {
    await world.supervise([TaskSupervisor.childSpec({ name: 'pool' })]);
    const task = TaskSupervisor.asyncNolink(owner.self, 'pool', never);
    world.exit('pool', 'kill');
    await settle();
    expect([isAlive(task.pid), TaskSupervisor.children(world.runtime, 'pool')]).toEqual([false, []]);
    expect(await TaskSupervisor.asyncNolink(owner.self, 'pool', () => 'again')).toBe('again');
    await world.stop('root', 'shutdown');
  });
});

describe('a task as the child of a supervisor', () => {
  it('is temporary: its end, good or bad, is no incident (K14)', async () => {
    const runs: string[] = [];
    await world.supervise([
      taskChildSpec(() => void runs.push('good')),
      taskChildSpec(() => (runs.push('bad'), boom()), { id: 'bad' }),
    ]);
    await settle();
    expect([runs, await world.whichChildren()]).toEqual([['good', 'bad'], []]);
    await world.stop('root', 'shutdown');
  });

  it('is started again where restart says so (S1)', async () => {
    let runs = 0;
    await world.supervise([taskChildSpec(() => (++runs < 3 ? boom() : undefined), { restart: 'transient' })]);
    await settle();
    expect(runs).toBe(3);
    await world.stop('root', 'shutdown');
  });

  it('ends in the middle of its work when it is stopped, and its signal fires (K14)', async () => {
    let signal!: AbortSignal;
    await world.supervise([taskChildSpec((given) => ((signal = given), never()))]);
    await settle();
    await world.stop('root', 'shutdown');
    expect([signal.aborted, signal.reason]).toEqual([true, 'shutdown']);
  });
});
