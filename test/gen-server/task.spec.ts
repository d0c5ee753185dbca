import { AsyncLocalStorage } from 'node:async_hooks';
import { availableParallelism } from 'node:os';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noReply, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import {
  CallCycleError,
  NoProcessError,
  TaskExitError,
  TaskOwnerError,
  TaskTimeoutError,
} from '../../lib/gen-server/errors.js';
import { TaskResult } from '../../lib/gen-server/results/messages.js';
import type { Self } from '../../lib/gen-server/self.js';
import { Task } from '../../lib/gen-server/tasks/task.js';
import type { TaskOutcome } from '../../lib/gen-server/tasks/task-process.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { expectWorldEnds } from '../support/world-end.js';
import { testWorld, type TestWorld } from '../support/world.js';

class Boom extends Error {}

const boom = (): never => {
  throw new Boom('boom');
};

/** Rejections that nobody handled while a test ran. */
const unhandled: unknown[] = [];
const note = (reason: unknown): void => void unhandled.push(reason);

let world: TestWorld;
let owner: Probe;

beforeEach(async () => {
  unhandled.length = 0;
  process.on('unhandledRejection', note);
  world = testWorld();
  owner = await startProbe(world, { name: 'owner' });
});

afterEach(async () => {
  await settle();
  process.removeListener('unhandledRejection', note);
  await expectWorldEnds(world);
  expect(unhandled).toEqual([]);
});

const isAlive = (pid: Pid): boolean => processOf(pid) !== undefined;
const crashes = () => world.seen.filter((event) => event.type === 'task.crashed');

/** Runs `work` in a handler of a server of its own, and answers with what it gives. */
async function inServer<T>(work: (self: Self) => T | Promise<T>, options = {}): Promise<T> {
  const pid = await world.start(script(), options);
  return (await world.call(pid, async ({ self }: Context) => reply((await work(self)) as never), Infinity)) as T;
}

