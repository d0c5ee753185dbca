import { describe, expect, it } from 'vitest';
import { Deadline } from '../../lib/runtime/time/deadline.js';
import { Deadlines } from '../../lib/runtime/time/deadlines.js';
import { RootContext } from '../../lib/runtime/scheduling/root-context.js';
import { ManualClock } from '../support/manual-clock.js';
import { seededRandom } from '../support/seeded-random.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

class Recorded extends Deadline {
  constructor(
    private readonly name: unknown,
    private readonly expired: unknown[],
  ) {
    super();
  }

  expire(): void {
    this.expired.push(this.name);
  }
}

/** As the clock of the platform: it is read as seldom as possible. */
class CostlyClock extends ManualClock {
  readonly isCostly = true;
  reads = 0;

  override now(): number {
    this.reads++;
    return super.now();
  }
}

function world<C extends ManualClock = ManualClock>(clock: C = new ManualClock() as C) {
  const turnEnd = { isExpected: false };
  const deadlines = new Deadlines(clock, new RootContext(), () => (turnEnd.isExpected = true));
  const expired: unknown[] = [];
  const named = (name: unknown) => new Recorded(name, expired);
  const add = (name: unknown, lengthMs: number) => {
    const deadline = named(name);
    deadlines.add(deadline, lengthMs);
    return deadline;
  };
  return { clock, deadlines, expired, named, add, turnEnd };
}

