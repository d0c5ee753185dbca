import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallCycleError, NoProcessError, TaskExitError, TaskTimeoutError } from '../../lib/gen-server/errors.js';
import { reply } from '../../lib/gen-server/results/callback-result.js';
import { TaskResult } from '../../lib/gen-server/results/messages.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { ChildStateError, MaxChildrenError } from '../../lib/supervision/errors.js';
import { taskChildSpec } from '../../lib/supervision/task-child-spec.js';
import { TaskSupervisor } from '../../lib/supervision/task-supervisor.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
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

const children = (name: ServerName = 'tasks') => TaskSupervisor.children(world.runtime, name);

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

describe('for an owner that traps exits', () => {
  // So that a task that fails does not take it along.
  beforeEach(async () => (owner = await startProbe(world, { trapExit: true })));

  describe('a task supervisor', () => {
    it('has no children at first', () => {
      expect(children()).toEqual([]);
    });

    it('is a child like any other, and is found by the name that it was given', async () => {
      const registry = world.registries.create('supervisors', { keys: 'unique' });
      const names: ServerName[] = ['local', { global: 'global' }, { via: registry, key: 'via' }];
      const specs = names.map((name, at) => TaskSupervisor.childSpec({ label: `tasks ${at}`, name }));
      await world.supervise(specs);
      expect(names.map((name) => children(name))).toEqual([[], [], []]);
      const second = TaskSupervisor.childSpec({ label: 'tasks 0' });
      expect(await rejectionOf(world.startChild(second))).toMatchObject({ code: 'ALREADY_STARTED' });
      expect(await world.countChildren()).toMatchObject({ specs: 3, supervisors: 3 });
    });

    it.each<[string, (work: () => Promise<never>) => Pid]>([
      ['async', (work) => TaskSupervisor.async(owner.self, 'killers', work).pid],
      ['asyncNolink', (work) => TaskSupervisor.asyncNolink(owner.self, 'killers', work).pid],
      ['startChild', (work) => TaskSupervisor.startChild(world.runtime, 'killers', work)],
    ])("kills its tasks when it ends and shutdownMs is 'brutal_kill': %s", async (_name, start) => {
      await TaskSupervisor.start(world.runtime, { name: 'killers', shutdownMs: 'brutal_kill' });
      const pid = start(never);
      const watcher = await startProbe(world);
      watcher.self.monitor(pid);
      await settle();
      await world.stop('killers', 'shutdown');
      expect(watcher.messages).toMatchObject([{ pid, reason: 'killed' }]);
    });

    it('links async to its owner, and neither asyncNolink nor startChild', async () => {
      const linked = TaskSupervisor.async(owner.self, 'tasks', never).pid;
      const others = [
        TaskSupervisor.asyncNolink(owner.self, 'tasks', never).pid,
        TaskSupervisor.startChild(world.runtime, 'tasks', never),
      ];
      expect(children()).toEqual([linked, ...others]);
      await settle();
      world.exit(owner.pid, 'kill');
      await settle();
      expect([linked, ...others].map(isAlive)).toEqual([false, true, true]);
    });

    it('sends the owner the result and the end of a task that it does not wait for', async () => {
      for (const start of [TaskSupervisor.async, TaskSupervisor.asyncNolink]) {
        const { ref, pid } = start(owner.self, 'tasks', () => 'done');
        await settle();
        const told = owner.messages.splice(0).filter((message) => !(message instanceof Exit));
        expect(told).toEqual([new TaskResult(ref, 'done'), new Down(ref, pid, pid, 'normal')]);
      }
    });

    it('runs what it is given once it has settled, and tells nobody', async () => {
      const gate = deferred();
      const ran: string[] = [];
      const pid = TaskSupervisor.startChild(world.runtime, 'tasks', async () => {
        await gate.promise;
        ran.push('done');
      });
      expect(children()).toEqual([pid]);
      gate.resolve();
      await settle();
      expect([ran, children(), owner.messages]).toEqual([['done'], [], []]);
    });

    it('hands the chain of callers on to its tasks', async () => {
      world = treeWorld({ tracking: true });
      await TaskSupervisor.start(world.runtime, { name: 'tasks' });
      const pid = await world.start(script({ label: 'Cart' }));
      const work = async () => (await Promise.resolve(), world.call(pid, () => reply('never')));
      const ask = async ({ self }: Context) => reply(await TaskSupervisor.asyncNolink(self, 'tasks', work).yield());
      const outcome = world.call(pid, ask as never, Infinity);
      await world.clock.advance(1_000);
      expect(await outcome).toEqual({ status: 'exit', reason: expect.any(CallCycleError) as unknown });
    });
  });

  describe('awaiting a task under a supervisor', () => {
    it('that takes too long leaves neither a watch nor a message behind', async () => {
      const gate = deferred<string>();
      const task = TaskSupervisor.async(owner.self, 'tasks', () => gate.promise);
      expect(await rejectionOf(task.await(0))).toBeInstanceOf(TaskTimeoutError);
      gate.resolve('late');
      await settle();
      expect(owner.messages.filter((message) => !(message instanceof Exit))).toEqual([]);
    });

    it.each<[string, () => unknown, unknown]>([
      ['throws what is no error', () => Promise.reject('unknown'), 'unknown'],
      ['throws', () => Promise.reject(new Boom('boom')), expect.any(Boom)],
    ])('that %s rejects with that', async (_how, work, thrown) => {
      const task = TaskSupervisor.async(owner.self, 'tasks', work);
      expect(await rejectionOf(task.await())).toEqual(thrown);
      expect(isAlive(owner.pid)).toBe(true);
    });

    it('that is ended rejects with the reason', async () => {
      const task = TaskSupervisor.async(owner.self, 'tasks', never);
      const awaited = rejectionOf(task.await());
      await settle();
      world.exit(task.pid, 'unknown');
      expect(await awaited).toBeInstanceOf(TaskExitError);
      expect(await awaited).toMatchObject({ reason: 'unknown' });
    });
  });

  describe.each(['asyncStream', 'asyncStreamNolink'] as const)('%s of a task supervisor', (kind) => {
    const stream = <T>(items: Iterable<number>, work: (item: number) => T | Promise<T>, options = {}) =>
      TaskSupervisor[kind](owner.self, 'tasks', items, work, options);
    const sleep = (ms: number): Promise<number> =>
      new Promise((resolve) => world.clock.setTimer(ms, () => resolve(ms)));
    const ok = (...values: number[]) => values.map((value) => ({ status: 'ok', value }));

    async function read<T>(outcomes: AsyncIterable<T>, most = Infinity): Promise<T[]> {
      const all: T[] = [];
      const done = (async () => {
        for await (const outcome of outcomes) if (all.push(outcome) === most) break;
      })();
      done.catch(() => undefined);
      await world.clock.advance(1_000);
      await done;
      return all;
    }

    it('gives the results in the order of the items, and leaves neither tasks nor messages', async () => {
      expect(await read(stream([1, 2, 3, 4], sleep))).toEqual(ok(1, 2, 3, 4));
      await settle();
      expect([children(), owner.messages]).toEqual([[], []]);
    });

    it('does so with the slowest first', async () => {
      expect(await read(stream([4, 3, 2, 1], sleep, { maxConcurrency: 4 }))).toEqual(ok(4, 3, 2, 1));
    });

    it('gives failures in their place', async () => {
      const outcomes = await read(stream([1, 2, 3, 4], (item) => Promise.reject(new Boom(`${item}`))));
      const exit = (item: number) => ({
        status: 'exit',
        reason: expect.objectContaining({ message: `${item}` }) as unknown,
      });
      expect(outcomes).toEqual([1, 2, 3, 4].map(exit));
      expect(isAlive(owner.pid)).toBe(true);
    });

    it('stops the tasks that nobody reads any more, and leaves no messages', async () => {
      const work = (item: number): Promise<number> => (item === 0 ? sleep(0) : never());
      expect(await read(stream([0, 1, 2, 3], work, { maxConcurrency: 4 }), 1)).toEqual(ok(0));
      await settle();
      expect([children(), owner.messages]).toEqual([[], []]);
    });

    it('fails when the supervisor has no room for another task, and stops those that run', async () => {
      await TaskSupervisor.start(world.runtime, { name: 'small', maxChildren: 1 });
      const outcomes = TaskSupervisor[kind](owner.self, 'small', [1, 2, 3], never, { maxConcurrency: 2 });
      expect(await rejectionOf(outcomes.next())).toBeInstanceOf(MaxChildrenError);
      await settle();
      expect([children('small'), owner.messages]).toEqual([[], []]);
    });

    it('may be read by anybody: its tasks are of the process whose self it was given', async () => {
      const ran: number[] = [];
      const outcomes = stream([1, 2, 3], (item) => ran.push(item));
      const reader = await world.start(script());
      const length = world.call(reader, async () => reply((await read(outcomes)).length));
      expect([await length, ran]).toEqual([3, [1, 2, 3]]);
    });

    it('says with zipInputOnExit which item took too long', async () => {
      const options = { zipInputOnExit: true, onTimeout: 'kill_task', timeoutMs: 50 };
      expect(await read(stream([1, 100], sleep, options))).toEqual([
        ...ok(1),
        { status: 'exit', reason: 'timeout', input: 100 },
      ]);
    });

    it('says with zipInputOnExit which items failed, as far as they are read', async () => {
      const work = (item: number) => Promise.reject(new Boom(`${item}`));
      const outcomes = await read(stream([1, 2, 3, 4, 5, 6, 7, 8], work, { zipInputOnExit: true }), 4);
      expect(outcomes).toMatchObject([1, 2, 3, 4].map((input) => ({ status: 'exit', input })));
    });
  });
});