describe('self.task', () => {
  it('runs outside of the mailbox: the server goes on meanwhile, and answers when the task is done (K15)', async () => {
    const gate = deferred<number>();
    const pid = await world.start(script());
    const slow = world.call(pid, ({ self, from }: Context) => {
      void self.task(() => gate.promise).then(from.reply, from.replyError);
      return from.later();
    });
    await expect(world.call(pid, () => reply('meanwhile'))).resolves.toBe('meanwhile');
    gate.resolve(5);
    await expect(slow).resolves.toBe(5);
  });

  it('gives a caller what it threw, and ends nobody (K11)', async () => {
    const pid = await world.start(script());
    const slow = world.call(pid, ({ self, from }: Context) => {
      void self.task(boom).then(from.reply, from.replyError);
      return from.later();
    });
    expect(await rejectionOf(slow)).toBeInstanceOf(Boom);
    expect(isAlive(pid)).toBe(true);
    expect(crashes()).toMatchObject([{ label: 'Task of behaviour', isAwaited: true }]);
  });

  it('sends a result that nobody waited for as TaskResult, then Down (K15)', async () => {
    const task = owner.self.task(() => 5);
    await settle();
    expect(owner.messages).toEqual([new TaskResult(task.ref, 5), new Down(task.ref, task.pid, task.pid, 'normal')]);
    expect([owner.messages[0], owner.messages[1]].map((message) => message?.constructor)).toEqual([TaskResult, Down]);
  });

  it('sends a failure that nobody waited for as Down with what was thrown, and as no unhandled rejection (K15)', async () => {
    const errors = [owner.self.task(boom), owner.self.task(() => Promise.reject(new Boom('later')))];
    await settle();
    expect(owner.messages).toMatchObject(errors.map(({ ref }) => ({ ref, reason: expect.any(Boom) as unknown })));
    expect(crashes()).toMatchObject([{ isAwaited: false }, { isAwaited: false }]);
  });

  it('sends nothing when somebody waits, however soon it is done (K15)', async () => {
    expect(await owner.self.task(() => 'at once')).toBe('at once');
    expect(await owner.self.task(() => 'at once').await()).toBe('at once');
    expect(await owner.self.task(() => 'at once').yield()).toEqual({ status: 'ok', value: 'at once' });
    const task = owner.self.task(() => 'after a message');
    owner.self.send(owner.pid, 'a message');
    expect(await task).toBe('after a message');
    await settle();
    expect(owner.messages).toEqual(['a message']);
  });

  it('takes the messages back when somebody asks before they were handled (K15)', async () => {
    const asked = await inServer(async (self) => {
      const done = self.task(() => 'done');
      const failed = self.task(boom);
      await settle(); // both lie in the mailbox by now
      return [await done, await rejectionOf(failed.await())];
    });
    expect(asked).toEqual(['done', expect.any(Boom)]);
    await settle();
    expect(world.seen.filter(({ type }) => type === 'gen_server.unexpected_message')).toEqual([]);
  });

  it('gives way to demonitor: then the result comes alone (K15)', async () => {
    const { ref } = owner.self.task(() => 5);
    expect(owner.self.demonitor(ref)).toBe(true);
    await settle();
    expect(owner.messages).toEqual([new TaskResult(ref, 5)]);
  });

  it.each<[string, unknown, (pid: Pid) => void]>([
    ['is killed', 'shutdown', (pid) => world.exit(pid, 'kill')],
    ['stops normally', 'shutdown', (pid) => void world.stop(pid)],
    ['crashes', 'shutdown', (pid) => world.cast(pid, boom)],
  ])('ends when its owner %s, and its signal fires (K15)', async (_name, reason, end) => {
    let signal!: AbortSignal;
    const pid = await world.start(script());
    const task = (await world.call(pid, ({ self }: Context) => {
      const started = self.task((given) => ((signal = given), never()));
      return reply([started]);
    })) as [Task<never>];
    await settle();
    end(pid);
    await settle();
    expect([isAlive(task[0].pid), signal.aborted, signal.reason]).toEqual([false, true, reason]);
  });

  it('does nothing for an owner that has ended: it rejects, and nobody need listen (E6)', async () => {
    const { self, pid } = await startProbe(world);
    world.exit(pid, 'kill'); // fenced from this very moment
    let hasRun = false;
    const task = self.task(() => (hasRun = true));
    void self.task(() => 1).then(() => (hasRun = true));
    expect(await rejectionOf(task.await())).toBeInstanceOf(NoProcessError);
    expect(await task.yield()).toEqual({ status: 'exit', reason: 'noproc' });
    await settle();
    expect(hasRun).toBe(false);
  });

  it('is abandoned with an owner that is killed: what it still does settles nothing (E6)', async () => {
    const gate = deferred<string>();
    const journal: string[] = [];
    const pid = await world.start(script());
    const caller = rejectionOf(
      world.call(pid, async ({ self }: Context) => {
        try {
          journal.push(await self.task(() => gate.promise));
        } catch (error) {
          journal.push((error as TaskExitError).code);
        }
        return reply('grave');
      }),
    );
    await settle();
    world.exit(pid, 'kill');
    expect(await caller).toMatchObject({ reason: 'killed' });
    gate.resolve('too late');
    await settle();
    expect(journal).toEqual(['TASK_EXITED']);
    expect(world.runtime.processCount).toBe(1);
  });

  it('is dropped in silence when its owner has ended and nobody is told of failures (K15)', async () => {
    const { self, pid } = await startProbe(world);
    const done: unknown[] = [];
    void self.task(never).then((value) => done.push(value));
    await settle();
    await world.stop(pid);
    await settle();
    expect([done, unhandled]).toEqual([[], []]);
  });

  it('runs in the root context, whoever starts it', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen = await storage.run('caller', () =>
      owner.self.task(async () => {
        const first = storage.getStore();
        await Promise.resolve();
        return [first, storage.getStore()];
      }),
    );
    expect(seen).toEqual([undefined, undefined]);
  });

  it('can be watched, linked and killed by its pid', async () => {
    const task = owner.self.task(never);
    const watcher = await startProbe(world, { trapExit: true });
    const ref = watcher.self.monitor(task.pid);
    watcher.self.link(task.pid);
    watcher.self.exit(task.pid, 'kill');
    await settle();
    expect(watcher.messages).toEqual([new Exit(task.pid, 'killed'), new Down(ref, task.pid, task.pid, 'killed')]);
  });

  it('reads no messages: what is sent to a task goes nowhere', async () => {
    const gate = deferred();
    const task = owner.self.task(() => gate.promise);
    world.send(task.pid, 'hello');
    await settle();
    world.send(task.pid, 'hello again');
    gate.resolve();
    await expect(task).resolves.toBeUndefined();
  });

  it('can end itself, and gives nothing then', async () => {
    const task: Task<string> = owner.self.task(() => {
      world.exit(task.pid, 'out');
      return 'nothing';
    });
    expect(await rejectionOf(task.await())).toMatchObject({ code: 'TASK_EXITED', reason: 'out' });
  });

  it('starts and ends ten thousand of them', async () => {
    const all = await Promise.all(Array.from({ length: 10_000 }, (_, at) => owner.self.task(async () => at)));
    expect(all.reduce((sum, value) => sum + value, 0)).toBe((10_000 * 9_999) / 2);
    expect(world.runtime.processCount).toBe(1);
    for (let at = 0; at < 10_000; at++) void owner.self.task(never);
    await settle();
    expect(world.runtime.processCount).toBe(10_001);
    await world.stop(owner.pid);
    expect(world.runtime.processCount).toBe(0);
  });

  it('does not begin when its owner ends first', async () => {
    const pid = await world.start(script());
    let hasRun = false;
    world.cast(pid, ({ self }: Context) => {
      void self.task(() => (hasRun = true));
      return stop('normal');
    });
    await settle();
    expect([hasRun, world.runtime.processCount]).toEqual([false, 1]);
  });

  it('ends with a server that is stopped while its last words wait for it', async () => {
    const pid = await world.start(
      script({ terminate: async () => void (await lent.task(() => 'last words').then((said) => words.push(said))) }),
    );
    const words: string[] = [];
    let lent!: Self;
    await world.call(pid, ({ self }: Context) => ((lent = self), reply(null)));
    void lent.task(never);
    await world.stop(pid);
    expect(words).toEqual(['last words']);
    await settle();
    expect(world.runtime.processCount).toBe(1);
  });
});

