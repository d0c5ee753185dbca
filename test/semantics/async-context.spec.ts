import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { Timeout } from '../../lib/gen-server/results/messages.js';
import type { Self } from '../../lib/gen-server/self.js';
import { Down } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { testWorld } from '../support/world.js';

const CALLERS = 1_000;

const store = new AsyncLocalStorage<number>();

/** Runs `work` once per caller, each in a context of its own, and checks that the caller finds its own again afterwards. */
async function fromManyContexts(work: (caller: number) => Promise<unknown>): Promise<void> {
  await Promise.all(
    Array.from({ length: CALLERS }, (_, caller) =>
      store.run(caller, async () => {
        await work(caller);
        expect(store.getStore()).toBe(caller);
      }),
    ),
  );
}

/** A server that notes in whose context each of its callbacks runs. */
function spy() {
  const seen: string[] = [];
  const leaks: string[] = [];
  const look = (callback: string): void => {
    seen.push(callback);
    if (store.getStore() !== undefined) leaks.push(`${callback}: ${store.getStore()}`);
  };
  const lookTwice = async (callback: string): Promise<void> => {
    look(callback);
    await Promise.resolve();
    look(callback);
  };
  return { seen, leaks, look, lookTwice };
}

// The one spec whose timers are real: contexts travel with the platform's own timers and promises.
describe.each([
  ['off', false],
  ['on', true],
])('the async context of a handler (real clock, tracking %s)', (_tracking, tracking) => {
  const world = () => testWorld({ clock: systemClock, tracking });

  it.each([
    ['sync', false],
    ['async', true],
  ])('is never that of a caller: call, %s', async (_name, isAsync) => {
    const here = world();
    const { seen, leaks, look, lookTwice } = spy();
    const pid = await here.start({
      init: () => ok(0),
      handleCall: (request: number) =>
        isAsync ? lookTwice('call').then(() => reply(request)) : (look('call'), reply(request)),
    });
    await fromManyContexts(async (caller) => expect(await here.call(pid, caller)).toBe(caller));
    expect([seen.length, leaks]).toEqual([isAsync ? 2 * CALLERS : CALLERS, []]);
  });

  it('is never that of a caller: cast, info, continue and from, no matter who woke the loop first', async () => {
    const here = world();
    const { seen, leaks, look, lookTwice } = spy();
    const pid = await here.start({
      init: () => ok(0),
      handleCall: (request, from) => {
        look('call');
        here.send(pid, () => from.reply(request));
        return from.later();
      },
      handleCast: () => (look('cast'), noReply().continue('next')),
      handleContinue: async () => (await lookTwice('continue'), noReply()),
      handleInfo: async (message) => {
        await lookTwice('info');
        if (typeof message === 'function') (message as () => void)();
        return noReply();
      },
    });
    await fromManyContexts(async (caller) => {
      here.cast(pid, caller);
      here.send(pid, caller);
      expect(await here.call(pid, caller)).toBe(caller);
    });
    expect([new Set(seen), leaks]).toEqual([new Set(['call', 'cast', 'continue', 'info']), []]);
  });

  it('is never that of the starter: init, its continue, and what it returns', async () => {
    const here = world();
    const { seen, leaks, look, lookTwice } = spy();
    await fromManyContexts(async (caller) => {
      const pid = await here.start({
        init: async () => {
          await lookTwice('init');
          return ok(caller).continue('setup');
        },
        handleContinue: () => (look('continue'), noReply()),
        handleCall: () => (look('call'), reply(null)),
      });
      await here.call(pid, null);
    });
    expect([new Set(seen), leaks]).toEqual([new Set(['init', 'continue', 'call']), []]);
  });

  it('is never that of whoever armed a timer: sendAfter and a returned timeout', async () => {
    const here = world();
    const { seen, leaks, look } = spy();
    const rung = deferred();
    let left = CALLERS;
    const ring = () => {
      look('timer');
      if (--left === 0) rung.resolve();
    };
    let self!: Self;
    const pid = await here.start({
      init: (_args, given) => ((self = given), ok(0)),
      handleInfo: () => (ring(), noReply()),
    });
    await fromManyContexts(async (caller) => {
      self.sendAfter(pid, 'tick', 1 + (caller % 50));
    });
    await rung.promise;

    left = CALLERS;
    const timedOut = deferred();
    await fromManyContexts(async () => {
      const idler = await here.start({
        init: () => ok(0),
        handleCall: () => reply(null).timeout(1),
        handleInfo: (message) => {
          look(message instanceof Timeout ? 'timeout' : 'other');
          if (--left === 0) timedOut.resolve();
          return noReply();
        },
      });
      await here.call(idler, null);
    });
    await timedOut.promise;
    expect([seen.filter((callback) => callback === 'timer').length, seen.length, leaks]).toEqual([
      CALLERS,
      2 * CALLERS,
      [],
    ]);
  });

  it('is never that of the code that armed a timer for a name, which is looked up when the time has come', async () => {
    const here = world();
    const { seen, leaks, look } = spy();
    const rung = deferred();
    const ignore = () => undefined;
    const whereisName = () => {
      look('lookup');
      if (seen.length === CALLERS) rung.resolve();
      return undefined;
    };
    const via = { registerName: () => true, unregisterName: ignore, whereisName, send: ignore };
    let self!: Self;
    await here.start({ init: (_args, given) => ((self = given), ok(0)) });
    await fromManyContexts(async (caller) => {
      self.sendAfter({ via, key: caller }, 'tick', 1 + (caller % 50));
    });
    await rung.promise;
    expect(leaks).toEqual([]);
  });

  it('is never that of whoever stops or kills: terminate, Down, and the next handlers', async () => {
    const here = world();
    const { seen, leaks, look, lookTwice } = spy();
    let left = CALLERS;
    const allDown = deferred();
    await here.start(
      {
        init: (_args, self) => ok(self),
        handleInfo: (message, self: Self) => {
          if (message instanceof Down) {
            look('down');
            if (--left === 0) allDown.resolve();
          } else {
            self.monitor(message as Pid);
          }
          return noReply();
        },
      },
      { name: 'watcher' },
    );
    await fromManyContexts(async (caller) => {
      const pid = await here.start({ init: () => ok(0), terminate: () => lookTwice('terminate') });
      here.send('watcher', pid);
      await settle(); // so that it is this caller who wakes the loop
      if (caller % 2 === 0) await here.stop(pid);
      else here.exit(pid, 'kill');
    });
    await allDown.promise;
    expect([seen.filter((callback) => callback === 'down').length, leaks]).toEqual([CALLERS, []]);
  });

  it('is never that of a foreign thenable, or of a promise that a caller settles', async () => {
    const here = world();
    const { seen, leaks, look } = spy();
    const gates: (() => void)[] = [];
    const pid = await here.start({
      init: () => ok(0),
      handleCall: (request) => {
        look('call');
        return { then: (resolve: (value: unknown) => void) => void gates.push(() => resolve(reply(request))) };
      },
      handleCast: () => (look('cast'), noReply()),
    });
    const calls = fromManyContexts(async (caller) => {
      here.cast(pid, caller);
      expect(await here.call(pid, caller, Infinity)).toBe(caller);
    });
    // Settles one answer per turn of the event loop, from a context of its own.
    const settleAll = (): void => {
      store.run(-1, () => gates.shift()?.());
      if (seen.length < 2 * CALLERS || gates.length > 0) setImmediate(settleAll);
    };
    settleAll();
    await calls;
    expect([seen.length, leaks]).toEqual([2 * CALLERS, []]);
  });

  it('is never that of the process that makes another crash: its links and their terminate', async () => {
    const here = world();
    const { seen, leaks, look } = spy();
    await fromManyContexts(async () => {
      let self!: Self;
      const parent = await here.start({
        init: (_args, given) => ((self = given), ok(0)),
        handleCast: () => stop('shutdown'),
      });
      const down = deferred();
      const terminate = (): void => (look('terminate'), down.resolve());
      const child = await self.startLink({ init: () => ok(0), terminate }, { trapExit: true });
      expect(child).toBeDefined();
      here.cast(parent, null);
      await down.promise;
    });
    expect([seen.length, leaks]).toEqual([CALLERS, []]);
  });
});