describe('Deadlines', () => {
  it('lets a deadline expire when its time has come, and not before', async () => {
    const { clock, expired, add } = world();
    add('a', 100);
    await clock.advance(99);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['a']);
  });

  it('lets it expire once', async () => {
    const { clock, expired, add } = world();
    const deadline = add('a', 100);
    await clock.advance(1_000);
    expect(expired).toEqual(['a']);
    expect(deadline.isPending).toBe(false);
  });

  it('never lets a cancelled deadline expire, and cancelling twice is harmless', async () => {
    const { clock, deadlines, expired, add } = world();
    const deadline = add('a', 100);
    deadline.cancel();
    deadline.cancel();
    await clock.advance(1_000);
    expect(expired).toEqual([]);
    expect(deadlines.isEmpty).toBe(true);
  });

  it('expires what is due in the order it is due, whatever the lengths (K3)', async () => {
    const { clock, deadlines, expired, named } = world();
    for (const ms of [50, 10, 40, 10, 30]) deadlines.addUnshared(named(ms), ms);
    await clock.advance(100);
    expect(expired).toEqual([10, 10, 30, 40, 50]);
  });

  it('expires equal due times in the order they were added (K3)', async () => {
    const { clock, deadlines, expired, named } = world();
    for (let i = 0; i < 100; i++) deadlines.addUnshared(named(i), 10);
    await clock.advance(10);
    expect(expired).toEqual(Array.from({ length: 100 }, (_, i) => i));
  });

  it('uses one platform timer for all deadlines of one length', () => {
    const { clock, add } = world();
    for (let i = 0; i < 10_000; i++) add(i, 5_000);
    expect(clock.pendingTimers).toBe(1);
  });

  it('keeps at most 32 lengths apart, and one timer for all the others', async () => {
    const { clock, expired, add } = world();
    for (let ms = 1; ms <= 1_000; ms++) add(ms, ms);
    expect(clock.pendingTimers).toBe(33);
    await clock.advance(1_000);
    expect(expired).toEqual(Array.from({ length: 1_000 }, (_, i) => i + 1));
  });

  it.each([
    ['a shared length', (it: ReturnType<typeof world>, ms: number) => it.add('far', ms)],
    ['an unshared length', (it: ReturnType<typeof world>, ms: number) => it.deadlines.addUnshared(it.named('far'), ms)],
  ])('takes delays beyond 2^31-1 ms in steps that the platform can do: %s (T3)', async (_name, arm) => {
    const it = world();
    arm(it, 60 * DAY_MS);
    await it.clock.advance(60 * DAY_MS - 1);
    expect(it.expired).toEqual([]);
    await it.clock.advance(1);
    expect(it.expired).toEqual(['far']);
  });

  it('never hands Infinity to the platform (T3)', async () => {
    const { clock, deadlines, expired, named, add } = world();
    const forEver = add('a', Infinity);
    deadlines.addUnshared(named('b'), Infinity);
    expect(clock.pendingTimers).toBe(0);
    expect(forEver.isPending).toBe(false);
    await clock.advance(100 * DAY_MS);
    expect(expired).toEqual([]);
  });

  it('lets go of everything that waits when it is closed', async () => {
    const { clock, deadlines, expired, named, add } = world();
    const waiting = [add('a', 100), add('b', 100), named('c'), named('d')];
    deadlines.addUnshared(waiting[2]!, 50);
    deadlines.addUnshared(waiting[3]!, 60);
    waiting[3]!.cancel();
    deadlines.close();
    expect([deadlines.isEmpty, waiting.map(({ isPending }) => isPending)]).toEqual([
      true,
      [false, false, false, false],
    ]);
    for (const deadline of waiting) deadline.cancel();
    await clock.advance(200);
    expect([deadlines.isEmpty, expired]).toEqual([true, []]);
  });

  it('keeps no timer after close, nor makes a new one', async () => {
    const { clock, deadlines, expired, named, add } = world();
    add('a', 10);
    add('b', 20);
    deadlines.addUnshared(named('c'), 30);
    deadlines.close();
    expect(clock.pendingTimers).toBe(0);
    add('d', 10);
    add('e', 77);
    deadlines.addUnshared(named('f'), 30);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(1_000);
    expect(expired).toEqual([]);
  });

  it('tells how many milliseconds are left, rounded up', async () => {
    const { clock, deadlines, add } = world();
    const deadline = add('a', 100);
    await clock.advance(30.5);
    expect(deadlines.remainingMs(deadline)).toBe(70);
  });

  it('may be added to and taken from while it expires', async () => {
    const { clock, deadlines, expired, named } = world();
    const victim = named('victim');
    class Meddler extends Deadline {
      expire(): void {
        victim.cancel();
        deadlines.addUnshared(named('added'), 5);
        expired.push('meddler');
      }
    }
    deadlines.addUnshared(new Meddler(), 10);
    deadlines.addUnshared(victim, 10);
    await clock.advance(100);
    expect(expired).toEqual(['meddler', 'added']);
  });

  it('counts a deadline that is cancelled and armed anew as added last (K3)', async () => {
    const { clock, deadlines, expired, named } = world();
    const [a, b] = [named('a'), named('b')];
    deadlines.addUnshared(a, 10);
    deadlines.addUnshared(b, 10);
    a.cancel();
    deadlines.addUnshared(a, 10);
    await clock.advance(10);
    expect(expired).toEqual(['b', 'a']);
  });

  describe('a deadline that is cancelled and armed over and over', () => {
    it.each([
      ['as time passes', 1],
      ['within one instant', 0],
    ])('expires once, at its last time, %s', async (_name, stepMs) => {
      const { clock, deadlines, expired, named } = world();
      const deadline = named('last');
      for (let i = 0; i < 300; i++) {
        deadline.cancel();
        deadlines.addUnshared(deadline, 1_000);
        await clock.advance(stepMs);
      }
      await clock.advance(999 - stepMs);
      expect(expired).toEqual([]);
      await clock.advance(1);
      expect(expired).toEqual(['last']);
    });

    it('does not make the heap grow (K4)', () => {
      const { deadlines, named } = world();
      const deadline = named('a');
      for (let i = 0; i < 100_000; i++) {
        deadline.cancel();
        deadlines.addUnshared(deadline, 1_000);
      }
      expect(heapSize(deadlines)).toBeLessThan(100);
    });

    it('does not make the heap grow when there are many (K4)', () => {
      const { deadlines, named } = world();
      const many = Array.from({ length: 100 }, (_, i) => named(i));
      for (let i = 0; i < 1_000; i++) {
        for (const deadline of many) {
          deadline.cancel();
          deadlines.addUnshared(deadline, 1_000);
        }
      }
      expect(heapSize(deadlines)).toBeLessThan(300);
    });

    it('does not make the heap grow when it is a new one each time (K4)', () => {
      const { deadlines, named } = world();
      const kept = Array.from({ length: 50 }, (_, i) => named(i));
      for (const deadline of kept) deadlines.addUnshared(deadline, 1_000);
      for (let i = 0; i < 100_000; i++) {
        const deadline = named('x');
        deadlines.addUnshared(deadline, 500);
        deadline.cancel();
      }
      expect(heapSize(deadlines)).toBeLessThan(200);
    });
  });

  it('agrees with a sorted list under any mixture of adding and cancelling', async () => {
    const { clock, deadlines, expired, named } = world();
    const random = seededRandom(7);
    const pending = new Map<number, { at: number; deadline: Deadline }>();
    const expected: number[] = [];
    for (let i = 0; i < 2_000; i++) {
      const ms = Math.floor(random() * 300);
      const deadline = named(i);
      deadlines.addUnshared(deadline, ms);
      pending.set(i, { at: clock.now() + ms, deadline });
      if (random() < 0.4) {
        const [victim] = [...pending.keys()].slice(Math.floor(random() * pending.size));
        if (victim !== undefined) {
          pending.get(victim)!.deadline.cancel();
          pending.delete(victim);
        }
      }
      if (i % 100 === 99) {
        await clock.advance(100);
        const due = [...pending].filter(([, { at }]) => at <= clock.now());
        due.sort(([a, x], [b, y]) => x.at - y.at || a - b);
        for (const [name] of due) {
          expected.push(name);
          pending.delete(name);
        }
        expect(expired).toEqual(expected);
      }
    }
  });
});