describe('Task.async', () => {
  it('gives the value of a sync function, an async one, and a foreign thenable (K10)', async () => {
    const foreign = { then: (resolve: (value: string) => void) => resolve('foreign') };
    expect(await Task.async(owner.self, () => 'sync')).toBe('sync');
    expect(await Task.async(owner.self, async () => 'async')).toBe('async');
    expect(await Task.async(owner.self, () => foreign as PromiseLike<string>)).toBe('foreign');
  });

  it('is watched by its owner: the result comes as messages when nobody waits (K10)', async () => {
    const { ref } = Task.async(owner.self, () => 5);
    await settle();
    expect(owner.messages).toMatchObject([
      { ref, value: 5 },
      { ref, reason: 'normal' },
    ]);
  });

  it('takes an owner that does not trap exits with it, before await returns (K11)', async () => {
    const journal: unknown[] = [];
    const pid = await world.start(script());
    const caller = rejectionOf(
      world.call(pid, async ({ self }: Context) => {
        const error = await rejectionOf(Task.async(self, boom).await());
        journal.push([error instanceof Boom, isAlive(pid)]);
        return reply('grave');
      }),
    );
    expect(await caller).toMatchObject({ code: 'SERVER_EXITED', reason: expect.any(Boom) as unknown });
    await settle();
    expect(journal).toEqual([[true, false]]);
  });

  it('tells an owner that traps exits why it failed, by await and by Exit (K11)', async () => {
    const trapping = await startProbe(world, { trapExit: true });
    const task = Task.async(trapping.self, boom);
    expect(await rejectionOf(task.await())).toBeInstanceOf(Boom);
    await settle();
    expect(trapping.messages).toEqual([new Exit(task.pid, expect.any(Boom))]);
  });

  it('ends with an owner that ends abnormally, and outlives one that ends normally (L1, L3)', async () => {
    const [crashing, leaving] = [await startProbe(world), await startProbe(world)];
    const [dies, lives] = [Task.async(crashing.self, never), Task.async(leaving.self, never)];
    await settle();
    world.exit(crashing.pid, 'out');
    await world.stop(leaving.pid);
    await settle();
    expect([isAlive(dies.pid), isAlive(lives.pid)]).toEqual([false, true]);
  });

  it('is left alone when it is unlinked', async () => {
    const { self, pid } = await startProbe(world);
    const task = Task.async(self, never);
    self.unlink(task.pid);
    world.exit(task.pid, 'out');
    await settle();
    expect(isAlive(pid)).toBe(true);
  });
});

describe('Task.asyncNolink', () => {
  it('tells a failure to await and yield only, and ends nobody (K11)', async () => {
    const task = Task.asyncNolink(owner.self, boom);
    expect(await task.yield()).toEqual({ status: 'exit', reason: expect.any(Boom) as unknown });
    expect(await rejectionOf(task.await())).toBeInstanceOf(Boom);
    expect([isAlive(owner.pid), owner.messages]).toEqual([true, []]);
  });

  it('gives something thrown that is no error as it is, and as { thrown } where it is a reason (E1)', async () => {
    const task = Task.asyncNolink(owner.self, () => Promise.reject('normal'));
    expect(await rejectionOf(task.await())).toBe('normal');
    expect(await task.yield()).toEqual({ status: 'exit', reason: { thrown: 'normal' } });
  });
});

