import { beforeEach, describe, expect, it } from 'vitest';
import { reply } from '../../lib/gen-server/results/callback-result.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import { processOf } from '../../lib/runtime/process.js';
import type { ViaRegistry } from '../../lib/runtime/ports.js';
import type { TimerRef } from '../../lib/runtime/timers.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { testWorld, type TestWorld } from '../support/world.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

describe('self.sendAfter', () => {
  let world: TestWorld;
  let probe: Probe;

  beforeEach(async () => {
    world = testWorld();
    probe = await startProbe(world, { name: 'probe' });
  });

  it('delivers the message when the time has come, and not before (K1)', async () => {
    probe.self.sendAfter(probe.pid, 'tick', 100);
    await world.clock.advance(99);
    expect(probe.messages).toEqual([]);
    await world.clock.advance(1);
    expect(probe.messages).toEqual(['tick']);
  });

  it('takes 0, which is soon but never at once (K1)', async () => {
    probe.self.sendAfter(probe.pid, 'tick', 0);
    await settle();
    expect(probe.messages).toEqual([]);
    await world.clock.advance(0);
    expect(probe.messages).toEqual(['tick']);
  });

  it.each([[-1], [NaN], [Infinity], ['100'], [undefined]])('refuses a delay of %s (K1)', (ms) => {
    expect(() => probe.self.sendAfter(probe.pid, 'tick', ms as number)).toThrow(InvalidArgumentError);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('takes delays beyond what the platform can do', async () => {
    probe.self.sendAfter(probe.pid, 'tick', 50 * DAY_MS);
    await world.clock.advance(50 * DAY_MS - 1);
    expect(probe.messages).toEqual([]);
    await world.clock.advance(1);
    expect(probe.messages).toEqual(['tick']);
  });

  it('delivers in the order of the due times, equal ones in the order of their making (K3)', async () => {
    for (const [message, ms] of [
      ['c', 30],
      ['a', 10],
      ['b1', 20],
      ['b2', 20],
    ] as const) {
      probe.self.sendAfter(probe.pid, message, ms);
    }
    await world.clock.advance(100);
    expect(probe.messages).toEqual(['a', 'b1', 'b2', 'c']);
  });

  it('never reaches a later incarnation when addressed to a pid (K2)', async () => {
    probe.self.sendAfter(probe.pid, 'old', 100);
    const other = await startProbe(world);
    other.self.sendAfter(probe.pid, 'from another', 100);
    await world.stop('probe');
    const successor = await startProbe(world, { name: 'probe' });
    await world.clock.advance(1_000);
    expect(successor.messages).toEqual([]);
  });

  it('finds the holder of the name when the time has come (K2)', async () => {
    probe.self.sendAfter('probe', 'tick', 100);
    await world.stop('probe');
    const successor = await startProbe(world, { name: 'probe' });
    await world.clock.advance(100);
    expect(successor.messages).toEqual(['tick']);
  });

  it('is silent when nobody is there any more (K2)', async () => {
    const other = await startProbe(world);
    probe.self.sendAfter(other.pid, 'tick', 100);
    probe.self.sendAfter('nobody', 'tick', 100);
    world.exit(other.pid, 'kill');
    await world.clock.advance(1_000);
    expect(processOf(probe.pid)?.isAlive).toBe(true);
  });

  it('outlives its maker when it is for another process (K2)', async () => {
    const other = await startProbe(world);
    other.self.sendAfter(probe.pid, 'legacy', 100);
    world.exit(other.pid, 'kill');
    await world.clock.advance(100);
    expect(probe.messages).toEqual(['legacy']);
  });

  it('leaves no pending deadline behind when the receiver ends (K2)', async () => {
    for (let i = 0; i < 100; i++) probe.self.sendAfter(probe.pid, i, 1_000);
    await world.stop(probe.pid);
    expect(world.runtime.deadlines.isEmpty).toBe(true);
  });

  it('forgets a timer that has fired', async () => {
    probe.self.sendAfter(probe.pid, 'tick', 10);
    await world.clock.advance(10);
    expect(processOf(probe.pid)!.relations?.timers?.size).toBe(0);
  });

  it('is silent when the registry of the name throws', async () => {
    const broken = brokenRegistry();
    probe.self.sendAfter({ via: broken, key: 'k' }, 'tick', 10);
    probe.self.sendAfter(probe.pid, 'tock', 10);
    await world.clock.advance(10);
    expect(probe.messages).toEqual(['tock']);
  });
});

describe('self.cancelTimer', () => {
  let world: TestWorld;
  let probe: Probe;

  beforeEach(async () => {
    world = testWorld();
    probe = await startProbe(world);
  });

  it('answers the milliseconds that were left, and the message never comes (K1)', async () => {
    const timer = probe.self.sendAfter(probe.pid, 'tick', 100);
    await world.clock.advance(30);
    expect(probe.self.cancelTimer(timer)).toBe(70);
    await world.clock.advance(1_000);
    expect(probe.messages).toEqual([]);
  });

  it('answers false when it was cancelled before, has fired, or is not known (K1)', async () => {
    const cancelled = probe.self.sendAfter(probe.pid, 'a', 100);
    probe.self.cancelTimer(cancelled);
    const fired = probe.self.sendAfter(probe.pid, 'b', 10);
    await world.clock.advance(10);
    const unknown = undefined as unknown as TimerRef;
    expect([cancelled, fired, unknown].map((timer) => probe.self.cancelTimer(timer))).toEqual([false, false, false]);
    expect([cancelled, fired, unknown].map((timer) => probe.self.readTimer(timer))).toEqual([false, false, false]);
  });

  it('may cancel a timer of another process (K1)', async () => {
    const other = await startProbe(world);
    const timer = other.self.sendAfter(other.pid, 'tick', 100);
    expect(probe.self.cancelTimer(timer)).toBe(100);
    await world.clock.advance(100);
    expect(other.messages).toEqual([]);
  });

  it('leaves a message that already lies in the mailbox (K1, K4)', async () => {
    const server = script();
    const pid = await world.start(server);
    let answer: unknown;
    await world.call(pid, async ({ self }: Context) => {
      const timer = self.sendAfter(pid, 'tick', 10);
      await world.clock.advance(10);
      answer = self.cancelTimer(timer);
      return reply('done');
    });
    await settle();
    expect(answer).toBe(false);
    expect(server.seen).toEqual(['tick']);
  });

  it('carries the cart pattern: cancel and arm again on every change, and the last one fires (K4)', async () => {
    let timer: TimerRef | undefined;
    for (let i = 0; i < 1_000; i++) {
      if (timer !== undefined) probe.self.cancelTimer(timer);
      timer = probe.self.sendAfter(probe.pid, `expired ${i}`, 1_800);
      await world.clock.advance(1);
    }
    await world.clock.advance(1_798);
    expect(probe.messages).toEqual([]);
    await world.clock.advance(1);
    expect(probe.messages).toEqual(['expired 999']);
    expect(processOf(probe.pid)!.relations?.timers?.size).toBe(0);
  });
});

describe('self.readTimer', () => {
  it('answers the milliseconds that are left and changes nothing (K1)', async () => {
    const world = testWorld();
    const probe = await startProbe(world);
    const timer = probe.self.sendAfter(probe.pid, 'tick', 100);
    await world.clock.advance(60);
    expect(probe.self.readTimer(timer)).toBe(40);
    await world.clock.advance(40);
    expect(probe.messages).toEqual(['tick']);
  });
});

function brokenRegistry(): ViaRegistry {
  const fail = () => {
    throw new Error('registry is down');
  };
  return { registerName: fail, unregisterName: fail, whereisName: fail, send: fail };
}