/** How many entries the heap holds, live or not. */
function heapSize(deadlines: Deadlines): number {
  return (deadlines as unknown as { heap: { heap: unknown[] } }).heap.heap.length;
}

describe('Deadlines on a clock that is costly to read', () => {
  const costlyWorld = () => {
    const it = world(new CostlyClock());
    // From here on a timer of this length is armed.
    it.add('first', 100).cancel();
    it.clock.reads = 0;
    return it;
  };

  it('read it for the first of a length, which counts from that very moment', async () => {
    const { clock, expired, add } = world(new CostlyClock());
    add('a', 100);
    await clock.advance(99);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['a']);
  });

  it('do not read it for those that are gone by the end of the turn', () => {
    const { clock, deadlines, add } = costlyWorld();
    for (let i = 0; i < 1_000; i++) add(i, 100).cancel();
    deadlines.settle();
    expect(clock.reads).toBe(0);
  });

  it('count the others from the end of the turn: never early, and each once', async () => {
    const { clock, deadlines, expired, add, turnEnd } = costlyWorld();
    add('a', 100);
    add('b', 100).cancel();
    add('c', 100);
    expect(turnEnd.isExpected).toBe(true);
    clock.jump(30);
    deadlines.settle();
    add('d', 100);
    deadlines.settle();
    await clock.advance(99);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['a', 'c', 'd']);
    await clock.advance(1_000);
    expect(expired).toEqual(['a', 'c', 'd']);
  });

  it('do not set back at a later turn end what is set', async () => {
    const { clock, deadlines, expired, add } = costlyWorld();
    add('a', 100);
    deadlines.settle();
    await clock.advance(50);
    add('b', 100);
    deadlines.settle();
    await clock.advance(50);
    expect(expired).toEqual(['a']);
    await clock.advance(50);
    expect(expired).toEqual(['a', 'b']);
  });

  it('let expire what no turn end was told of, when the timer has rung twice at the latest', async () => {
    const { clock, expired, add } = costlyWorld();
    await clock.advance(60);
    add('a', 100);
    await clock.advance(139);
    expect(expired).toEqual([]);
    await clock.advance(1);
    expect(expired).toEqual(['a']);
  });

  it('keep what is added while others expire for as long as it asked for', async () => {
    const { clock, deadlines, expired, named, add } = costlyWorld();
    class Successor extends Deadline {
      expire(): void {
        expired.push('old');
        deadlines.add(named('new 1'), 100);
        deadlines.add(named('new 2'), 100);
      }
    }
    deadlines.add(new Successor(), 100);
    add('other', 100);
    deadlines.settle();
    await clock.advance(100);
    expect(expired).toEqual(['old', 'other']);
    deadlines.settle();
    await clock.advance(99);
    expect(expired).toEqual(['old', 'other']);
    await clock.advance(1);
    expect(expired).toEqual(['old', 'other', 'new 1', 'new 2']);
  });
});
