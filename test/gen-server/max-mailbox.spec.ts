import { describe, expect, it } from 'vitest';
import { Sys } from '../../lib/gen-server/client/sys.js';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { OverloadedError } from '../../lib/gen-server/errors.js';
import type { MessageShed } from '../../lib/gen-server/events.js';
import { Timeout } from '../../lib/gen-server/results/messages.js';
import type { Self } from '../../lib/gen-server/self.js';
import { LogReporter } from '../../lib/observability/log-reporter.js';
import type { MaxMailbox, Overflow } from '../../lib/runtime/mailbox/bounded-mailbox.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { CallbackClock } from '../support/callback-clock.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { seededRandom } from '../support/seeded-random.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const OVERFLOWS: Overflow[] = ['reject', 'drop_newest', 'drop_oldest'];

/** A server whose first message holds it up until the test says so, and that keeps what it handled after that. */
async function heldUp(world: TestWorld, maxMailbox?: MaxMailbox) {
  const gate = deferred();
  const handled: unknown[] = [];
  let self!: Self;
  const note = (message: unknown) => {
    handled.push(message);
    return noReply();
  };
  const pid = await world.start(
    {
      label: 'Stock',
      init: (_args, given) => ((self = given), ok(null)),
      handleCall: (message) => (note(message), reply(message)),
      handleCast: (message) => (message === 'hold' ? gate.promise.then(() => noReply()) : note(message)),
      handleInfo: note,
    },
    { maxMailbox, trapExit: true },
  );
  world.cast(pid, 'hold');
  await settle();
  return {
    pid,
    self,
    handled,
    gate,
    release: async () => {
      gate.resolve();
      await settle();
    },
  };
}

const eventsOf = (world: TestWorld, type: string) => world.seen.filter((event) => event.type === type);
const queueLengthOf = (pid: Pid): number => processOf(pid)!.queueLength;

