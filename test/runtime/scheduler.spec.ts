import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { noReply, reply } from '../../lib/gen-server/results/callback-result.js';
import { Scheduler } from '../../lib/runtime/scheduling/scheduler.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { CallbackClock, settleMicrotasks } from '../support/callback-clock.js';
import { deferred } from '../support/deferred.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { schedulable } from '../support/schedulable.js';
import { type Context, script } from '../support/script.js';
import { testWorld } from '../support/world.js';

describe('Scheduler', () => {
  const make = () => {
    const log: string[] = [];
    const scheduler = new Scheduler(new ManualClock(), () => log.push('turn over'));
    const process = (name: string, work: () => boolean = () => false) => schedulable(() => (log.push(name), work()));
    return { log, scheduler, process };
  };

  it('never runs anything in the stack of the code that makes a process ready', async () => {
    const { log, scheduler, process } = make();
    scheduler.ready(process('a'));
    expect(log).toEqual([]);
    await settle();
    expect(log).toEqual(['a', 'turn over']);
  });

  it('gives turns in the order of becoming ready', async () => {
    const { log, scheduler, process } = make();
    for (const name of ['a', 'b', 'c']) scheduler.ready(process(name));
    await settle();
    expect(log).toEqual(['a', 'b', 'c', 'turn over']);
  });

  it('gives urgent ones their turn before everybody else, also those that become urgent meanwhile', async () => {
    const { log, scheduler, process } = make();
    const urgent = process('urgent');
    scheduler.ready(process('a', () => (scheduler.readyAtOnce(urgent), false)));
    scheduler.ready(process('b'));
    scheduler.readyAtOnce(process('first'));
    await settle();
    expect(log).toEqual(['first', 'a', 'urgent', 'b', 'turn over']);
  });

  it('tells the end of a turn in which nothing ran, once, and not in the context of the code that asked', async () => {
    const storage = new AsyncLocalStorage<string>();
    const contexts: unknown[] = [];
    const scheduler = new Scheduler(systemClock, () => contexts.push(storage.getStore()));
    storage.run('of a caller', () => {
      scheduler.expectTurnEnd();
      scheduler.expectTurnEnd();
    });
    expect(contexts).toEqual([]);
    await settle();
    expect(contexts).toEqual([undefined]);
  });

  it('tells the end of a turn once, also when it is expected by several', async () => {
    const { log, scheduler, process } = make();
    scheduler.expectTurnEnd();
    scheduler.ready(process('a', () => (scheduler.expectTurnEnd(), false)));
    await settle();
    expect(log).toEqual(['a', 'turn over']);
  });

  it('goes on in the next turn of the event loop when the slice is used up, urgent ones aside', async () => {
    const { log, scheduler, process } = make();
    const urgent = process('urgent');
    scheduler.ready(process('long', () => (scheduler.readyAtOnce(urgent), true)));
    scheduler.ready(process('next'));
    await settle();
    expect(log).toEqual(['long', 'urgent', 'turn over', 'next', 'turn over']);
  });

  it('gives urgent ones their turn also when the slice has been used up before they become urgent', async () => {
    const { log, scheduler, process } = make();
    scheduler.ready(process('long', () => true));
    scheduler.ready(process('next'));
    await settleMicrotasks();
    for (let times = 0; times < 2; times++) {
      scheduler.readyAtOnce(process('urgent'));
      await settleMicrotasks();
    }
    expect(log).toEqual(['long', 'urgent', 'urgent']);
    await settle();
    expect(log.slice(3)).toEqual(['turn over', 'next', 'turn over']);
  });
});