describe('task.await', () => {
  it('waits 5 000 ms by default; the task goes on and its late result is dropped (K10)', async () => {
    const gate = deferred<string>();
    const task = owner.self.task(() => gate.promise);
    const awaited = rejectionOf(task.await());
    await world.clock.advance(4_999);
    await world.clock.advance(1);
    const error = await awaited;
    expect(error).toBeInstanceOf(TaskTimeoutError);
    expect(error).toMatchObject({ code: 'TASK_TIMEOUT', timeoutMs: 5_000 });
    expect((error as Error).message).toBe(
      `Task ${task.pid.toString()} of Probe gave no result within 5000 ms. Wait longer, ask it again with yield, or stop it with shutdown.`,
    );
    expect(isAlive(task.pid)).toBe(true);
    gate.resolve('late');
    await settle();
    expect([isAlive(task.pid), owner.messages]).toEqual([false, []]);
  });

  it('gives the same again when it is awaited again, as a promise does (K10)', async () => {
    const task = owner.self.task(() => ({ a: 1 }));
    const [first, second] = [await task.await(), await task];
    expect(second).toBe(first);
    const failed = owner.self.task(boom);
    expect(await rejectionOf(failed.await())).toBe(await rejectionOf(failed.await()));
  });

  it.each([[-1], [Number.NaN], ['5' as never]])('refuses a timeout of %s', async (timeoutMs) => {
    const task = owner.self.task(() => 1);
    for (const ask of [task.await(timeoutMs), task.yield(timeoutMs), task.shutdown(timeoutMs)]) {
      expect(await rejectionOf(ask)).toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await task;
  });

  it('waits for ever with Infinity, and leaves no timer (K10)', async () => {
    const gate = deferred<number>();
    const awaited = owner.self.task(() => gate.promise).await(Infinity);
    await settle();
    expect(world.clock.pendingTimers).toBe(0);
    gate.resolve(1);
    await expect(awaited).resolves.toBe(1);
  });

  it('says why a task ended that was killed, and how to print it (K11)', async () => {
    const task = owner.self.task(never);
    const awaited = rejectionOf(task.await());
    await settle();
    world.exit(task.pid, 'kill');
    const error = await awaited;
    expect(error).toBeInstanceOf(TaskExitError);
    expect(error).toMatchObject({
      code: 'TASK_EXITED',
      reason: 'killed',
      message: `Task ${task.pid.toString()} of Probe ended before it gave a result: 'killed'`,
    });
  });

  it('is for the owner only, as far as it is known who asks (K10)', async () => {
    const task = owner.self.task(() => 1);
    const stranger = await world.start(script({ label: 'Stranger' }));
    const attempts: ((task: Task<unknown>) => unknown)[] = [
      (other) => other.await(),
      (other) => other.then(),
      (other) => other.yield(),
      (other) => other.shutdown(),
    ];
    for (const attempt of attempts) {
      const error = await rejectionOf(
        new Promise((resolve, reject) => {
          world.cast(stranger, () => {
            Promise.resolve(attempt(task)).then(resolve, reject);
            return noReply();
          });
        }),
      );
      expect(error).toBeInstanceOf(TaskOwnerError);
      expect(error).toMatchObject({ code: 'TASK_OWNER', owner: 'Probe', caller: 'Stranger' });
    }
    world.cast(stranger, () => (expect(() => task.ignore()).toThrow(TaskOwnerError), noReply()));
    await expect(task).resolves.toBe(1);
  });

  it('is for the tasks of the owner as well: they speak for it (K15)', async () => {
    const inner = owner.self.task(() => owner.self.task(() => 'inner').await());
    await expect(inner).resolves.toBe('inner');
  });
});

describe('task.yield', () => {
  it('gives undefined while the task goes on, however often, and then the value (K12)', async () => {
    const gate = deferred<string>();
    const task = owner.self.task(() => gate.promise);
    for (let time = 0; time < 2; time++) {
      const asked = task.yield(100);
      await world.clock.advance(100);
      expect(await asked).toBeUndefined();
    }
    expect(await task.yield(0)).toBeUndefined();
    const asked = task.yield(100);
    gate.resolve('value');
    expect(await asked).toEqual({ status: 'ok', value: 'value' });
    expect(await task.yield(0)).toEqual({ status: 'ok', value: 'value' });
    await settle();
    expect(owner.messages).toEqual([]);
  });

  it('leaves the result to the mailbox when it comes after the time is over (K12)', async () => {
    const gate = deferred<string>();
    const task = owner.self.task(() => gate.promise);
    const asked = task.yield(100);
    await world.clock.advance(100);
    expect(await asked).toBeUndefined();
    gate.resolve('value');
    await settle();
    expect(owner.messages).toMatchObject([{ ref: task.ref, value: 'value' }, { reason: 'normal' }]);
  });

  it('gives the reason of a task that failed or was killed (K12)', async () => {
    const killed = owner.self.task(never);
    const asked = killed.yield();
    await settle();
    world.exit(killed.pid, 'kill');
    expect(await asked).toEqual({ status: 'exit', reason: 'killed' });
    expect(await owner.self.task(boom).yield()).toEqual({ status: 'exit', reason: expect.any(Boom) as unknown });
  });
});

describe('task.shutdown', () => {
  it.each([[undefined], [0], ['brutal_kill' as const]])(
    'stops a task without its owner, and gives undefined: %s (K12)',
    async (limit) => {
      let signal!: AbortSignal;
      const task = Task.async(owner.self, (given) => ((signal = given), never()));
      await settle();
      expect(await task.shutdown(limit)).toBeUndefined();
      expect([isAlive(task.pid), isAlive(owner.pid), signal.aborted]).toEqual([false, true, true]);
      expect(signal.reason).toBe(limit === 'brutal_kill' ? 'killed' : 'shutdown');
      await settle();
      expect(owner.messages).toEqual([]);
    },
  );

  it('stops one that has not begun: its function never runs (K12)', async () => {
    let hasRun = false;
    const task = owner.self.task(() => (hasRun = true));
    expect(await task.shutdown()).toBeUndefined();
    await settle();
    expect(hasRun).toBe(false);
  });

  it('gives the outcome of one that had ended already (K12)', async () => {
    const [done, failed] = [owner.self.task(() => 5), owner.self.task(boom)];
    await settle();
    expect(await done.shutdown()).toEqual({ status: 'ok', value: 5 });
    expect(await failed.shutdown()).toEqual({ status: 'exit', reason: expect.any(Boom) as unknown });
  });

  it('gives another reason when the task ended with that first (K12)', async () => {
    const task = owner.self.task(never);
    await settle();
    world.exit(task.pid, 'other');
    expect(await task.shutdown()).toEqual({ status: 'exit', reason: 'other' });
  });

  it.each([
    ['shutdown', 5_000, undefined],
    ['kill', 'brutal_kill', undefined],
    ['kill', 5_000, { status: 'exit', reason: 'killed' }],
    ['shutdown', 'brutal_kill', { status: 'exit', reason: 'shutdown' }],
  ] as const)('of a task that had ended by %o before, with %o, gives %o (K12)', async (signal, limit, outcome) => {
    const task = owner.self.task(never);
    await settle();
    world.exit(task.pid, signal);
    await settle();
    expect(await task.shutdown(limit)).toEqual(outcome);
    expect(await task.shutdown(limit)).toEqual(outcome);
  });
});

describe('task.ignore', () => {
  it('drops the result and the link: the task goes on, and its end is nobody’s business (K12)', async () => {
    const gate = deferred();
    const task = Task.async(owner.self, () => gate.promise);
    expect(task.ignore()).toBeUndefined();
    gate.reject(new Boom('ignored'));
    await settle();
    expect([isAlive(task.pid), isAlive(owner.pid), owner.messages]).toEqual([false, true, []]);
  });

  it('gives the outcome of one that had ended already (K12)', async () => {
    const task = owner.self.task(() => 5);
    await settle();
    expect(task.ignore()).toEqual({ status: 'ok', value: 5 });
  });
});

describe('Task.awaitMany', () => {
  it('gives the values in the order of the tasks, whichever is first (K12)', async () => {
    const gates = [deferred<string>(), deferred<string>()] as const;
    const tasks = [...gates.map((gate) => owner.self.task(() => gate.promise)), owner.self.task(() => 'c')];
    const values = Task.awaitMany(tasks);
    gates[1].resolve('b');
    await settle();
    gates[0].resolve('a');
    expect(await values).toEqual(['a', 'b', 'c']);
  });

  it('fails with the first that fails; the others go on (K12)', async () => {
    const gate = deferred<string>();
    const other = owner.self.task(() => gate.promise);
    const values = rejectionOf(Task.awaitMany([other, owner.self.task(boom)]));
    expect(await values).toBeInstanceOf(Boom);
    expect(isAlive(other.pid)).toBe(true);
    gate.resolve('done');
    await expect(other).resolves.toBe('done');
  });

  it('fails when the time was not enough for all (K12)', async () => {
    const values = rejectionOf(Task.awaitMany([owner.self.task(() => 1), owner.self.task(never)], 50));
    await world.clock.advance(50);
    expect(await values).toBeInstanceOf(TaskTimeoutError);
  });
});

describe('Task.asyncStream', () => {
  const outcomes = async <T>(stream: AsyncIterable<T>): Promise<T[]> => {
    const all: T[] = [];
    for await (const outcome of stream) all.push(outcome);
    return all;
  };
  const values = (...all: unknown[]) => all.map((value) => ({ status: 'ok', value }));
  /** A gate for each number, and how many are behind one. */
  const gated = () => {
    const gates = new Map<number, ReturnType<typeof deferred<number>>>();
    return {
      gates,
      work: (at: number): Promise<number> => {
        const gate = deferred<number>();
        gates.set(at, gate);
        return gate.promise;
      },
      open: async (at: number) => {
        gates.get(at)!.resolve(at);
        await settle();
      },
      running: () => [...gates.keys()],
    };
  };
  function* upTo(limit: number, taken: number[] = []): Generator<number, void> {
    for (let at = 0; at < limit; at++) {
      taken.push(at);
      yield at;
    }
  }

  it('keeps the order of the input, with so many at a time (K13)', async () => {
    const { work, open, running } = gated();
    const all = outcomes(Task.asyncStream(owner.self, upTo(4), work, { maxConcurrency: 2 }));
    await settle();
    expect(running()).toEqual([0, 1]);
    await open(1);
    expect(running()).toEqual([0, 1, 2]);
    for (const at of [2, 0, 3]) await open(at);
    expect(await all).toEqual(values(0, 1, 2, 3));
  });

  it('gives each as it comes when it need not be ordered (K13)', async () => {
    const { work, open } = gated();
    const all = outcomes(Task.asyncStream(owner.self, upTo(3), work, { maxConcurrency: 3, ordered: false }));
    await settle();
    for (const at of [2, 0, 1]) await open(at);
    expect(await all).toEqual(values(2, 0, 1));
  });

  it('runs as many at a time as the machine has processors by default (K13)', async () => {
    const { work, running } = gated();
    const stream = Task.asyncStream(owner.self, upTo(1_000), work);
    const first = stream.next();
    await settle();
    expect(running()).toHaveLength(availableParallelism());
    const left = stream.return!();
    world.exit(owner.pid, 'kill');
    await Promise.allSettled([first, left]);
  });

  it('takes nothing from the input before the reader asks, nor while it does not (K13)', async () => {
    const taken: number[] = [];
    const stream = Task.asyncStream(owner.self, upTo(100, taken), (at) => at, { maxConcurrency: 3 });
    await settle();
    expect(taken).toEqual([]);
    expect(await stream.next()).toEqual({ done: false, value: { status: 'ok', value: 0 } });
    await settle();
    expect(taken).toEqual([0, 1, 2, 3]); // one was given, three are running or wait for the reader
    expect(await stream.next()).toMatchObject({ value: { value: 1 } });
    await settle();
    expect(taken).toEqual([0, 1, 2, 3, 4]);
    await stream.return!();
    expect(taken).toHaveLength(5);
  });

  it('takes an async input as well, one item at a time, and gives what is ready meanwhile (K13)', async () => {
    const gates = [deferred<number>(), deferred<number>()];
    async function* input() {
      for (const gate of gates) yield await gate.promise;
    }
    const stream = Task.asyncStream(owner.self, input(), (at) => at * 10, { maxConcurrency: 2 });
    const first = stream.next();
    gates[0]!.resolve(1);
    expect(await first).toMatchObject({ value: { value: 10 } });
    const second = stream.next();
    gates[1]!.resolve(2);
    expect(await second).toMatchObject({ value: { value: 20 } });
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  describe('whose owner ends', () => {
    /** An input whose next item never comes, and what it is told. */
    const silent = (first: readonly number[] = []) => {
      const items = [...first];
      const told: string[] = [];
      const input: AsyncIterable<number> = {
        [Symbol.asyncIterator]: () => ({
          next: () => (items.length > 0 ? Promise.resolve({ done: false, value: items.shift()! }) : never()),
          return: async () => (told.push('returned'), { done: true, value: undefined }),
        }),
      };
      return { input, told };
    };

    it.each([
      ['no task runs, and input is pulled', [], (at: number) => at],
      ['a task runs, and input is pulled', [1], () => never()],
      ['all tasks have ended, and input is pulled', [1], (at: number) => at],
    ])('tells its reader and its input: %s', async (_when, items, work) => {
      const { input, told } = silent(items);
      const stream = Task.asyncStream(owner.self, input, work, { maxConcurrency: 2, timeoutMs: Infinity });
      const outcome = (async () => {
        for await (const each of stream) void each;
      })();
      const failed = rejectionOf(outcome);
      await settle();
      world.exit(owner.pid, 'kill');
      await settle();
      expect(await failed).toMatchObject({ code: 'NO_PROCESS' });
      expect(told).toEqual(['returned']);
    });

    it('tells its input though nobody reads just then, and the reader when it comes back', async () => {
      const { input, told } = silent([1, 2]);
      const stream = Task.asyncStream(owner.self, input, (at) => at, { maxConcurrency: 1 });
      expect(await stream.next()).toEqual({ done: false, value: { status: 'ok', value: 1 } });
      world.exit(owner.pid, 'kill');
      await settle();
      expect(told).toEqual(['returned']);
      expect(await rejectionOf(stream.next())).toMatchObject({ code: 'NO_PROCESS' });
      expect(await stream.next()).toEqual({ done: true, value: undefined });
      expect(told).toEqual(['returned']);
    });

    it('leaves nothing that watches its owner when it is over', async () => {
      await outcomes(Task.asyncStream(owner.self, [1, 2], (at) => at));
      expect(processOf(owner.pid)!.relations?.firstWatcher ?? null).toBeNull();
    });
  });

  describe('whose input fails to let go', () => {
    const boom = new Error('return failed');
    /** Each way in which `return` may fail. */
    const FAILING: readonly (readonly [string, Iterable<number> | AsyncIterable<number>])[] = [
      ['an iterable', iterable(Symbol.iterator, (at) => ({ done: false, value: at }), throwing(boom))],
      [
        'an async iterable that throws',
        iterable(Symbol.asyncIterator, async (at) => ({ done: false, value: at }), throwing(boom)),
      ],
      [
        'an async iterable that rejects',
        iterable(
          Symbol.asyncIterator,
          async (at) => ({ done: false, value: at }),
          () => Promise.reject(boom),
        ),
      ],
    ];

    it.each(FAILING)('still tells why it ended, and stops all tasks: %s', async (_what, input) => {
      const stream = Task.asyncStream(owner.self, input as Iterable<number>, never, {
        maxConcurrency: 2,
        timeoutMs: 10,
      });
      const first = rejectionOf(stream.next());
      await settle();
      await world.clock.advance(10);
      expect(await first).toMatchObject({ code: 'TASK_TIMEOUT', timeoutMs: 10 });
      expect(world.runtime.processCount).toBe(1);
    });

    it.each(FAILING)(
      'tells the loop that is left of it, as any loop is told, when all tasks are stopped: %s',
      async (_what, input) => {
        const stream = Task.asyncStream(owner.self, input as Iterable<number>, (at) => (at === 1 ? at : never()), {
          maxConcurrency: 2,
          timeoutMs: Infinity,
        });
        const left = rejectionOf(
          (async () => {
            for await (const each of stream) if (each.status === 'ok') break;
          })(),
        );
        expect(await left).toBe(boom);
        expect(world.runtime.processCount).toBe(1);
      },
    );
  });

  it('ends with TaskTimeoutError when a task takes longer than 5 000 ms, and stops the others (K13)', async () => {
    const stream = Task.asyncStream(owner.self, upTo(5), never, { maxConcurrency: 3 });
    const first = rejectionOf(stream.next());
    await settle();
    expect(world.runtime.processCount).toBe(4);
    await world.clock.advance(5_000);
    expect(await first).toMatchObject({ code: 'TASK_TIMEOUT', timeoutMs: 5_000 });
    expect(world.runtime.processCount).toBe(1);
    expect(await stream.next()).toEqual({ done: true, value: undefined });
  });

  it('kills a task that takes too long when asked to, and goes on (K13)', async () => {
    const all = outcomes(
      Task.asyncStream(owner.self, upTo(3), (at) => (at === 1 ? never() : at), {
        maxConcurrency: 1,
        timeoutMs: 10,
        onTimeout: 'kill_task',
      }),
    );
    await world.clock.advance(10);
    expect(await all).toEqual([...values(0), { status: 'exit', reason: 'timeout' }, ...values(2)]);
    expect(isAlive(owner.pid)).toBe(true);
  });

  it('says for which item a task failed when asked to (K13)', async () => {
    const { self } = await startProbe(world, { trapExit: true });
    const all = await outcomes(
      Task.asyncStream(self, ['a', 'b'], (item) => (item === 'a' ? boom() : item), { zipInputOnExit: true }),
    );
    expect(all).toEqual([{ status: 'exit', reason: expect.any(Boom) as unknown, input: 'a' }, ...values('b')]);
  });

  it('takes an owner that does not trap exits with it; one that does gets an outcome and no Exit (K11, K13)', async () => {
    const trapping = await startProbe(world, { trapExit: true });
    const all = await outcomes(Task.asyncStream(trapping.self, [1], boom));
    expect(all).toEqual([{ status: 'exit', reason: expect.any(Boom) as unknown }]);
    await settle();
    expect([trapping.messages, isAlive(trapping.pid)]).toEqual([[], true]);

    const { self, pid } = await startProbe(world);
    const failed = rejectionOf(outcomes(Task.asyncStream(self, [1], boom)));
    expect(await failed).toBeInstanceOf(NoProcessError);
    expect(isAlive(pid)).toBe(false);
  });

  it('stops what is running when the reader leaves, and returns the input once (K13)', async () => {
    let returns = 0;
    let items = 0;
    const signals: AbortSignal[] = [];
    const input = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false as const, value: items++ }),
        return: () => (returns++, { done: true as const, value: undefined }),
      }),
    };
    for await (const { status } of Task.asyncStream(
      owner.self,
      input,
      (at, signal) => (signals.push(signal), at === 0 ? at : never()),
      { maxConcurrency: 4 },
    )) {
      expect(status).toBe('ok');
      break;
    }
    expect(world.runtime.processCount).toBe(1);
    expect([returns, signals.map(({ aborted }) => aborted)]).toEqual([1, [false, true, true, true, true]]);
    expect([isAlive(owner.pid), owner.messages]).toEqual([true, []]);
  });

  it.each([
    ['sync', upToAndThrow(2)],
    ['async', asAsync(upToAndThrow(2))],
  ])('throws what the input throws, and stops what is running: %s (K13)', async (_name, input) => {
    const stream = Task.asyncStream(owner.self, input, never, { maxConcurrency: 5 });
    expect(await rejectionOf(outcomes(stream))).toMatchObject({ message: 'no more input' });
    expect(world.runtime.processCount).toBe(1);
  });

  it('ends when its owner does, also in the middle of a wait (K13)', async () => {
    const { self, pid } = await startProbe(world);
    const reading = rejectionOf(outcomes(Task.asyncStream(self, upTo(3), never)));
    await settle();
    await world.stop(pid);
    expect(await reading).toBeInstanceOf(NoProcessError);
    expect(world.runtime.processCount).toBe(1);
  });

  it('runs thousands of tasks, never more than it may at a time (K13)', async () => {
    let now = 0;
    let most = 0;
    const work = async (at: number): Promise<number> => {
      most = Math.max(most, ++now);
      for (let turn = at % 3; turn >= 0; turn--) await Promise.resolve();
      now--;
      return at;
    };
    const all = await outcomes(Task.asyncStream(owner.self, upTo(5_000), work, { maxConcurrency: 7 }));
    expect(all.map((outcome) => (outcome as { value: number }).value)).toEqual([...upTo(5_000)]);
    expect(most).toBe(7);
  });

  it.each([
    [{ maxConcurrency: 0 }, 'maxConcurrency'],
    [{ maxConcurrency: 1.5 }, 'maxConcurrency'],
    [{ timeoutMs: -1 }, 'timeoutMs'],
    [{ onTimeout: 'wait' as never }, 'onTimeout'],
  ])('refuses %o at once', (options, name) => {
    expect(() => Task.asyncStream(owner.self, [], (at) => at, options)).toThrow(name);
  });

  function* upToAndThrow(limit: number): Generator<number> {
    yield* upTo(limit);
    throw new Error('no more input');
  }
  async function* asAsync<T>(input: Iterable<T>): AsyncGenerator<T> {
    yield* input;
  }

  it.each([
    ['an async one gives nothing', { [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(undefined) }) }],
    ['one gives nothing', { [Symbol.iterator]: () => ({ next: () => undefined }) }],
  ])('fails when its input is no iterator: %s', async (_, input) => {
    const stream = Task.asyncStream(owner.self, input as unknown as Iterable<number>, (at) => at);
    expect(await rejectionOf(stream.next())).toBeInstanceOf(TypeError);
  });
});

