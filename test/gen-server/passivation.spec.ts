import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ok, noReply, reply } from '../../lib/gen-server/results/callback-result.js';
import { type ReplyStream, replyStream } from '../../lib/gen-server/streams/reply-stream.js';
import type { StreamSource } from '../../lib/gen-server/streams/reply-stream-source.js';
import type { Self } from '../../lib/gen-server/self.js';
import { sendAfter } from '../../lib/gen-server/client/client.js';
import { Task } from '../../lib/gen-server/tasks/task.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { TaskSupervisor } from '../../lib/supervision/task-supervisor.js';
import { deferred, never } from '../support/deferred.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { settle } from '../support/manual-clock.js';
import { expectWorldEnds } from '../support/world-end.js';
import { testWorld, type TestWorld } from '../support/world.js';

const IDLE_MS = 1_000;

let world: TestWorld;
let pid: Pid;
let self: Self;
let ended: unknown[];

beforeEach(async () => {
  world = testWorld();
  ended = [];
  const lend = (lent: Self) => {
    self = lent;
    return ok(null);
  };
  pid = await world.start(script({ terminate: (reason) => void ended.push(reason) }), {
    args: [lend],
    idleMs: IDLE_MS,
  });
});

afterEach(() => expectWorldEnds(world));

/** It lives for `ms` milliseconds more, and then as long as an idle process does and no longer. */
async function expectIdleAfter(ms: number, end: () => unknown): Promise<void> {
  await world.clock.advance(ms);
  expect(ended).toEqual([]);
  await end();
  await world.clock.advance(IDLE_MS - 1);
  expect(ended).toEqual([]);
  await world.clock.advance(1);
  expect(ended).toEqual([{ shutdown: 'idle' }]);
}