describe('what several callbacks of one turn of the event loop bring', () => {
  const make = () => {
    const log: string[] = [];
    const clock = new CallbackClock();
    const scheduler = new Scheduler(clock, () => log.push('turn over'));
    const process = (name: string, queueLength?: number) => schedulable(() => (log.push(name), false), queueLength);
    const bring = async (name: string) => {
      scheduler.ready(process(name));
      await clock.endCallback();
    };
    return { log, clock, scheduler, process, bring };
  };

  it('is handled at once from the first two, and together at the end of the turn from the others', async () => {
    const { log, bring } = make();
    for (const name of ['a', 'b', 'c', 'd']) {
      log.push('callback');
      await bring(name);
    }
    expect(log).toEqual(['callback', 'a', 'callback', 'b', 'callback', 'callback']);
    await settle();
    expect(log.slice(6)).toEqual(['turn over', 'c', 'd', 'turn over']);
  });

  it('is handled at once when it comes in one callback, however often that wakes the loop', async () => {
    const { log, clock, scheduler, process } = make();
    for (const name of ['a', 'b', 'c', 'd']) {
      scheduler.ready(process(name));
      await settleMicrotasks();
    }
    await clock.endCallback();
    expect(log).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is handled at once when the clock cannot tell callbacks apart', async () => {
    const log: string[] = [];
    const scheduler = new Scheduler(new ManualClock(), () => log.push('turn over'));
    for (const name of ['a', 'b', 'c', 'd']) {
      scheduler.ready(schedulable(() => (log.push(name), false)));
      await settleMicrotasks();
    }
    expect(log).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is gathered no longer when something urgent comes, which has its turn first', async () => {
    const { log, bring, scheduler, process, clock } = make();
    for (const name of ['a', 'b', 'c']) await bring(name);
    scheduler.readyAtOnce(process('urgent'));
    await clock.endCallback();
    expect(log).toEqual(['a', 'b', 'urgent', 'c']);
    await bring('d');
    expect(log).toHaveLength(4);
    await settle();
    expect(log.slice(4)).toEqual(['turn over', 'd', 'turn over']);
  });

  it('is gathered no longer when the continuation of a handler makes something urgent', async () => {
    const { log, bring, scheduler, process } = make();
    for (const name of ['a', 'b', 'c']) await bring(name);
    const wasRunning = scheduler.enter();
    scheduler.readyAtOnce(process('urgent'));
    scheduler.leave(wasRunning);
    expect(log).toEqual(['a', 'b', 'urgent', 'c']);
  });

  it('is not gathered when it is urgent, nor with what is', async () => {
    const { log, bring, scheduler, process, clock } = make();
    for (const name of ['a', 'b']) await bring(name);
    scheduler.ready(process('c'));
    scheduler.readyAtOnce(process('urgent'));
    await clock.endCallback();
    expect(log).toEqual(['a', 'b', 'urgent', 'c']);
  });

  it('is gathered no longer in a turn in which somebody has had no room for more', async () => {
    const { log, bring, scheduler, clock } = make();
    for (const name of ['a', 'b', 'c']) await bring(name);
    scheduler.hurry();
    await clock.endCallback();
    expect(log).toEqual(['a', 'b', 'c']);
    await bring('d');
    expect(log).toEqual(['a', 'b', 'c', 'd']);
    await settle();
    for (const name of ['e', 'f', 'g']) await bring(name);
    expect(log.slice(4)).toEqual(['turn over', 'e', 'f']);
  });

  it('is not gathered for a while, that of 16 turns, after it was one message', async () => {
    const { log, bring } = make();
    const gathersIn = async (): Promise<boolean> => {
      log.length = 0;
      for (const name of ['a', 'b', 'c']) await bring(name);
      const gathers = !log.includes('c');
      await settle();
      return gathers;
    };
    expect(await gathersIn()).toBe(true); // and the turn that handled it is the first of them
    for (let turns = 1; turns < 16; turns++) expect(await gathersIn()).toBe(false);
    expect(await gathersIn()).toBe(true);
  });

  it.each([
    ['two processes', ['c', 'd'], 1],
    ['two messages of one process', ['c'], 2],
  ])('is gathered again in the next turn when it was more: %s', async (_name, gathered, queueLength) => {
    const { log, clock, scheduler, process, bring } = make();
    for (let turns = 0; turns < 3; turns++) {
      log.length = 0;
      for (const name of ['a', 'b']) await bring(name);
      for (const name of gathered) scheduler.ready(process(name, queueLength));
      await clock.endCallback();
      expect(log).toEqual(['a', 'b']);
      await settle();
    }
  });

  it('asks the clock once per turn, and not in a turn that is woken once', async () => {
    const { clock, scheduler, process } = make();
    const isAsked: boolean[] = [];
    for (const name of ['a', 'b']) {
      scheduler.ready(process(name));
      await settleMicrotasks();
      isAsked.push(clock.isAsked);
    }
    await clock.endCallback();
    scheduler.ready(process('c'));
    await settleMicrotasks();
    expect([...isAsked, clock.isAsked]).toEqual([false, true, false]);
  });

  it('keeps its order, and is never handled in the context of its sender (callbacks of Node)', async () => {
    const storage = new AsyncLocalStorage<number>();
    const world = testWorld({ clock: { ...systemClock, now: () => 0 } }); // no time slice is ever used up
    const log: unknown[] = [];
    const pid = await world.start(script());
    await settle();
    const callback = (n: number) => () => {
      log.push(`callback ${n}`);
      storage.run(n, () => world.cast(pid, () => (log.push([n, storage.getStore()]), noReply())));
    };
    // The platform calls all of them in one turn.
    for (let n = 0; n < 6; n++) setImmediate(callback(n));
    await settle();
    expect(log).toEqual([
      'callback 0',
      [0, undefined],
      'callback 1',
      [1, undefined],
      ...[2, 3, 4, 5].map((n) => `callback ${n}`),
      ...[2, 3, 4, 5].map((n) => [n, undefined]),
    ]);
  });
});

