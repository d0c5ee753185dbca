import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TaskExitError, TaskOwnerError, TaskTimeoutError } from '../../lib/gen-server/errors.js';
import { noReply } from '../../lib/gen-server/results/callback-result.js';
import { Task } from '../../lib/gen-server/tasks/task.js';
import { Down } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { expectWorldEnds } from '../support/world-end.js';
import { testWorld, type TestWorld } from '../support/world.js';

class Boom extends Error {}

let world: TestWorld;
/** Traps exits, so that a task that fails does not take it along. */
let owner: Probe;

beforeEach(async () => {
  world = testWorld();
  owner = await startProbe(world, { trapExit: true });
});

afterEach(() => expectWorldEnds(world));

const isAlive = (pid: Pid): boolean => processOf(pid) !== undefined;

describe('task.await', () => {
  it.each([
    ['out', 'out'],
    ['kill', 'killed'],
  ])('rejects with TaskExitError when the task is ended by %o, with %o as the reason', async (signal, reason) => {
    const task = owner.self.task(never);
    const awaited = rejectionOf(task.await());
    await settle();
    world.exit(task.pid, signal);
    expect(await awaited).toBeInstanceOf(TaskExitError);
    expect(await awaited).toMatchObject({ reason });
  });

  it('that has timed out leaves neither a watch nor a message behind', async () => {
    const gate = deferred<string>();
    const task = Task.async(owner.self, () => gate.promise);
    expect(await rejectionOf(task.await(0))).toBeInstanceOf(TaskTimeoutError);
    const ref = owner.self.monitor(task.pid);
    gate.resolve('late');
    await settle();
    expect(owner.messages.filter((message) => message instanceof Down)).toEqual([
      new Down(ref, task.pid, task.pid, 'normal'),
    ]);
  });
});

describe('task.ignore', () => {
  it('gives the failure of a task that had failed already', async () => {
    const task = Task.async(owner.self, () => Promise.reject(new Boom('boom')));
    await settle();
    expect(task.ignore()).toEqual({ status: 'exit', reason: expect.any(Boom) as unknown });
  });
});

describe('Task.awaitMany', () => {
  it('gives nothing for nothing, at once', async () => {
    expect(await Task.awaitMany([])).toEqual([]);
  });

  it('leaves other messages to the mailbox', async () => {
    const down = new Down(world.runtime.newRef(), owner.pid, owner.pid, 'goodbye');
    const tasks = ['a', 'b'].map((value) => owner.self.task(() => value));
    for (const message of ['hello', down]) world.send(owner.pid, message);
    expect(await Task.awaitMany(tasks)).toEqual(['a', 'b']);
    await settle();
    expect(owner.messages).toEqual(['hello', down]);
  });

  it.each<[string, (task: Task<unknown>) => unknown, unknown]>([
    ['throws', () => undefined, expect.any(Boom)],
    ['is ended', ({ pid }) => world.exit(pid, 'out'), expect.any(TaskExitError)],
    ['is killed', ({ pid }) => world.exit(pid, 'kill'), expect.any(TaskExitError)],
  ])('fails at once when one task %s, and leaves no Down of the others behind', async (how, end, error) => {
    const works = how === 'throws' ? [never, () => Promise.reject(new Boom('boom'))] : [never, never];
    const tasks = works.map((work) => owner.self.task<unknown>(work));
    const values = rejectionOf(Task.awaitMany(tasks));
    await settle();
    end(tasks[1]!);
    expect(await values).toEqual(error);
    world.exit(tasks[0]!.pid, 'kill');
    await settle();
    expect(owner.messages).toEqual([]);
  });

  it('is for the owner of all the tasks only', async () => {
    const other = await startProbe(world);
    const tasks = [owner.self.task(never), other.self.task(never)];
    const error = await new Promise((resolve) => {
      void world.start(script(), { name: 'asker' }).then((asker) =>
        world.cast(asker, () => {
          void rejectionOf(Task.awaitMany(tasks, 1)).then(resolve);
          return noReply();
        }),
      );
    });
    expect(error).toBeInstanceOf(TaskOwnerError);
  });
});

// Elixir's `Task.yield_many` is one line here, and so is what it may do with those that are late.
describe('several tasks that are yielded together', () => {
  const three = () => [
    owner.self.task<string>(() => 'done'),
    owner.self.task<string>(never),
    owner.self.task<string>(() => Promise.reject(new Boom('boom'))),
  ];
  const done = { status: 'ok', value: 'done' };
  const failed = { status: 'exit', reason: expect.any(Boom) as unknown };

  it('give an outcome each, in their order: undefined for those that take longer', async () => {
    const tasks = three();
    const outcomes = Promise.all(tasks.map((task) => task.yield(100)));
    await world.clock.advance(100);
    expect(await outcomes).toEqual([done, undefined, failed]);
    await tasks[1]!.shutdown();
  });

  it('give all outcomes with a timeout of Infinity', async () => {
    const gate = deferred<string>();
    const tasks = [owner.self.task<string>(() => 'done'), owner.self.task(() => gate.promise)];
    const outcomes = Promise.all(tasks.map((task) => task.yield(Infinity)));
    await world.clock.advance(10 ** 9);
    gate.resolve('done');
    expect(await outcomes).toEqual([done, done]);
  });

  it('can be shut down where they are late', async () => {
    const tasks = three();
    const outcomes = Promise.all(tasks.map(async (task) => (await task.yield(10)) ?? (await task.shutdown())));
    await world.clock.advance(10);
    expect(await outcomes).toEqual([done, undefined, failed]);
    expect(isAlive(tasks[1]!.pid)).toBe(false);
  });

  it('can be left alone where they are late', async () => {
    const gate = deferred<string>();
    const task = Task.async(owner.self, () => gate.promise);
    const outcome = Promise.all([task].map(async (each) => (await each.yield(10)) ?? each.ignore()));
    await world.clock.advance(10);
    expect([await outcome, isAlive(task.pid)]).toEqual([[undefined], true]);
    gate.resolve('nobody cares');
    await settle();
    expect([isAlive(task.pid), owner.messages]).toEqual([false, []]);
  });
});
