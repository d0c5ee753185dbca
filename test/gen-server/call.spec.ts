import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { call } from '../../lib/gen-server/client/client.js';
import { DESTINATION, type Destination } from '../../lib/gen-server/client/destination.js';
import {
  CallingSelfError,
  CallTimeoutError,
  NoProcessError,
  ServerExitedError,
  UnknownHandlerError,
} from '../../lib/gen-server/errors.js';
import { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import { Handler } from '../../lib/gen-server/definition/server-definition.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { NameTable } from '../../lib/registry/name-table.js';
import { deferred, never } from '../support/deferred.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { type Context, script } from '../support/script.js';
import { seededRandom } from '../support/seeded-random.js';
import { blueprintOfClass } from '../support/server-blueprint.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

describe('call', () => {
  let world: TestWorld;
  let pid: Pid;

  beforeEach(async () => {
    world = testWorld();
    pid = await world.start(script(), { args: [0], name: 'server' });
  });

  describe('timeoutMs', () => {
    it('is 5 000 ms by default (C1)', async () => {
      const caller = rejectionOf(world.call(pid, () => never()));
      await world.clock.advance(4_999);
      let isSettled = false;
      void caller.then(() => (isSettled = true));
      await settle();
      expect(isSettled).toBe(false);
      await world.clock.advance(1);
      expect(await caller).toMatchObject({ code: 'CALL_TIMEOUT', timeoutMs: 5_000 });
    });

    it('may be 0: answered if that takes no time, else timed out (C1)', async () => {
      expect(await world.call(pid, () => reply('quick'), 0)).toBe('quick');
      const slow = rejectionOf(world.call(pid, () => never(), 0));
      await world.clock.advance(0);
      expect(await slow).toBeInstanceOf(CallTimeoutError);
    });

    it('may be Infinity, which waits for ever and arms no timer (C1)', async () => {
      const gate = deferred();
      const patient = world.call(pid, async () => (await gate.promise, reply('at last')), Infinity);
      await settle();
      expect(world.clock.pendingTimers).toBe(0);
      await world.clock.advance(1e12);
      gate.resolve();
      expect(await patient).toBe('at last');
    });

    it.each([[-1], [NaN], ['100'], [null]])('is refused before anything is sent: %s (C1)', async (timeoutMs) => {
      const log: string[] = [];
      const refused = rejectionOf(world.call(pid, () => (log.push('handled'), reply(1)), timeoutMs as number));
      expect(await refused).toBeInstanceOf(InvalidArgumentError);
      expect(await refused).toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('timeoutMs of a call must be a number of milliseconds, 0 or more') as string,
      });
      await settle();
      expect(log).toEqual([]);
    });

    it('of a decorated server is that of the call, else of the handler, else of the class (C1)', async () => {
      class Slow extends GenServerBase<null> {
        override init() {
          return ok(null);
        }
        hang() {
          return never();
        }
        crawl() {
          return never();
        }
      }
      const { hang, crawl } = Slow.prototype;
      const calls = new Map([
        ['hang', new Handler('hang', hang, 30)],
        ['crawl', new Handler('crawl', crawl)],
      ]);
      const source = blueprintOfClass(Slow, { definition: { calls, callTimeoutMs: 20 } });
      const limits: unknown[] = [];
      for (const [handler, timeoutMs] of [['hang', 10], ['hang'], ['crawl']] as const) {
        const slow = await world.startSource(source);
        const late = rejectionOf(call(world.runtime, slow, handler, [], { timeoutMs }));
        await world.clock.advance(1_000);
        limits.push(((await late) as CallTimeoutError).timeoutMs);
      }
      expect(limits).toEqual([10, 30, 20]);
    });
  });

  it('counts queueing and handling, and tells which of them took the time (C2)', async () => {
    const gate = deferred();
    const first = rejectionOf(world.call(pid, async () => (await gate.promise, reply(1)), 100));
    const second = rejectionOf(world.call(pid, () => reply(2), 100));
    world.cast(pid, () => noReply());
    await world.clock.advance(100);
    expect(await first).toMatchObject({ phase: 'running', queueLength: 2 });
    expect(await second).toMatchObject({ phase: 'waiting', queueLength: 2 });
    gate.resolve();
  });

  it('that times out leaves the server alone: it goes on, and keeps the state (C2)', async () => {
    const gate = deferred();
    const late = rejectionOf(
      world.call(pid, async ({ state }: Context) => (await gate.promise, reply(1, (state as number) + 1)), 10),
    );
    await world.clock.advance(10);
    expect(await late).toBeInstanceOf(CallTimeoutError);
    gate.resolve();
    expect(await world.call(pid, ({ state }: Context) => reply(state as number))).toBe(1);
  });

  it('ignores a reply that comes after its timeout, without a trace (C3)', async () => {
    const server = script();
    const quiet = await world.start(server);
    const gate = deferred();
    const late = rejectionOf(world.call(quiet, async () => (await gate.promise, reply('late')), 10));
    await world.clock.advance(10);
    await late;
    const events = world.seen.length;
    gate.resolve();
    await settle();
    expect(server.seen).toEqual([]);
    expect(world.seen).toHaveLength(events);
  });

  it('leaves no deadline behind when it was answered', async () => {
    await world.call(pid, () => reply(1));
    expect(world.runtime.deadlines.isEmpty).toBe(true);
  });

  describe('of nobody', () => {
    it.each<[string, () => Destination]>([
      ['a pid that has ended', () => pid],
      ['an unknown string', () => 'nobody'],
      ['an unknown symbol', () => Symbol('nobody')],
      ['a class that was not started', () => NameTable],
      ['an unknown global name', () => ({ global: 'nobody' })],
      ['a client of nobody', () => ({ [DESTINATION]: 'nobody' })],
    ])('rejects with NoProcessError at once: %s (C4)', async (_name, destination) => {
      world.exit(pid, 'kill');
      await settle();
      expect(await rejectionOf(world.call(destination(), () => reply(1)))).toBeInstanceOf(NoProcessError);
      expect(world.clock.pendingTimers).toBe(0);
    });

    it.each([[undefined], [null], [''], [42], [{}]])(
      'rejects at once what can be no destination: %o (C4, N1)',
      async (destination) => {
        expect(await rejectionOf(world.call(destination as never, 'x'))).toBeInstanceOf(InvalidArgumentError);
      },
    );
  });

  describe('of oneself', () => {
    it.each<[string, (self: Context['self']) => Destination]>([
      ['by pid', (self) => self.pid],
      ['by name', () => 'server'],
      ['by a client', () => ({ [DESTINATION]: 'server' })],
    ])('rejects at once, %s (C5)', async (_name, destination) => {
      const answer = await world.call(pid, async ({ self }: Context) =>
        reply(await rejectionOf(world.call(destination(self), () => reply(1)))),
      );
      expect(answer).toBeInstanceOf(CallingSelfError);
      expect(answer).toMatchObject({ code: 'CALLING_SELF', server: 'behaviour' });
    });

    it('rejects in init and terminate as well (C5)', async () => {
      const log: unknown[] = [];
      const tryIt = (name: string) => rejectionOf(world.call(name, 'x')).then((reason) => log.push(reason));
      await world.start(script({ init: () => (void tryIt('other'), ok(null)), terminate: () => tryIt('other') }), {
        name: 'other',
      });
      await world.stop('other');
      expect(log).toEqual([expect.any(CallingSelfError), expect.any(CallingSelfError)]);
    });

    it('in a circle ends by the inner timeout (C5)', async () => {
      const other = await world.start(script());
      const circle = world.call(
        pid,
        async () =>
          reply(await rejectionOf(world.call(other, async () => reply(await world.call(pid, () => reply(1), 10))))),
        1_000,
      );
      await world.clock.advance(10);
      expect(await circle).toMatchObject({ code: 'SERVER_EXITED', reason: { code: 'CALL_TIMEOUT' } });
    });
  });

  describe('of a server that ends', () => {
    it.each<[string, (it: { pid: Pid; world: TestWorld }) => unknown, unknown]>([
      ['throws', (it) => it.world.cast(it.pid, () => thrower(boom)), boom],
      ['throws what is no error', (it) => it.world.cast(it.pid, () => thrower('normal')), { thrown: 'normal' }],
      ['is killed', (it) => it.world.exit(it.pid, 'kill'), 'killed'],
      ['is stopped', (it) => it.world.stop(it.pid), 'normal'],
      ['shuts down', (it) => it.world.stop(it.pid, 'shutdown'), 'shutdown'],
      ['exits', (it) => it.world.cast(it.pid, ({ self }: Context) => self.exit({ shutdown: 1 })), { shutdown: 1 }],
    ])(
      'rejects everybody who waits with the reason, each with an error of its own: %s (C6)',
      async (_name, end, reason) => {
        const gate = deferred();
        const unanswered = rejectionOf(world.call(pid, ({ from }: Context) => from.later()));
        world.cast(pid, async () => (await gate.promise, noReply()));
        await settle();
        void Promise.resolve(end({ pid, world }));
        const queued = [1, 2].map((n) => rejectionOf(world.call(pid, () => reply(n))));
        gate.resolve();
        const errors = await Promise.all([unanswered, ...queued]);
        expect(new Set(errors).size).toBe(3);
        for (const error of errors) {
          expect(error).toBeInstanceOf(ServerExitedError);
          expect(error).toMatchObject({ code: 'SERVER_EXITED', server: 'behaviour', reason });
        }
      },
    );

    it('carries what was thrown as the cause (C6)', async () => {
      expect(await rejectionOf(world.call(pid, () => thrower(boom)))).toMatchObject({ reason: boom, cause: boom });
      const other = await world.start(script());
      expect(await rejectionOf(world.call(other, () => thrower('a string')))).toMatchObject({
        reason: { thrown: 'a string' },
        cause: 'a string',
      });
    });

    it('crashes the server that called, when it does not catch: the reasons nest (C7)', async () => {
      const outer = await world.start(script());
      const caller = (await rejectionOf(
        world.call(outer, async () => reply(await world.call(pid, () => thrower(boom)))),
      )) as ServerExitedError;
      expect(caller.reason).toBeInstanceOf(ServerExitedError);
      expect(caller.cause).toMatchObject({ code: 'SERVER_EXITED', reason: boom, cause: boom });
    });

    it('nests a timeout in the same way (C7)', async () => {
      const outer = await world.start(script());
      const caller = rejectionOf(world.call(outer, async () => reply(await world.call(pid, () => never(), 10))));
      await world.clock.advance(10);
      expect(await caller).toMatchObject({ reason: { code: 'CALL_TIMEOUT' }, cause: { code: 'CALL_TIMEOUT' } });
    });
  });

  it('rejects without frames of the loop: the stack that tells something is the one of the cause', async () => {
    const frames = /\n {4}at /;
    const late = rejectionOf(world.call(pid, () => never(), 10));
    await world.clock.advance(10);
    const ended = (await rejectionOf(
      world.call(await world.start(script()), () => thrower(boom)),
    )) as ServerExitedError;
    const stops = rejectionOf(world.stop(pid, 'normal', 10));
    await world.clock.advance(10);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT', stack: expect.not.stringMatching(frames) as string });
    expect(await stops).toMatchObject({ code: 'CALL_TIMEOUT', stack: expect.not.stringMatching(frames) as string });
    expect(ended).toMatchObject({ code: 'SERVER_EXITED', stack: expect.not.stringMatching(frames) as string });
    expect((ended.cause as Error).stack).toMatch(frames);
  });

  it('that nobody answers waits for its timeout or for the end of the server (C12)', async () => {
    const timed = rejectionOf(world.call(pid, ({ from }: Context) => from.later(), 100));
    const ended = rejectionOf(world.call(pid, ({ from }: Context) => from.later(), Infinity));
    await world.clock.advance(100);
    expect(await timed).toMatchObject({ code: 'CALL_TIMEOUT', phase: 'answered_later' });
    await world.stop(pid);
    expect(await ended).toMatchObject({ code: 'SERVER_EXITED', reason: 'normal' });
  });

  it('is told nothing when the helper that was to answer dies (C12)', async () => {
    const helper = await world.start(script());
    const caller = rejectionOf(
      world.call(pid, ({ from }: Context) => {
        world.cast(helper, () => (from.reply, thrower(boom)));
        return from.later();
      }),
    );
    await settle();
    expect(processOf(helper)).toBeUndefined();
    await world.clock.advance(5_000);
    expect(await caller).toBeInstanceOf(CallTimeoutError);
  });

  it('that timed out unanswered is not kept by the server', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const timedOut = await (async () => {
      const step = ({ from }: Context) => from.later();
      const late = rejectionOf(world.call(pid, step, 10));
      await world.clock.advance(10);
      await late;
      return new WeakRef(step);
    })();
    await world.call(pid, () => reply('goes on'));
    await settle();
    collect();
    expect(timedOut.deref()).toBeUndefined();
  });

  it('of a name that is no call handler is refused at the sender, and enqueues nothing', async () => {
    class Server extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      get() {
        return reply(1);
      }
      put() {
        return noReply();
      }
    }
    const decorated = await world.startSource(blueprintOfClass(Server, { calls: ['get'], casts: ['put'] }));
    for (const name of [
      'put',
      'init',
      'constructor',
      'toString',
      '__proto__',
      Symbol('x'),
      Object.create(null),
      undefined,
    ]) {
      expect(await rejectionOf(world.call(decorated, name))).toBeInstanceOf(UnknownHandlerError);
    }
    for (const name of ['get', 'hasOwnProperty', Object.create(null)]) {
      expect(() => world.cast(decorated, name)).toThrow(UnknownHandlerError);
    }
    expect(processOf(decorated)!.queueLength).toBe(0);
  });

  it('settles exactly once, under timeouts, answers, second answers and kills in any order (C2, C3, C10)', async () => {
    const random = seededRandom(42);
    const settled = new Map<number, number>();
    const handled = new Set<number>();
    const calls: Promise<unknown>[] = [];
    let survivor = await world.start(script());
    let number = 0;
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 10; i++) {
        const id = number++;
        const [how, waitMs, timeoutMs] = [
          Math.floor(random() * 4),
          Math.floor(random() * 40),
          Math.floor(random() * 60),
        ];
        const step = ({ from, self }: Context): unknown => {
          handled.add(id);
          if (how === 0) return reply(id);
          if (how === 1) {
            self.sendAfter(self.pid, () => (from.reply(id), from.reply('second'), noReply()), waitMs);
            return from.later();
          }
          if (how === 2) {
            from.reply(id);
            from.replyError(boom);
            return reply('second');
          }
          return from.later();
        };
        const count = () => settled.set(id, (settled.get(id) ?? 0) + 1);
        calls.push(
          world.call(survivor, step, timeoutMs).then(
            (value) => (count(), expect(value).toBe(id)),
            (error: Error) => (
              count(),
              expect(['CALL_TIMEOUT', 'SERVER_EXITED']).toContain((error as CallTimeoutError).code)
            ),
          ),
        );
      }
      await world.clock.advance(Math.floor(random() * 30));
      if (random() < 0.1) {
        world.exit(survivor, 'kill');
        survivor = await world.start(script());
      }
    }
    await world.clock.advance(1_000);
    await world.stop(survivor);
    await Promise.all(calls);
    expect([...settled.values()]).toEqual(Array.from({ length: number }, () => 1));
    expect(handled.size).toBe(number);
    expect(world.runtime.deadlines.isEmpty).toBe(true);
  });
});

describe('call on a clock that is costly to read', () => {
  class CostlyClock extends ManualClock {
    readonly isCostly = true;
  }

  it('of a busy server, which nothing wakes, counts from the end of the turn that it was made in (C2)', async () => {
    const costly = testWorld({ clock: new CostlyClock() });
    const pid = await costly.start(script());
    await costly.call(pid, () => reply('armed'), 100);
    const hangs = rejectionOf(costly.call(pid, () => never(), 5_000));
    await costly.clock.advance(60);
    const late = rejectionOf(costly.call(pid, () => reply('too late'), 100));
    let isOver = false;
    void late.then(() => (isOver = true));
    await costly.clock.advance(99);
    expect(isOver).toBe(false);
    await costly.clock.advance(1);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT', phase: 'waiting' });
    await costly.clock.advance(5_000);
    expect(await hangs).toMatchObject({ code: 'CALL_TIMEOUT', phase: 'running' });
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
