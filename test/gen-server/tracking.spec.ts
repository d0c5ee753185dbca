import { describe, expect, it } from 'vitest';
import { createWorld } from '../../lib/create-runtime.js';
import { noReply, ok, reply, replyError, stop } from '../../lib/gen-server/results/callback-result.js';
import { CallCycleError, CallingSelfError } from '../../lib/gen-server/errors.js';
import type { From } from '../../lib/gen-server/process/from.js';
import type { Self } from '../../lib/gen-server/self.js';
import { isTrackingCheap } from '../../lib/runtime/tracking.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

type Job = (context: Context) => unknown;

/** Servers that do what they are sent, registered under their labels. */
async function trackedWorld(...names: string[]) {
  const world = testWorld({ tracking: true });
  for (const name of names) await world.start(script({ label: name }), { name, args: [null] });
  /** Asks a server to do something, for as long as it takes. */
  const ask = (name: string, job: Job): Promise<unknown> => world.call(name, job, Infinity);
  return { ...world, ask };
}

/** Awaits a few times, as a handler does that looks into a database first. */
const aWhile = async (): Promise<void> => {
  for (let turn = 0; turn < 3; turn++) await Promise.resolve();
  await new Promise((resolve) => setImmediate(resolve));
};

/** A promise that tells whether it is settled. */
function watch<T>(promise: Promise<T>) {
  const watched = { promise, isSettled: false };
  const settled = (): void => void (watched.isSettled = true);
  promise.then(settled, settled);
  return watched;
}

describe('tracking', () => {
  it.each([
    ['20.20.2', false],
    ['22.12.0', false],
    ['24.0.0', true],
    ['26.1.0', true],
  ])('is cheap on Node %s: %s', (version, isCheap) => {
    expect(isTrackingCheap(version)).toBe(isCheap);
  });

  it('is on from Node 24 on unless the world says otherwise, and makes no store at all when it is off', () => {
    expect(createWorld({ tracking: false }).runtime.tracking).toBeNull();
    expect(createWorld({ tracking: true }).runtime.tracking).not.toBeNull();
    expect(createWorld().runtime.tracking === null).toBe(!isTrackingCheap(process.versions.node));
  });
});

describe('a call to oneself', () => {
  it('rejects at once after any number of awaits', async () => {
    const { ask, clock, call } = await trackedWorld('A');
    const error = await rejectionOf(
      ask('A', async () => {
        await aWhile();
        await call('A', () => reply(null));
        return reply(null);
      }),
    );
    expect(error).toMatchObject({ code: 'SERVER_EXITED', cause: { code: 'CALLING_SELF', server: 'A' } });
    expect((error as Error).cause).toBeInstanceOf(CallingSelfError);
    expect(clock.pendingTimers).toBe(0);
  });

  it('rejects at once in init, continue, cast, info and terminate', async () => {
    const world = testWorld({ tracking: true });
    const errors: unknown[] = [];
    let mine!: Self;
    const callMyself = async (self: Self): Promise<void> => {
      await aWhile();
      errors.push(await rejectionOf(world.call(self.pid, null, Infinity)));
    };
    const pid = await world.start({
      init: async (_args, self) => ((mine = self), await callMyself(self), ok(null).continue('next')),
      handleContinue: async (_tag, _args, _state, self) => (await callMyself(self), noReply()),
      handleCast: async (_request, _state, self) => (await callMyself(self), noReply()),
      handleInfo: async (_message, _state, self) => (await callMyself(self), stop('normal')),
      terminate: () => callMyself(mine),
    });
    world.cast(pid, null);
    world.send(pid, null);
    await settle();
    await settle();
    expect(errors.map((error) => (error as CallingSelfError).code)).toEqual(Array(5).fill('CALLING_SELF'));
    expect(world.runtime.processCount).toBe(0);
  });

  it('rejects for stop as well', async () => {
    const { ask, stop: stopServer } = await trackedWorld('A');
    expect(
      await ask('A', async () => {
        await aWhile();
        return reply(await rejectionOf(stopServer('A')));
      }),
    ).toMatchObject({ code: 'CALLING_SELF' });
  });

  it('is no such call when the handler has returned and left the code running', async () => {
    const { ask, call } = await trackedWorld('A');
    const late = deferred<unknown>();
    await ask('A', () => {
      void aWhile().then(async () => late.resolve(await call('A', () => reply('answered'))));
      return reply(null);
    });
    expect(await late.promise).toBe('answered');
  });

  it('is no such call when the server was restarted in between and another incarnation answers', async () => {
    const { ask, call, start, exit, runtime } = await trackedWorld('A');
    const gate = deferred();
    const late = deferred<unknown>();
    const first = rejectionOf(
      ask('A', async () => {
        await gate.promise;
        late.resolve(await call('A', () => reply('of the next life')));
        return reply(null);
      }),
    );
    await settle();
    exit('A', 'kill');
    await first;
    await start(script({ label: 'A' }), { name: 'A', args: [null] });
    expect(runtime.processCount).toBe(1);
    gate.resolve();
    expect(await late.promise).toBe('of the next life');
  });
});

