import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { ServerExitedError } from '../../lib/gen-server/errors.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

describe('the mailbox of a server', () => {
  let world: TestWorld;
  let pid: Pid;
  let log: unknown[];

  beforeEach(async () => {
    world = testWorld();
    log = [];
    pid = await world.start(script({ terminate: () => log.push('terminate') }), { args: [0], name: 'server' });
  });

  const note = (entry: unknown) => () => (log.push(entry), noReply());

  it('handles one message at a time, across every await (P1)', async () => {
    const gates = [deferred(), deferred()];
    const calls = gates.map(({ promise }, i) =>
      world.call(pid, async () => {
        log.push(`begin ${i}`);
        await promise;
        log.push(`end ${i}`);
        return reply(i);
      }),
    );
    await settle();
    expect(log).toEqual(['begin 0']);
    gates[1]!.resolve();
    await settle();
    expect(log).toEqual(['begin 0']);
    gates[0]!.resolve();
    expect(await Promise.all(calls)).toEqual([0, 1]);
    expect(log).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1']);
  });

  it('lets different servers interleave (P1)', async () => {
    const other = await world.start(script());
    world.cast(pid, async () => (await never(), noReply()));
    expect(await world.call(other, () => reply('free'))).toBe('free');
  });

  it('handles messages of one sender in send order, whatever their kind (P2)', async () => {
    const call = world.call(pid, () => (log.push('call'), reply(1)));
    world.cast(pid, note('cast'));
    world.send(pid, note('info'));
    const second = world.call(pid, () => (log.push('call'), reply(2)));
    world.cast(pid, note('cast'));
    const stopped = world.stop(pid);
    world.cast(pid, note('too late'));
    await Promise.all([call, second, stopped]);
    expect(log).toEqual(['call', 'cast', 'info', 'call', 'cast', 'terminate']);
  });

  it('lets kill, and what else a process cannot trap, overtake what waits (P2)', async () => {
    for (const reason of ['kill', new Error('boom')]) {
      const victim = await world.start(script());
      world.cast(victim, note('queued'));
      world.exit(victim, reason);
      await settle();
      expect(processOf(victim)).toBeUndefined();
    }
    expect(log).toEqual([]);
  });

  it('queues what a handler sends to its own process behind what waits, ahead of what comes later (P3)', async () => {
    const gate = deferred();
    world.cast(pid, async ({ self }: Context) => {
      await gate.promise;
      self.send(pid, note('from itself'));
      world.send(pid, note('later'));
      return noReply();
    });
    world.cast(pid, note('waiting'));
    gate.resolve();
    await settle();
    expect(log).toEqual(['waiting', 'from itself', 'later']);
  });

  it('dies with the process: callers are told, casts and infos are gone, the next incarnation gets nothing (P5)', async () => {
    const gate = deferred();
    const running = rejectionOf(world.call(pid, async () => (await gate.promise, reply(1))));
    const queued = rejectionOf(world.call(pid, () => reply(2)));
    const later = rejectionOf(world.call(pid, ({ from }: Context) => from.later()));
    world.cast(pid, note('cast'));
    world.send(pid, note('info'));
    world.exit(pid, 'kill');
    await settle();
    await world.start(script(), { name: 'server' });
    gate.resolve();
    const errors = (await Promise.all([running, queued, later])) as ServerExitedError[];
    expect(errors.map(({ reason }) => reason)).toEqual(['killed', 'killed', 'killed']);
    expect(new Set(errors).size).toBe(3);
    expect(log).toEqual([]);
  });

  it('tells callers whose answer was left for later of the exit (P5)', async () => {
    const waiting = rejectionOf(world.call(pid, ({ from }: Context) => from.later()));
    await world.stop(pid, 'shutdown');
    expect(await waiting).toMatchObject({ reason: 'shutdown' });
  });

  it('tells callers before links and monitors (P5)', async () => {
    const trapper = await startProbe(world, { trapExit: true });
    trapper.self.link(pid);
    trapper.self.monitor(pid);
    world.call(pid, () => never()).catch(() => log.push('caller'));
    await settle();
    world.exit(pid, 'kill');
    await settle();
    expect(log).toEqual(['caller']);
    expect(trapper.messages).toHaveLength(2);
  });

  it('handles a request whose caller has timed out, and keeps the change (P6)', async () => {
    const gate = deferred();
    world.cast(pid, async () => (await gate.promise, noReply()));
    const impatient = rejectionOf(world.call(pid, ({ state }: Context<number>) => reply(null, state + 1), 100));
    await world.clock.advance(100);
    expect(await impatient).toMatchObject({ code: 'CALL_TIMEOUT' });
    gate.resolve();
    expect(await world.call(pid, ({ state }: Context<number>) => reply(state))).toBe(1);
  });

  it('handles a request whose caller has died (P6)', async () => {
    const gate = deferred();
    const caller = await world.start(script());
    world.cast(pid, async () => (await gate.promise, noReply()));
    world.cast(
      caller,
      async () => (await world.call(pid, ({ state }: Context<number>) => reply(null, state + 1)), noReply()),
    );
    await settle();
    world.exit(caller, 'kill');
    gate.resolve();
    expect(await world.call(pid, ({ state }: Context<number>) => reply(state))).toBe(1);
  });

  it('holds casts without end, while a caller that waits sends no more (C13)', async () => {
    const gate = deferred();
    world.cast(pid, async () => (await gate.promise, noReply()));
    await settle();
    for (let i = 0; i < 10_000; i++) world.cast(pid, ({ state }: Context<number>) => noReply(state + 1));
    const caller = (async () => {
      for (let i = 0; i < 3; i++) await world.call(pid, () => reply(i), Infinity);
    })();
    await settle();
    expect(processOf(pid)!.queueLength).toBe(10_001);
    gate.resolve();
    await caller;
    expect(await world.call(pid, ({ state }: Context<number>) => reply(state))).toBe(10_000);
  });

  it('is dropped with a handler that stops: later requests exit with its reason (P5)', async () => {
    world.cast(pid, () => stop({ shutdown: 'done' }));
    const queued = rejectionOf(world.call(pid, () => reply(1)));
    expect(await queued).toMatchObject({ reason: { shutdown: 'done' } });
  });
});

describe('a message to oneself in init', () => {
  it('defers work: only what arrived earlier comes first (T8)', async () => {
    const world = testWorld();
    const log: string[] = [];
    const started = world.start(
      script({
        init: async (_args, self) => {
          await settle();
          self.send(self.pid, () => (log.push('deferred'), noReply()));
          return ok(null);
        },
      }),
      { name: 'server' },
    );
    world.cast('server', () => (log.push('earlier'), noReply()));
    await started;
    world.cast('server', () => (log.push('later'), noReply()));
    await settle();
    expect(log).toEqual(['earlier', 'deferred', 'later']);
  });

  it('is overtaken by what was queued before, which a continue is not (T8)', async () => {
    const world = testWorld();
    const log: string[] = [];
    const started = world.start(
      script({
        init: async () => {
          await settle();
          return ok(null).continue('setup', () => (log.push('continue'), noReply()));
        },
      }),
      { name: 'server' },
    );
    world.cast('server', () => (log.push('earlier'), noReply()));
    await started;
    await settle();
    expect(log).toEqual(['continue', 'earlier']);
  });
});
