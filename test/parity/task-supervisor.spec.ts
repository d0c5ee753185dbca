import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { reply } from '../../lib/gen-server/results/callback-result.js';
import { CallCycleError, TaskExitError, TaskTimeoutError } from '../../lib/gen-server/errors.js';
import { TaskResult } from '../../lib/gen-server/results/messages.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { MaxChildrenError } from '../../lib/supervision/errors.js';
import { TaskSupervisor } from '../../lib/supervision/task-supervisor.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { treeWorld, type TreeWorld } from '../support/tree.js';
import { expectWorldEnds } from '../support/world-end.js';

class Boom extends Error {}

let world: TreeWorld;
/** Traps exits, so that a task that fails does not take it along. */
let owner: Probe;

beforeEach(async () => {
  world = treeWorld();
  owner = await startProbe(world, { trapExit: true });
  await TaskSupervisor.start(world.runtime, { name: 'tasks' });
});

afterEach(() => expectWorldEnds(world));

const isAlive = (pid: Pid): boolean => processOf(pid) !== undefined;
const children = (supervisor: ServerName = 'tasks') => TaskSupervisor.children(world.runtime, supervisor);

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
    const outcome = await world.call(pid, ask as never, Infinity);
    expect(outcome).toEqual({ status: 'exit', reason: expect.any(CallCycleError) as unknown });
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
  const sleep = (ms: number): Promise<number> => new Promise((resolve) => world.clock.setTimer(ms, () => resolve(ms)));
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