describe('fairness', () => {
  it('gives another process its turn after 256 messages of one', async () => {
    const world = testWorld();
    const log: string[] = [];
    const [busy, other] = [await world.start(script()), await world.start(script())];
    for (let i = 0; i < 1_000; i++) world.cast(busy, () => (log.push('busy'), noReply()));
    world.cast(other, () => (log.push('other'), noReply()));
    await settle();
    expect(log.indexOf('other')).toBe(256);
    expect(log).toHaveLength(1_001);
  });

  it.each([
    [10, 1],
    [1, 4],
    [0.1, 64],
  ])(
    'gives way to the event loop after about 2 ms: handlers of %d ms, at most %i in one turn',
    async (tookMs, most) => {
      const world = testWorld();
      const pid = await world.start(script());
      const inOneTurn: number[] = [];
      let handled = 0;
      const slow = () => {
        world.clock.jump(tookMs);
        handled++;
        return noReply();
      };
      for (let i = 0; i < 200; i++) world.cast(pid, slow);
      while (handled < 200) {
        const before = handled;
        await new Promise((resolve) => setImmediate(resolve));
        inOneTurn.push(handled - before);
      }
      const [, ...whole] = inOneTurn; // the first began with the start of the server
      expect(Math.max(...whole)).toBeLessThanOrEqual(most);
    },
  );

  it.each([
    ['sync', (result: unknown) => result],
    ['async', (result: unknown) => Promise.resolve(result)],
  ])('lets timers and others through while a process floods itself: %s (real clock)', async (_name, step) => {
    const world = testWorld({ clock: systemClock });
    const events: string[] = [];
    const flooder = await world.start(script());
    const probe = await startProbe(world);
    let isFlooding = true;
    const flood = ({ self }: Context): unknown => {
      if (isFlooding) self.send(self.pid, flood);
      return step(noReply());
    };
    for (let i = 0; i < 100; i++) world.send(flooder, flood);
    const rung = deferred();
    // First, so that it is due before the other however long this process has to wait for the processor in between.
    probe.self.sendAfter(probe.pid, 'tick', 1);
    setTimeout(() => {
      events.push('timer');
      rung.resolve();
    }, 5);
    await rung.promise;
    events.push('after the timer');
    isFlooding = false;
    await world.call(flooder, () => reply('calm'));
    expect(events).toEqual(['timer', 'after the timer']);
    expect(probe.messages).toEqual(['tick']);
  });

  it('lets timers through while two processes call each other without end (real clock)', async () => {
    const world = testWorld({ clock: systemClock });
    const [a, b] = [await world.start(script()), await world.start(script())];
    let isPlaying = true;
    let rounds = 0;
    const ping = async (): Promise<unknown> => {
      while (isPlaying) {
        await world.call(b, () => reply('pong'));
        rounds++;
      }
      return reply('over');
    };
    setTimeout(() => (isPlaying = false), 5);
    expect(await world.call(a, ping)).toBe('over');
    expect(rounds).toBeGreaterThan(0);
  });
});
