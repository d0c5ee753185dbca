import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { noReply, reply } from '../../lib/gen-server/callback-result.js';
import { Scheduler, type Schedulable } from '../../lib/runtime/scheduler.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { deferred } from '../support/deferred.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { testWorld } from '../support/world.js';

const settleMicrotasks = async (): Promise<void> => {
  for (let hops = 0; hops < 4; hops++) await Promise.resolve();
};

describe('Scheduler', () => {
  const make = () => {
    const log: string[] = [];
    const scheduler = new Scheduler(new ManualClock(), () => log.push('turn over'));
    const process = (name: string, work: () => boolean = () => false): Schedulable => ({
      nextReady: null,
      isReady: false,
      run: () => (log.push(name), work()),
    });
    return { log, scheduler, process };
  };

  it('never runs anything in the stack of whoever makes a process ready', async () => {
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

  it('tells the end of a turn in which nothing ran, once, and not in the context of whoever asked', async () => {
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