describe('maxMailbox', () => {
  it.each([1, 2, 5])(
    'does not fill up while its server is idle, however many callbacks of a turn send to it: %i',
    async (limit) => {
      const clock = new CallbackClock();
      const world = testWorld({ clock });
      const { pid, handled, release } = await heldUp(world, { limit, overflow: 'reject' });
      await release();
      for (let i = 0; i < 20; i++) {
        world.cast(pid, i);
        await clock.endCallback();
      }
      await settle();
      expect(handled).toEqual(Array.from({ length: 20 }, (_, i) => i));
      expect(eventsOf(world, 'gen_server.message_shed')).toEqual([]);
    },
  );

  it('has the whole time slice to be emptied in, however long the callbacks took that filled it', async () => {
    const clock = new CallbackClock();
    const world = testWorld({ clock });
    const { pid, handled, release } = await heldUp(world, { limit: 5, overflow: 'reject' });
    await release();
    for (let i = 0; i < 12; i++) {
      world.cast(pid, i);
      clock.jump(1);
      await clock.endCallback();
    }
    await settle();
    expect(handled).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it('is emptied at once when its server has become free, also while what others get is put off', async () => {
    const clock = new CallbackClock();
    const world = testWorld({ clock });
    const { pid, handled, gate } = await heldUp(world, { limit: 1, overflow: 'reject' });
    const other = await world.start({ init: () => ok(null), handleCast: () => noReply() });
    world.cast(pid, 'a');
    await settle();
    for (let i = 0; i < 3; i++) {
      world.cast(other, i);
      await clock.endCallback();
    }
    expect(queueLengthOf(other)).toBe(1);
    gate.resolve();
    await clock.endCallback();
    world.cast(pid, 'b');
    await settle();
    expect(handled).toEqual(['a', 'b']);
  });

  it("refuses the message that arrives, with overflow 'reject'", async () => {
    const world = testWorld();
    const { pid, handled, release } = await heldUp(world, { limit: 2, overflow: 'reject' });
    for (const message of ['a', 'b', 'c', 'd']) world.cast(pid, message);
    await release();
    expect(handled).toEqual(['a', 'b']);
  });

  it("gives it the place of the youngest that waits, with 'drop_newest'", async () => {
    const world = testWorld();
    const { pid, handled, release } = await heldUp(world, { limit: 2, overflow: 'drop_newest' });
    for (const message of ['a', 'b', 'c', 'd']) world.cast(pid, message);
    await release();
    expect(handled).toEqual(['a', 'd']);
  });

  it("gives up the oldest that waits, with 'drop_oldest'", async () => {
    const world = testWorld();
    const { pid, handled, release } = await heldUp(world, { limit: 2, overflow: 'drop_oldest' });
    for (const message of ['a', 'b', 'c', 'd']) world.cast(pid, message);
    await release();
    expect(handled).toEqual(['c', 'd']);
  });

  it('does not count the message in hand, and has room again as soon as one is taken', async () => {
    const world = testWorld();
    const { pid, handled, release } = await heldUp(world, { limit: 1, overflow: 'reject' });
    world.cast(pid, 'a');
    await release();
    world.cast(pid, 'b');
    await settle();
    expect(handled).toEqual(['a', 'b']);
    expect(eventsOf(world, 'gen_server.message_shed')).toEqual([]);
  });

  it('rejects a refused call at once with OverloadedError, while the server is still busy', async () => {
    const world = testWorld();
    const { pid } = await heldUp(world, { limit: 1, overflow: 'reject' });
    world.cast(pid, 'a');
    const error = await rejectionOf(world.call(pid, 'b', Infinity));
    expect(error).toBeInstanceOf(OverloadedError);
    expect(error).toMatchObject({ code: 'OVERLOADED', server: 'Stock', limit: 1, queueLength: 1 });
    expect((error as Error).message).toBe(
      "Stock is overloaded and did not take handleCall('b'): its mailbox has a limit of 1, and 1 message(s) are waiting. " +
        'Try again later, send less, or raise maxMailbox.',
    );
    await world.clock.advance(10_000);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it.each(['drop_newest', 'drop_oldest'] as const)('rejects a call that makes room: %s', async (overflow) => {
    const world = testWorld();
    const { pid, handled, release } = await heldUp(world, { limit: 1, overflow });
    const evicted = rejectionOf(world.call(pid, 'a'));
    const call = world.call(pid, 'b');
    expect(await evicted).toMatchObject({ code: 'OVERLOADED' });
    await release();
    expect([await call, handled]).toEqual(['b', ['b']]);
    await world.clock.advance(10_000);
    expect(world.clock.pendingTimers).toBe(0);
  });

  it('never throws for a cast or an info that has no room, and reports each with the totals', async () => {
    const world = testWorld();
    const { pid } = await heldUp(world, { limit: 1, overflow: 'reject' });
    world.cast(pid, 'a');
    world.cast(pid, 'b');
    world.send(pid, 'c');
    await rejectionOf(world.call(pid, 'd'));
    expect(eventsOf(world, 'gen_server.message_shed')).toEqual(
      [
        { kind: 'cast', totals: { calls: 0, casts: 1, infos: 0 } },
        { kind: 'info', totals: { calls: 0, casts: 1, infos: 1 } },
        { kind: 'call', totals: { calls: 1, casts: 1, infos: 1 } },
      ].map((shed) => ({
        type: 'gen_server.message_shed',
        pid,
        label: 'Stock',
        overflow: 'reject',
        limit: 1,
        queueLength: 1,
        ...shed,
      })),
    );
  });

  it.each(OVERFLOWS)('has room for whatever the system has to say, %s', async (overflow) => {
    const world = testWorld();
    const { pid, self, handled, release } = await heldUp(world, { limit: 1, overflow });
    const others = await Promise.all([world.start({}), world.start({})]);
    self.monitor(others[0]);
    self.link(others[1]);
    self.sendAfter(pid, 'timer', 10);
    world.cast(pid, 'only');
    for (const other of others) world.exit(other, 'kill');
    await world.clock.advance(10);
    const stopped = world.stop(pid);
    await release();
    await stopped;
    const kinds = handled.map((message) =>
      message instanceof Down ? 'Down' : message instanceof Exit ? 'Exit' : message,
    );
    expect(kinds).toEqual(['only', 'Down', 'Exit', 'timer']);
    expect(eventsOf(world, 'gen_server.message_shed')).toEqual([]);
  });

  it('evicts among the messages of the system without touching them or their order', async () => {
    for (const [overflow, left] of [
      ['drop_oldest', ['timer 1', 'timer 2', 'timer 3', 'c', 'd']],
      ['drop_newest', ['timer 1', 'a', 'timer 2', 'timer 3', 'd']],
    ] as const) {
      const world = testWorld();
      const { pid, self, handled, release } = await heldUp(world, { limit: 2, overflow });
      const timer = async (name: string) => {
        self.sendAfter(pid, name, 1);
        await world.clock.advance(1);
      };
      await timer('timer 1');
      world.send(pid, 'a');
      await timer('timer 2');
      world.send(pid, 'b');
      await timer('timer 3');
      world.send(pid, 'c');
      world.send(pid, 'd');
      await release();
      expect(handled).toEqual(left);
    }
  });

  it('counts on correctly after a Down was taken out of the middle', async () => {
    const world = testWorld();
    const { pid, self, handled, release } = await heldUp(world, { limit: 2, overflow: 'reject' });
    const other = await world.start({});
    const ref = self.monitor(other);
    world.cast(pid, 'a');
    world.exit(other, 'kill');
    await settle();
    world.cast(pid, 'b');
    self.demonitor(ref, { flush: true });
    world.cast(pid, 'c');
    await release();
    expect(handled).toEqual(['a', 'b']);
  });

  it('runs a continue and an idle timeout with a full mailbox behind and before them', async () => {
    const world = testWorld();
    const seen: unknown[] = [];
    const pid = await world.start(
      {
        init: () => ok(null).continue('setup'),
        handleContinue: (tag) => {
          seen.push(tag);
          return noReply();
        },
        handleCast: (message) => (seen.push(message), noReply().timeout(5)),
        handleInfo: (message) => (seen.push(message instanceof Timeout ? 'timeout' : message), noReply()),
      },
      { maxMailbox: { limit: 1, overflow: 'reject' } },
    );
    world.cast(pid, 'a');
    await settle();
    await world.clock.advance(5);
    expect(seen).toEqual(['setup', 'a', 'timeout']);
  });

  it('counts anew in every incarnation, and tells the callers that waited of the exit', async () => {
    const world = testWorld();
    const { pid } = await heldUp(world, { limit: 1, overflow: 'reject' });
    const waiting = rejectionOf(world.call(pid, 'a'));
    world.exit(pid, 'kill');
    expect(await waiting).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
  });

  it('survives a listener of its events that sends to the same server', async () => {
    const world = testWorld();
    const { pid, handled, release } = await heldUp(world, { limit: 1, overflow: 'drop_oldest' });
    let left = 3;
    world.events.on('gen_server.message_shed', () => {
      if (left-- > 0) world.cast(pid, `again ${left}`);
    });
    world.cast(pid, 'a');
    world.cast(pid, 'b');
    await release();
    expect(handled).toEqual(['again 0']);
    expect(eventsOf(world, 'gen_server.message_shed')).toHaveLength(4);
  });

  it.each([
    ['a limit of 0', { limit: 0, overflow: 'reject' }],
    ['a negative limit', { limit: -1, overflow: 'reject' }],
    ['a broken limit', { limit: 1.5, overflow: 'reject' }],
    ['no limit', { limit: Infinity, overflow: 'reject' }],
    ['an unknown overflow', { limit: 1, overflow: 'drop' }],
    ['no object', 1_000],
    ['null', null],
  ])('refuses %s', async (_name, maxMailbox) => {
    const world = testWorld();
    const error = await rejectionOf(world.start({ label: 'Stock' }, { maxMailbox: maxMailbox as never }));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toContain('maxMailbox of Stock must be { limit, overflow }');
    expect(world.runtime.processCount).toBe(0);
  });

  // Virtual time: one message is served per millisecond and ten come in, for a minute.
  it.each(OVERFLOWS)(
    'holds its limit under ten times the load it can serve, and counts what it sheds: %s',
    async (overflow) => {
      const LIMIT = 1_000;
      const MESSAGES = 60_000;
      const world = testWorld({ warnsOfSharedState: false });
      const random = seededRandom(7);
      const outcome = { answered: 0, refused: 0, handled: 0 };
      let self!: Self;
      const next: (() => void)[] = [];
      const work = (): Promise<unknown> =>
        new Promise((resolve) => next.push(() => ((outcome.handled += 1), resolve(null))));
      const pid = await world.start(
        {
          init: (_args, given) => ((self = given), ok(null)),
          handleCall: () => work().then(() => reply(null)),
          handleCast: () => work().then(() => noReply()),
          handleInfo: () => work().then(() => noReply()),
        },
        { maxMailbox: { limit: LIMIT, overflow } },
      );
      const served = () => next.shift()?.();
      let shedEvents = 0;
      world.events.on('gen_server.message_shed', () => shedEvents++);
      let longest = 0;
      let calls = 0;
      for (let sent = 0; sent < MESSAGES; sent++) {
        const draw = random();
        if (draw < 0.4) {
          calls++;
          world.call(pid, sent, Infinity).then(
            () => outcome.answered++,
            (error: unknown) => (error instanceof OverloadedError ? outcome.refused++ : undefined),
          );
        } else if (draw < 0.8) world.cast(pid, sent);
        else self.send(pid, sent);
        longest = Math.max(longest, queueLengthOf(pid));
        if (sent % 10 === 9) {
          served();
          await Promise.resolve();
          await new Promise((resolve) => setImmediate(resolve));
          world.clock.jump(1);
        }
      }
      expect(longest).toBe(LIMIT);
      while (next.length > 0 || queueLengthOf(pid) > 0) {
        served();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await settle();
      const {
        calls: shedCalls,
        casts,
        infos,
      } = (eventsOf(world, 'gen_server.message_shed') as MessageShed[]).at(-1)!.totals;
      expect(shedCalls + casts + infos).toBe(shedEvents);
      expect(outcome.handled + shedEvents).toBe(MESSAGES);
      expect([outcome.refused, outcome.answered + outcome.refused]).toEqual([shedCalls, calls]);
      expect(shedEvents).toBeGreaterThan(MESSAGES * 0.8);
      expect(world.clock.pendingTimers).toBe(0);
    },
  );
});

describe('a mailbox without limit', () => {
  it('reports its high water at 10 000 messages and at every tenfold, and again when it was empty in between', async () => {
    const world = testWorld();
    const lines: string[] = [];
    const ignore = () => undefined;
    new LogReporter({ error: ignore, warn: (line) => lines.push(line), log: ignore, debug: ignore }).subscribe(
      world.events,
    );
    const { pid, release } = await heldUp(world);
    const lengths = () =>
      eventsOf(world, 'gen_server.mailbox_high_water').map(
        (event) => (event as unknown as { queueLength: number }).queueLength,
      );
    for (let at = 0; at < 9_999; at++) world.cast(pid, at);
    expect(lengths()).toEqual([]);
    for (let at = 0; at < 90_100; at++) world.cast(pid, at);
    expect(lengths()).toEqual([10_000, 100_000]);
    await release();
    await world.call(pid, null);
    for (let at = 0; at < 20_000; at++) world.cast(pid, at);
    expect(lengths()).toEqual([10_000, 100_000, 10_000]);
    expect(lines.map((line) => line.split('\n')[0])).toEqual(
      [10_000, 100_000, 10_000].map(
        (length) => `MAILBOX HIGH WATER Stock ${pid.toString()} has ${length} messages waiting`,
      ),
    );
  });

  it.each([1, 100, 30_000])(
    'reports its high water also while the server is suspended, when %s come at a time',
    async (burst) => {
      const world = testWorld();
      const { pid, release } = await heldUp(world);
      await release();
      await world.call(pid, null);
      await new Sys(world.runtime).suspend(pid);
      for (let sent = 0; sent < 30_000; sent += burst) {
        for (let at = 0; at < burst; at++) world.cast(pid, at);
        if (sent % 3_000 === 0) await settle();
      }
      await settle();
      const events = eventsOf(world, 'gen_server.mailbox_high_water');
      expect(events.map((event) => (event as unknown as { queueLength: number }).queueLength)).toEqual([10_000]);
    },
  );

  it('sheds nothing', async () => {
    const world = testWorld();
    const { pid, handled, release } = await heldUp(world);
    for (let at = 0; at < 30_000; at++) world.cast(pid, at);
    await release();
    await world.call(pid, 'last');
    expect(handled).toHaveLength(30_001);
    expect(eventsOf(world, 'gen_server.message_shed')).toEqual([]);
  });
});

describe('the log', () => {
  it('tells of shed messages at the first and at every tenfold, not of each', async () => {
    const world = testWorld();
    const lines: string[] = [];
    const ignore = () => undefined;
    new LogReporter({ error: ignore, warn: (line) => lines.push(line), log: ignore, debug: ignore }).subscribe(
      world.events,
    );
    const { pid } = await heldUp(world, { limit: 1, overflow: 'reject' });
    for (let at = 0; at < 1_500; at++) world.cast(pid, at);
    expect(lines).toHaveLength(4);
    expect(lines[3]).toBe(
      `MESSAGE SHED Stock ${pid.toString()} is overloaded: a cast did not fit its mailbox (limit 1, reject)\n` +
        '  Shed so far: 0 call(s), 1000 cast(s), 0 info(s).',
    );
  });
});
