import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { noReply, ok, stop } from '../../lib/gen-server/results/callback-result.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { ProbeError, settle, startSupervised, TestProbe, TestWorld } from '../../lib/testing/index.js';
import { script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';

class Tick {
  constructor(readonly count: number) {}
}

let world: TestWorld;
let probe: TestProbe;

beforeEach(async () => {
  world = new TestWorld();
  probe = await TestProbe.start(world);
  return () => world.stop();
});

/** A process that ends when it is told the reason. */
const mortal = (): Promise<Pid> =>
  startSupervised(world, script({ handleInfo: (reason) => stop(reason as string) }), { restart: 'temporary' });

const messageOf = async (promise: Promise<unknown>): Promise<string> => ((await rejectionOf(promise)) as Error).message;

describe('expectMessage', () => {
  it.each<[string, unknown, unknown]>([
    ['a value, compared in depth', { type: 'a', at: [1] }, { type: 'a', at: [1] }],
    ['a class', Tick, new Tick(1)],
    ['an arrow function', (message: Tick) => message.count === 1, new Tick(1)],
    [
      "the runner's loose matchers, in depth",
      { at: expect.any(Number), on: [expect.anything()] },
      { at: 1, on: ['x'] },
    ],
    ['a loose matcher itself', expect.objectContaining({ count: 1 }), new Tick(1)],
  ])('takes %s', async (_what, expected, message) => {
    world.send(probe, 'something else');
    world.send(probe, message);
    expect(await probe.expectMessage(expected)).toBe(message);
    expect(probe.messages).toEqual(['something else']);
  });

  it('takes the oldest that fits, and leaves the others in their order', async () => {
    for (const count of [1, 2, 3]) world.send(probe, new Tick(count));
    expect(await probe.expectMessage((tick: Tick) => tick.count > 1)).toEqual(new Tick(2));
    expect(await probe.takeMessages()).toEqual([new Tick(1), new Tick(3)]);
    expect(probe.messages).toEqual([]);
  });

  it('takes any message without a matcher, undefined included', async () => {
    world.send(probe, undefined);
    world.send(probe, 1);
    expect([await probe.expectMessage(), await probe.expectMessage(), probe.messages]).toEqual([undefined, 1, []]);
  });

  it('waits for what comes without time passing', async () => {
    const relay = await startSupervised(
      world,
      script({
        handleInfo: async (message, _state, self) => {
          await Promise.resolve();
          self.send(probe, message);
          return noReply();
        },
      }),
    );
    world.send(relay, 'hello');
    await probe.expectMessage('hello');
  });

  it('lets time pass on the manual clock, and no more than it takes', async () => {
    probe.self.sendAfter(probe.pid, 'tick', 50);
    const begin = world.clock.now();
    await probe.expectMessage('tick', { withinMs: 100 });
    expect(world.clock.now() - begin).toBe(50);
  });

  it('says what it holds instead, and takes nothing', async () => {
    probe.self.sendAfter(probe.pid, 'tick', 50);
    world.send(probe, { type: 'other' });
    const error = await rejectionOf(probe.expectMessage('tick', { withinMs: 49 }));
    expect(error).toBeInstanceOf(ProbeError);
    expect(error).toMatchObject({ code: 'PROBE', received: [{ type: 'other' }] });
    expect((error as Error).message).toBe(
      `TestProbe ${probe.pid.toString()} expected 'tick' within 49 ms of the manual clock, and it did not come. ` +
        `Timers are pending on the manual clock: withinMs lets time pass. It holds, the oldest first:\n  1. { type: 'other' }`,
    );
    expect(probe.messages).toEqual([{ type: 'other' }]);
  });

  it.each<[string, unknown]>([
    ['a Tick', Tick],
    ['something for which (message) =>', (message: unknown) => message === 1],
    ['{ a: 1 }', { a: 1 }],
  ])('says that it expected %s', async (words, expected) => {
    expect(await messageOf(probe.expectMessage(expected))).toContain(`expected ${words}`);
  });

  it('does not take what has another key, another class or another length', async () => {
    const any: unknown = expect.anything();
    for (const [expected, message] of [
      [{ a: any }, { a: 1, b: 2 }],
      [{ a: any }, { b: 1 }],
      [[any], [1, 2]],
      [[any], { 0: 1 }],
      [{ count: any }, new Tick(1)],
    ]) {
      world.send(probe, message);
      await rejectionOf(probe.expectMessage(expected));
      await probe.takeMessages();
    }
  });

  it('says so when the probe has ended', async () => {
    world.exit(probe, 'kill');
    expect(await messageOf(probe.expectMessage())).toContain('The probe itself has ended.');
  });

  it.each([-1, Infinity, NaN])('refuses to wait for %s ms', async (withinMs) => {
    expect(await rejectionOf(probe.expectMessage(1, { withinMs }))).toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('expectNoMessage', () => {
  it('resolves when nothing comes, and lets all the time pass', async () => {
    probe.self.sendAfter(probe.pid, 'late', 101);
    const begin = world.clock.now();
    await probe.expectNoMessage({ withinMs: 100 });
    expect(world.clock.now() - begin).toBe(100);
  });

  it('rejects when something comes meanwhile, and leaves it there', async () => {
    probe.self.sendAfter(probe.pid, 'late', 100);
    expect(await messageOf(probe.expectNoMessage({ withinMs: 100 }))).toContain("and there is 'late'");
    expect(probe.messages).toEqual(['late']);
  });

  it('rejects when something was there already', async () => {
    world.send(probe, 1);
    expect(await messageOf(probe.expectNoMessage())).toContain(
      'expected no message without time passing, and there is 1.',
    );
  });

  it('minds only what fits, when it is told what', async () => {
    world.send(probe, 1);
    await probe.expectNoMessage({ matching: Tick });
    world.send(probe, new Tick(1));
    expect(await messageOf(probe.expectNoMessage({ matching: Tick }))).toContain('expected no message that is a Tick');
  });
});

describe('expectDown', () => {
  it('gives the Down of a process that was monitored, by its pid or by what monitor gave', async () => {
    for (const by of ['pid', 'ref'] as const) {
      const pid = await mortal();
      const ref = probe.monitor(pid);
      world.send(pid, 'normal');
      expect(await probe.expectDown(by === 'pid' ? pid : ref, 'normal')).toEqual(new Down(ref, pid, pid, 'normal'));
    }
    await probe.expectNoMessage();
  });

  it('watches a process that it was not told to watch', async () => {
    const pid = await mortal();
    const down = probe.expectDown(pid, 'normal', { withinMs: 10 });
    probe.self.sendAfter(pid, 'normal', 10);
    expect((await down).pid).toBe(pid);
    await probe.expectNoMessage();
  });

  it('knows a process by the name it was monitored by', async () => {
    const pid = await startSupervised(world, script(), { name: 'worker', restart: 'temporary' });
    probe.monitor('worker');
    world.exit(pid, 'kill');
    expect((await probe.expectDown('worker', 'killed')).pid).toBe(pid);
  });

  it('takes a matcher for the reason', async () => {
    const pid = await startSupervised(
      world,
      script({
        handleInfo: () => {
          throw new TypeError('boom');
        },
      }),
      { restart: 'temporary' },
    );
    probe.monitor(pid);
    world.send(pid, 'go');
    await probe.expectDown(pid, expect.objectContaining({ message: 'boom' }));
  });

  it('rejects when it lives', async () => {
    const pid = await mortal();
    expect(await messageOf(probe.expectDown(pid))).toContain(
      `expected ${pid.toString()} to end without time passing, and it did not.`,
    );
  });

  it('rejects when it ended otherwise, and leaves the Down there', async () => {
    const pid = await mortal();
    probe.monitor(pid);
    world.exit(pid, 'kill');
    expect(await messageOf(probe.expectDown(pid, 'normal'))).toContain(
      "to end with 'normal', and it ended with 'killed'",
    );
    await probe.expectDown(pid, 'killed');
  });

  it('says that it was too late for the reason', async () => {
    const pid = await mortal();
    world.exit(pid, 'kill');
    await settle();
    expect(await messageOf(probe.expectDown(pid, 'killed'))).toContain('call probe.monitor() while it lives');
  });
});

describe('a probe as a process', () => {
  it('owns links and survives them, unless it is not to', async () => {
    const pid = await mortal();
    probe.self.link(pid);
    world.exit(pid, 'kill');
    expect(await probe.expectMessage(Exit)).toEqual(new Exit(pid, 'killed'));
    const frail = await TestProbe.start(world, { trapExit: false });
    const other = await mortal();
    frail.self.link(other);
    world.exit(other, 'kill');
    await probe.expectDown(frail, 'killed');
  });

  it('is a parent: its children end with it', async () => {
    const child = await probe.self.startLink({ label: 'child', init: () => ok(null) });
    const watcher = await TestProbe.start(world);
    watcher.monitor(child);
    world.exit(probe, 'kill');
    await watcher.expectDown(child, 'killed');
  });

  it('subscribes to topics, and is found by a name', async () => {
    const named = await TestProbe.start(world, { name: 'audit' });
    named.self.subscribe('news');
    world.send('audit', 'direct');
    probe.self.broadcast('news', 'to all');
    await named.expectMessage('direct');
    await named.expectMessage('to all');
  });
});

describe('in real time', () => {
  const real = async (): Promise<TestProbe> => {
    const inRealTime = new TestWorld({ clock: systemClock, cleanup: onTestFinished });
    return TestProbe.start(inRealTime);
  };

  it('waits for a message that comes later, and no longer', async () => {
    const patient = await real();
    patient.self.sendAfter(patient.pid, 'tick', 5);
    expect(await patient.expectMessage('tick', { withinMs: 60_000 })).toBe('tick');
  });

  it('gives up when the time is over', async () => {
    const patient = await real();
    expect(await messageOf(patient.expectMessage('tick', { withinMs: 5 }))).toContain(
      "expected 'tick' within 5 ms, and",
    );
    await patient.expectNoMessage({ withinMs: 5 });
  });
});