describe('a task with tracking', () => {
  beforeEach(() => {
    world = testWorld({ tracking: true });
  });

  it('inherits the chain of callers: calling who awaits it closes a circle (K15)', async () => {
    const pid = await world.start(script({ label: 'Cart' }));
    const error = rejectionOf(
      world.call(pid, async ({ self }: Context) =>
        reply(await self.task(async () => (await Promise.resolve(), world.call(pid, () => reply(1))))),
      ),
    );
    await world.clock.advance(1_000);
    expect(await error).toMatchObject({ reason: expect.any(CallCycleError) as unknown });
  });

  it('may call its owner when nobody in it waits (K15)', async () => {
    const pid = await world.start(script());
    const slow = world.call(pid, ({ self, from }: Context) => {
      void self.task(() => world.call(pid, () => reply('from the owner'))).then(from.reply, from.replyError);
      return from.later();
    });
    await expect(slow).resolves.toBe('from the owner');
  });

  it('is known to be somebody else’s after an await too (K10)', async () => {
    const { self } = await startProbe(world);
    const task = self.task(never);
    const error = await inServer(async () => {
      await Promise.resolve();
      return rejectionOf(task.await());
    });
    expect(error).toBeInstanceOf(TaskOwnerError);
  });
});

describe('a task (real clock)', () => {
  it('is timed by the clock of the runtime', async () => {
    world = testWorld({ clock: systemClock });
    const { self } = await startProbe(world);
    expect(await rejectionOf(self.task(never).await(1))).toBeInstanceOf(TaskTimeoutError);
    expect(await self.task(() => 1).yield(60_000)).toEqual({ status: 'ok', value: 1 } satisfies TaskOutcome<number>);
    world.runtime.close();
  });
});

/** An endless input: 1, 2, 3, … */
function iterable(
  key: symbol,
  next: (at: number) => unknown,
  leave: () => unknown,
): Iterable<number> & AsyncIterable<number> {
  return {
    [key]: () => {
      let at = 0;
      return { next: () => next(++at), return: leave };
    },
  } as never;
}

function throwing(error: Error): () => never {
  return () => {
    throw error;
  };
}