describe('a circle of calls', () => {
  /** Asks each server of the way to ask the next, after awaiting something. */
  const around = (world: TestWorld, way: readonly string[]): Promise<unknown> => {
    const [first, ...rest] = way;
    const job: Job = async () => {
      await aWhile();
      return reply(rest.length === 0 ? 'the end' : await around(world, rest));
    };
    return world.call(first!, job, Infinity);
  };

  it.each([
    ['A -> B -> A', ['A', 'B', 'A']],
    ['A -> B -> C -> A', ['A', 'B', 'C', 'A']],
    ['B -> C -> B', ['A', 'B', 'C', 'B']],
    ['A -> B -> C -> D -> E -> A', ['A', 'B', 'C', 'D', 'E', 'A']],
  ])('rejects with the chain when nobody in it has moved for a second: %s', async (chain, way) => {
    const world = await trackedWorld('A', 'B', 'C', 'D', 'E');
    const outcome = watch(rejectionOf(around(world, way)));
    await world.clock.advance(999);
    expect(outcome.isSettled).toBe(false);
    await world.clock.advance(1);
    expect(outcome.isSettled).toBe(true);
    let error = await outcome.promise;
    while (!(error instanceof CallCycleError)) error = (error as Error).cause;
    expect(error).toMatchObject({ code: 'CALL_CYCLE', chain: chain.split(' -> ') });
    const [last, first] = [way.at(-2), way.at(-1)];
    expect(error.message).toBe(
      `${last} may not call ${first}, which waits for it: ${chain}. ` +
        'Let one of them cast, or answer later (from.later) and call when its handler has returned.',
    );
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('that is closed before the first await rejects as well, and can be caught like any error', async () => {
    const { ask, call, clock } = await trackedWorld('A', 'B');
    const caught = ask('A', async () =>
      reply(
        await call('B', async () => reply(((await rejectionOf(call('A', () => reply(1)))) as CallCycleError).code)),
      ),
    );
    await clock.advance(1_000);
    expect(await caught).toBe('CALL_CYCLE');
  });

  it.each([
    [8, 4],
    [100, 50],
    [1_000, 500],
    [1_999, 999.5],
    [2_000, 1_000],
    [60_000, 1_000],
    [Infinity, 1_000],
  ])('is waited for, when the call that closes it may take %d ms, for %d ms', async (timeoutMs, stillMs) => {
    const { ask, call, clock } = await trackedWorld('A', 'B');
    const caught = watch(
      ask('A', async () =>
        reply(await call('B', async () => reply(await rejectionOf(call('A', () => reply(1), timeoutMs))), Infinity)),
      ),
    );
    await clock.advance(stillMs - 0.5);
    expect(caught.isSettled).toBe(false);
    await clock.advance(0.5);
    expect(await caught.promise).toMatchObject({ code: 'CALL_CYCLE', chain: ['A', 'B', 'A'] });
  });

  it('leaves nothing of the call behind: it is never handled', async () => {
    const { ask, call, clock, runtime } = await trackedWorld('A', 'B');
    const handled: string[] = [];
    const job = (name: string) => () => (handled.push(name), reply(name));
    const caught = ask('A', async () =>
      reply(await call('B', async () => reply(await rejectionOf(call('A', job('in the circle')))), Infinity)),
    );
    await settle();
    const outside = call('A', job('from outside'));
    await clock.advance(5_000);
    expect(await caught).toMatchObject({ code: 'CALL_CYCLE' });
    expect(await outside).toBe('from outside');
    expect(handled).toEqual(['from outside']);
    expect([runtime.processCount, runtime.deadlines.isEmpty]).toEqual([2, true]);
  });

  it('rejects all the calls that close it at the same time', async () => {
    const { ask, call, clock } = await trackedWorld('A', 'B');
    const closing = (timeoutMs: number) => rejectionOf(call('A', () => reply(1), timeoutMs));
    const caught = watch(
      ask('A', async () =>
        reply(await call('B', async () => reply(await Promise.all([closing(4_000), closing(5_000)])), Infinity)),
      ),
    );
    await clock.advance(1_000);
    expect(await caught.promise).toMatchObject([{ code: 'CALL_CYCLE' }, { code: 'CALL_CYCLE' }]);
  });

  it('is found when the one in the middle is about to stop with a reply', async () => {
    const world = await trackedWorld('A');
    let inTerminate: unknown;
    await world.start(
      {
        label: 'B',
        handleCall: () => stop('normal').reply('late'),
        terminate: async () => {
          await aWhile();
          inTerminate = await rejectionOf(world.call('A', () => reply(null), Infinity));
        },
      },
      { name: 'B' },
    );
    const asking = world.ask('A', async () => reply(await world.call('B', null, Infinity)));
    await world.clock.advance(1_000);
    expect(await asking).toBe('late');
    expect(inTerminate).toMatchObject({ code: 'CALL_CYCLE', chain: ['A', 'B', 'A'] });
  });

  it('is found while the first of them starts', async () => {
    const world = await trackedWorld('B');
    const starting = rejectionOf(
      world.start(
        { label: 'A', init: async () => ok(await world.call('B', () => world.call('A', null).then(reply), Infinity)) },
        { name: 'A' },
      ),
    );
    await world.clock.advance(1_000);
    let error = await starting;
    while (!(error instanceof CallCycleError)) error = (error as Error).cause;
    expect(error.chain).toEqual(['A', 'B', 'A']);
  });

  it('rejects the call that closed it last, and no other that waits for the same servers', async () => {
    const { ask, call, clock } = await trackedWorld('A', 'B');
    const asking = ask('A', async () =>
      reply(await call('B', async () => reply(await rejectionOf(call('A', () => reply(1), Infinity))), Infinity)),
    );
    await settle();
    const outside = [call('A', () => reply('A'), Infinity), call('B', () => reply('B'), Infinity)];
    await clock.advance(1_000);
    expect(await asking).toMatchObject({ code: 'CALL_CYCLE' });
    expect(await Promise.all(outside)).toEqual(['A', 'B']);
  });

  describe('in which one does not wait for the answer', () => {
    it.each([0, 1, 500, 999])('is none: who is busy for another %d ms answers then', async (busyMs) => {
      const { ask, call, clock, seen } = await trackedWorld('A', 'B');
      const gate = deferred();
      const answered = deferred<unknown>();
      const went = ask('A', async () => {
        void call('B', async () => {
          answered.resolve(await call('A', () => reply('A has answered')));
          return reply(null);
        });
        await gate.promise;
        return reply('went on');
      });
      await clock.advance(busyMs);
      gate.resolve();
      await clock.advance(10_000);
      expect([await went, await answered.promise]).toEqual(['went on', 'A has answered']);
      expect(seen.filter(({ type }) => type === 'gen_server.crashed')).toEqual([]);
    });

    it.each([
      ['three', ['A', 'B', 'C', 'A']],
      ['five', ['A', 'B', 'C', 'D', 'E', 'A']],
    ])('is none among %s either', async (_, way) => {
      const world = await trackedWorld('A', 'B', 'C', 'D', 'E');
      const gate = deferred();
      let answer!: Promise<unknown>;
      const went = world.ask('A', async () => {
        answer = around(world, way.slice(1));
        await gate.promise;
        return reply('went on');
      });
      await world.clock.advance(999);
      gate.resolve();
      expect([await went, await answer]).toEqual(['went on', 'the end']);
    });

    it('is none when the one that closes it does not wait: its handler has returned', async () => {
      const { ask, call, clock } = await trackedWorld('A', 'B');
      const gate = deferred();
      let inner!: Promise<unknown>;
      const answer = ask('A', async () => {
        const first = await call('B', async () => {
          inner = call('A', () => reply('A has answered'), Infinity);
          await aWhile();
          return reply('B has answered');
        });
        await gate.promise;
        return reply(first);
      });
      await clock.advance(3_600_000);
      gate.resolve();
      expect([await answer, await inner]).toEqual(['B has answered', 'A has answered']);
    });

    it.each([
      ['answered', () => reply(null)],
      ['refused', () => replyError(new Error('no'))],
      ['not answered in time', ({ from }: Context) => from.later()],
    ])('is none, however long it takes, for one whose other calls are %s', async (_, job) => {
      const { ask, call, clock } = await trackedWorld('A', 'B', 'C');
      const steps = Array.from({ length: 20 }, () => deferred());
      let answer!: Promise<unknown>;
      const went = ask('A', async () => {
        answer = call('B', async () => reply(await call('A', () => reply('A has answered'), 60_000)), Infinity);
        for (const step of steps) {
          await call('C', job, 10).catch(() => undefined);
          await step.promise;
        }
        return reply('went on');
      });
      for (const step of steps) {
        await clock.advance(739);
        step.resolve();
      }
      expect([await went, await answer]).toEqual(['went on', 'A has answered']);
    });
  });

  it('that has moved late is found when it has been still for long enough, and not only at the next multiple of that', async () => {
    const { ask, call, clock } = await trackedWorld('A', 'B', 'C');
    const gate = deferred();
    const caught = watch(
      ask('A', async () => {
        const [answer] = await Promise.all([
          call('B', async () => reply(await rejectionOf(call('A', () => reply(1), Infinity))), Infinity),
          gate.promise.then(() => call('C', () => reply(null))),
        ]);
        return reply(answer);
      }),
    );
    await clock.advance(600);
    gate.resolve();
    await clock.advance(999);
    expect(caught.isSettled).toBe(false);
    await clock.advance(251);
    expect(await caught.promise).toMatchObject({ code: 'CALL_CYCLE' });
  });

  it.each([
    ['the one that closed it', 'B'],
    ['the one that it closed it with', 'A'],
  ])('is given up when %s is killed', async (_, victim) => {
    const { ask, call, clock, exit, runtime } = await trackedWorld('A', 'B');
    const asking = watch(
      ask('A', async () =>
        reply(await rejectionOf(call('B', async () => reply(await call('A', () => reply(1)))))),
      ).catch((error: unknown) => error),
    );
    await clock.advance(500);
    exit(victim, 'kill');
    await settle();
    expect(await asking.promise).toMatchObject({ code: 'SERVER_EXITED' });
    await clock.advance(5_000);
    expect(runtime.deadlines.isEmpty).toBe(true);
  });

  it('arms no timer where no circle is suspected, and takes it down when the call is answered', async () => {
    const { ask, call, clock, runtime } = await trackedWorld('A', 'B', 'C');
    await ask('A', async () => {
      await call('B', () => reply(1), Infinity);
      await call('B', async () => reply(await call('C', () => reply(1), Infinity)), Infinity);
      return reply(null);
    });
    expect([clock.pendingTimers, runtime.deadlines.isEmpty]).toEqual([0, true]);
    const gate = deferred();
    let inner!: Promise<unknown>;
    const went = ask('A', async () => {
      inner = call('B', async () => reply(await call('A', () => reply('A'), Infinity)), Infinity);
      await gate.promise;
      return reply(null);
    });
    await settle();
    expect(runtime.deadlines.isEmpty).toBe(false);
    gate.resolve();
    await Promise.all([went, inner]);
    expect(runtime.deadlines.isEmpty).toBe(true);
  });

  it('is none when a server that is busy with something else is called', async () => {
    const { ask, call } = await trackedWorld('A', 'B');
    const gate = deferred();
    const busy = ask('A', async () => (await gate.promise, reply('done')));
    const asking = ask('B', async () => (await aWhile(), reply(await call('A', () => reply('from A'), Infinity))));
    await settle();
    gate.resolve();
    expect(await Promise.all([busy, asking])).toEqual(['done', 'from A']);
  });

  it('is none when two servers are called one after the other, or the same one twice', async () => {
    const world = await trackedWorld('A', 'B', 'C');
    expect(
      await world.ask('A', async () => {
        const first = await world.call('B', () => reply(1));
        const [second, third] = await Promise.all([world.call('C', () => reply(2)), around(world, ['B', 'C'])]);
        return reply([first, second, third]);
      }),
    ).toEqual([1, 2, 'the end']);
  });

  it('is none for a cast and what its handler calls', async () => {
    const { ask, call, cast } = await trackedWorld('A', 'B');
    const back = deferred<unknown>();
    await ask('A', async () => {
      cast('B', async () => {
        back.resolve(await call('A', () => reply('back'), Infinity));
        return noReply();
      });
      await aWhile();
      return reply(null);
    });
    expect(await back.promise).toBe('back');
  });

  it('is none for a plain message that a handler sends while it is asked', async () => {
    const { ask, call, send } = await trackedWorld('A', 'B', 'C');
    const back = deferred<unknown>();
    await ask('A', async () =>
      reply(
        await call('B', () => {
          send('C', async () => (back.resolve(await call('A', () => reply('back'), Infinity)), noReply()));
          return reply(null);
        }),
      ),
    );
    expect(await back.promise).toBe('back');
  });

  it('is none when the one in the middle has left the answer to others and returned', async () => {
    const { ask, call, cast, runtime } = await trackedWorld('A', 'B', 'C');
    let from!: From<unknown>;
    const answer = ask('A', () => {
      // A asks B, and returns without the answer.
      void call('B', (context: Context) => ((from = context.from), from.later()), Infinity);
      return reply('went on');
    });
    expect(await answer).toBe('went on');
    const seen = deferred<unknown>();
    cast('B', async () => (seen.resolve(await call('A', () => reply('A is free'), Infinity)), noReply()));
    expect(await seen.promise).toBe('A is free');
    from.reply('answered');
    expect(runtime.processCount).toBe(3);
  });

  it('is none when the answer is left to work that goes on after the handler returned', async () => {
    const { ask, call } = await trackedWorld('A', 'B', 'C');
    const result = await ask('C', async () =>
      reply(
        await call(
          'B',
          ({ from }: Context) => {
            // A does not wait for B; C does.
            void aWhile().then(async () => from.reply(await call('A', () => reply('from A'), Infinity)));
            return from.later();
          },
          Infinity,
        ),
      ),
    );
    expect(result).toBe('from A');
  });

  it('is none when the caller has been answered already, or has given up', async () => {
    const world = await trackedWorld('A', 'B');
    const answered = deferred<unknown>();
    await world.ask('A', async () =>
      reply(
        await world.call('B', async ({ from }: Context) => {
          from.reply('early');
          await aWhile();
          answered.resolve(await world.call('A', () => reply('A went on'), Infinity));
          return noReply() as never;
        }),
      ),
    );
    expect(await answered.promise).toBe('A went on');

    const gate = deferred();
    const gaveUp = deferred<unknown>();
    const given = world.ask('A', async () => {
      await rejectionOf(
        world.call(
          'B',
          async () => {
            await gate.promise;
            gaveUp.resolve(await world.call('A', () => reply('A went on'), Infinity));
            return reply(null);
          },
          50,
        ),
      );
      return reply('gave up');
    });
    await world.clock.advance(50);
    gate.resolve();
    expect([await given, await gaveUp.promise]).toEqual(['gave up', 'A went on']);
  });

  it('is none for calls of ordinary code, whatever runs at the same time', async () => {
    const { ask, call } = await trackedWorld('A', 'B');
    const gate = deferred();
    const held = ask('A', async () => (await gate.promise, reply(await call('B', () => reply('B'), Infinity))));
    const outside = call('B', () => reply('outside'), Infinity);
    await aWhile();
    gate.resolve();
    expect(await Promise.all([held, outside])).toEqual(['B', 'outside']);
  });

  it('of two worlds is two chains: one does not know of the other', async () => {
    const one = await trackedWorld('A');
    const other = await trackedWorld('A');
    expect(await one.ask('A', async () => (await aWhile(), reply(await other.ask('A', () => reply('other')))))).toBe(
      'other',
    );
  });

  it('ends by its timeout where tracking is off, as before', async () => {
    const world = testWorld({ tracking: false });
    for (const name of ['A', 'B']) await world.start(script({ label: name }), { name, args: [null] });
    const error = rejectionOf(
      world.call('A', async () =>
        reply(await world.call('B', async () => reply(await world.call('A', () => reply(1))))),
      ),
    );
    await world.clock.advance(5_000);
    expect(await error).toMatchObject({ code: expect.stringMatching(/SERVER_EXITED|CALL_TIMEOUT/) as string });
  });
});
