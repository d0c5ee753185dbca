import { afterEach, describe, expect, it, vi } from 'vitest';
import { reply } from '../../lib/gen-server/results/callback-result.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { nextLoopTurn } from '../../lib/testing/event-loop.js';
import * as importedBefore from '../../lib/testing/index.js';
import { never } from '../support/deferred.js';
import { script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld } from '../support/world.js';

/** Vitest leaves process.nextTick alone in child processes. */
const ALL = { toFake: ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'performance', 'Date'] as const };

afterEach(() => {
  vi.useRealTimers();
  vi.resetModules();
});

describe.each([
  ['imported before', () => Promise.resolve(importedBefore)],
  [
    'imported after',
    async (): Promise<typeof importedBefore> => {
      vi.resetModules();
      return await import('../../lib/testing/index.js');
    },
  ],
])('under fake timers, %s', (_when, load) => {
  it.each([
    ['the usual ones', undefined],
    ['all there are', { toFake: [...ALL.toFake] }],
  ])('settle() resolves: %s', async (_which, config) => {
    vi.useFakeTimers(config);
    const { settle } = await load();
    await settle();
    expect(vi.isFakeTimers()).toBe(true);
  });

  it("a ManualClock is turned, and the runner's time stands", async () => {
    vi.useFakeTimers();
    const { ManualClock } = await load();
    const clock = new ManualClock();
    const [before, fired] = [Date.now(), [] as number[]];
    clock.setTimer(10, () => fired.push(clock.now()));
    clock.nextTurn(() => fired.push(0));
    await clock.advance(10);
    expect(fired).toEqual([0, 1_010]);
    expect(Date.now()).toBe(before);
  });

  it('a world has its calls answered and its timeouts fire', async () => {
    vi.useFakeTimers();
    const { ManualClock } = await load();
    const clock = new ManualClock();
    const world = testWorld({ clock });
    const pid = await world.start(script());
    expect(await world.call(pid, () => reply('hello'))).toBe('hello');
    const late = rejectionOf(world.call(pid, () => never(), 5_000));
    await clock.advance(5_000);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
  });
});

describe('a world on the clock of the Node process, under fake timers', () => {
  it('has its timeouts fire when the runner turns its time', async () => {
    vi.useFakeTimers();
    const world = testWorld({ clock: systemClock });
    const pid = await world.start(script());
    const late = rejectionOf(world.call(pid, () => never(), 5_000));
    await vi.advanceTimersByTimeAsync(4_999);
    expect(world.runtime.processCount).toBe(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
  });
});

describe('a world on the clock of the Node process', () => {
  /** As an application that was booted before: its timers are armed on real time. */
  const bootedWorld = async () => {
    const world = testWorld({ clock: systemClock });
    const pid = await world.start(script());
    await world.call(pid, () => reply('answered'), 5_000);
    return { world, pid };
  };

  it('has its timeouts fire under fake timers that are turned on later', async () => {
    const { world, pid } = await bootedWorld();
    vi.useFakeTimers();
    const late = rejectionOf(world.call(pid, () => never(), 5_000));
    await vi.advanceTimersByTimeAsync(5_001);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
  });

  it('counts a call from when it was made, also when time is let pass in the same breath', async () => {
    const { world, pid } = await bootedWorld();
    vi.useFakeTimers();
    await world.call(pid, () => reply('answered'), 5_000);
    const late = rejectionOf(world.call(pid, () => never(), 5_000));
    vi.advanceTimersByTime(5_001);
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });
  });

  it('goes on when the fake timers are off again, whatever they took along', async () => {
    const { world, pid } = await bootedWorld();
    vi.useFakeTimers();
    await world.call(pid, () => reply('under fake timers'), 100);
    vi.useRealTimers();
    const calls = Array.from({ length: 300 }, (_, i) => world.call(pid, () => reply(i), 5_000));
    expect(await Promise.all(calls)).toHaveLength(300);
    expect(await rejectionOf(world.call(pid, () => never(), 100))).toMatchObject({ code: 'CALL_TIMEOUT' });
  });

  it('goes on also when they took the end of a turn along in which several callbacks bring something', async () => {
    const world = testWorld({ clock: { ...systemClock, now: () => 0 } }); // no time slice is ever used up
    vi.useFakeTimers({ toFake: ['setImmediate'] });
    const pid = await world.start(script());
    vi.useRealTimers();
    const answers: unknown[] = [];
    for (let i = 0; i < 6; i++) {
      answers.push(world.call(pid, () => reply(i), Infinity));
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    expect(await Promise.all(answers)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  // Vitest leaves process.nextTick alone, so each of these comes in a callback of its own. Nobody lets the faked time pass.
  it.each([
    ['all of them', undefined],
    ['setTimeout is not', { toFake: ['setImmediate' as const, 'performance' as const] }],
  ])('keeps nothing for the end of a turn that only the runner can bring: %s', async (_which, config) => {
    const { world, pid } = await bootedWorld();
    vi.useFakeTimers(config);
    await nextLoopTurn(); // the turn that began before has its own end
    const answers: unknown[] = [];
    for (let i = 0; i < 20; i++) {
      void world.call(pid, () => reply(i), 5_000).then((answer) => answers.push(answer));
      await new Promise<void>((resolve) => process.nextTick(resolve));
    }
    expect(answers).toHaveLength(20);
  });
});