describe('idleMs', () => {
  it('counts from the last message', () => expectIdleAfter(IDLE_MS - 1, () => world.call(pid, () => reply('ok'))));

  it('waits for an answer that was left for later', async () => {
    const gate = deferred();
    const answer = world.call(
      pid,
      ({ from }: Context) => (void gate.promise.then(() => from.reply(1)), from.later()),
      Infinity,
    );
    await world.clock.advance(IDLE_MS * 3.5);
    expect(ended).toEqual([]);
    gate.resolve();
    expect(await answer).toBe(1);
    await world.clock.advance(IDLE_MS);
    expect(ended).toEqual([{ shutdown: 'idle' }]);
  });

  it.each<[how: string, start: (work: () => Promise<unknown>) => Task<unknown>]>([
    ['self.task', (work) => self.task(work)],
    ['Task.async', (work) => Task.async(self, work)],
  ])('counts from the end of the last task that was started by %s', async (_how, start) => {
    const gates = [deferred(), deferred()];
    const tasks = gates.map(({ promise }) => start(() => promise));
    void tasks[0]!.then(() => undefined); // somebody waits for this one, nobody for the other
    await expectIdleAfter(IDLE_MS * 3.5, async () => {
      gates[0]!.resolve();
      await world.clock.advance(IDLE_MS * 2);
      expect(ended).toEqual([]);
      gates[1]!.resolve();
      await settle();
    });
  });

  it('counts from the end of a task that is awaited, whose result is no message', async () => {
    const gate = deferred();
    void self.task(() => gate.promise).then(() => undefined);
    await expectIdleAfter(IDLE_MS * 3.5, gate.resolve);
  });

  it('counts from the end of a task that is stopped, or killed by somebody', async () => {
    const stopped = self.task(never);
    const killed = self.task(never);
    void killed.yield(Infinity);
    await expectIdleAfter(IDLE_MS * 3.5, async () => {
      await stopped.shutdown();
      await world.clock.advance(IDLE_MS * 2);
      world.exit(killed.pid, 'kill');
      await settle();
    });
  });

  it('waits for a task under a supervisor, until the result is ignored: it can do without the server then', async () => {
    const supervisor = await TaskSupervisor.start(world.runtime);
    const task = TaskSupervisor.asyncNolink(self, supervisor, never);
    await expectIdleAfter(IDLE_MS * 3.5, () => task.ignore());
    expect(TaskSupervisor.children(world.runtime, supervisor)).toEqual([task.pid]);
  });

  it('waits for a task that is ignored but would end with the server', async () => {
    const gate = deferred();
    self.task(() => gate.promise).ignore();
    await expectIdleAfter(IDLE_MS * 3.5, gate.resolve);
  });

  it('begins again when a task is started from outside of a handler', async () => {
    const gate = deferred();
    await world.clock.advance(IDLE_MS - 1);
    self.task(() => gate.promise);
    await expectIdleAfter(IDLE_MS * 3, gate.resolve);
  });

  it.each<[how: string, set: () => void]>([
    ['to its pid', () => self.sendAfter(self.pid, 'tick', IDLE_MS * 2)],
    ['to a name of its own', () => self.sendAfter('idler', 'tick', IDLE_MS * 2)],
    ['from outside, to its pid', () => sendAfter(world.runtime, pid, 'tick', IDLE_MS * 2)],
  ])('waits for a timer that is pending %s, and counts from its message', async (_how, set) => {
    world.localNames.register('idler', pid);
    set();
    await world.clock.advance(IDLE_MS * 2);
    await expectIdleAfter(IDLE_MS - 1, () => world.call(pid, () => reply('ok')));
  });

  it('does not wait for a timer that is for another, nor for one that was cancelled', async () => {
    self.sendAfter(await world.start(script()), 'tick', IDLE_MS * 9);
    const cancelled = self.sendAfter(self.pid, 'tick', IDLE_MS * 9);
    await world.clock.advance(IDLE_MS * 1.5);
    await expectIdleAfter(0, async () => {
      self.cancelTimer(cancelled);
      await world.call(pid, () => reply('ok'));
    });
  });

  it('waits for the timeout that a result asked for, unless that never comes', async () => {
    await world.call(pid, () => reply('ok').timeout(IDLE_MS * 2.5));
    await world.clock.advance(IDLE_MS * 2.5);
    await expectIdleAfter(IDLE_MS - 1, () => world.call(pid, () => reply('ok').timeout(Infinity)));
  });

  describe('with streams', () => {
    const ask = <T>(source: StreamSource<T>): Promise<ReplyStream<T>> =>
      world.call(pid, () => replyStream(source)) as Promise<ReplyStream<T>>;

    it('counts from the end of a stream that is read, however slowly', async () => {
      const items = (await ask([1, 2, 3]))[Symbol.asyncIterator]();
      await expectIdleAfter(0, async () => {
        for (const value of [1, 2, 3]) {
          expect(await items.next()).toEqual({ done: false, value });
          await world.clock.advance(IDLE_MS * 2);
          expect(ended).toEqual([]);
        }
        expect(await items.next()).toEqual({ done: true, value: undefined });
      });
    });

    it('counts from when the last reader leaves, and from a source that fails', async () => {
      const left = (await ask([1, 2]))[Symbol.asyncIterator]();
      const gate = deferred<number>();
      const failed = (await ask([gate.promise]))[Symbol.asyncIterator]();
      await left.next();
      const failure = rejectionOf(failed.next());
      await expectIdleAfter(IDLE_MS * 2, async () => {
        await left.return();
        await left.return();
        await world.clock.advance(IDLE_MS * 2);
        gate.reject(new Error('boom'));
        await failure;
      });
    });

    it('does not wait for a reader that never begins, or leaves before: the stream counts as its call does', async () => {
      const forgotten = await ask([1]);
      await expectIdleAfter(IDLE_MS - 1, async () => {
        await (await ask([1]))[Symbol.asyncIterator]().return();
        forgotten[Symbol.asyncIterator](); // taken, but nothing was asked for
      });
    });

    it('still waits for a task when a reader leaves that had not begun', async () => {
      const gate = deferred();
      self.task(() => gate.promise);
      await (await ask([1]))[Symbol.asyncIterator]().return();
      await expectIdleAfter(IDLE_MS * 3, gate.resolve);
    });

    it('tells a reader that begins too late why there is nothing to read', async () => {
      const stream = await ask([1]);
      await world.clock.advance(IDLE_MS);
      const error = await rejectionOf(stream[Symbol.asyncIterator]().next());
      expect(error).toMatchObject({ code: 'SERVER_EXITED', reason: { shutdown: 'idle' } });
    });
  });

  it('leaves other ends alone: a server with a task and a stream stops when it is told to', async () => {
    self.task(never);
    const items = (await (world.call(pid, () => replyStream([1, 2])) as Promise<ReplyStream<number>>))[
      Symbol.asyncIterator
    ]();
    await items.next();
    world.cast(pid, () => noReply());
    await world.stop(pid);
    expect(ended).toEqual(['normal']);
  });

  it('comes second to an exit that the process asked for in that very moment', async () => {
    await settle();
    expect(() => self.exit('boom')).toThrow();
    world.clock.jump(IDLE_MS);
    await settle();
    expect(ended).toEqual(['boom']);
  });
});
