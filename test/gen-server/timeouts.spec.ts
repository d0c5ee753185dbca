import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import type { GenServerProcess } from '../../lib/gen-server/process/gen-server-process.js';
import { Timeout } from '../../lib/gen-server/results/messages.js';
import { SystemRequest } from '../../lib/gen-server/process/system-request.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { type Context, type Script, script } from '../support/script.js';
import { testWorld, type TestWorld } from '../support/world.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** What `sys` asks for, without an effect of its own. */
class Inspection extends SystemRequest {
  perform(): void {}
}

describe('a result with .timeout(ms)', () => {
  let world: TestWorld;
  let server: Script;
  let pid: Pid;

  beforeEach(async () => {
    world = testWorld();
    server = script();
    pid = await world.start(server);
  });

  const timeouts = () => server.seen.filter((message) => message instanceof Timeout).length;
  const inspect = () => (processOf(pid) as GenServerProcess).deliver(new Inspection(), undefined);

  it.each<[string, () => unknown]>([
    ['a call', () => world.call(pid, () => reply(1).timeout(100))],
    ['a cast', () => world.cast(pid, () => noReply().timeout(100))],
    ['an info', () => world.send(pid, () => noReply().timeout(100))],
    ['a continue', () => world.cast(pid, () => noReply().continue('x', () => noReply().timeout(100)))],
    ['an async handler', () => world.cast(pid, async () => (await settle(), noReply().timeout(100)))],
  ])('delivers Timeout when no message comes in that time: %s (T1)', async (_name, ask) => {
    await ask();
    await settle();
    await settle();
    await world.clock.advance(99);
    expect(timeouts()).toBe(0);
    await world.clock.advance(1);
    expect(timeouts()).toBe(1);
  });

  it('counts from the end of init as well (T1)', async () => {
    const eager = script({ init: () => ok(null).timeout(100) });
    await world.start(eager);
    await world.clock.advance(100);
    expect(eager.seen).toEqual([new Timeout()]);
  });

  it('is one shot: handling Timeout does not arm it again (T1)', async () => {
    world.cast(pid, () => noReply().timeout(100));
    await world.clock.advance(10_000);
    expect(timeouts()).toBe(1);
  });

  it.each<[string, () => unknown]>([
    ['a call', () => world.call(pid, () => reply(1))],
    ['a cast', () => world.cast(pid, () => noReply())],
    ['an info', () => world.send(pid, 'hello')],
  ])('is cancelled by %s, and not armed again unless it is returned again (T1)', async (_name, ask) => {
    world.cast(pid, () => noReply().timeout(100));
    await world.clock.advance(50);
    await ask();
    await world.clock.advance(10_000);
    expect(timeouts()).toBe(0);
    world.cast(pid, () => noReply().timeout(100));
    await world.clock.advance(100);
    expect(timeouts()).toBe(1);
  });

  it('is cancelled by an info that no handler takes (T1)', async () => {
    const { handleInfo: _none, ...deaf } = script();
    const deafPid = await world.start(deaf);
    world.cast(deafPid, () => noReply().timeout(100));
    world.send(deafPid, 'hello');
    await world.clock.advance(1_000);
    expect(world.seen.filter(({ type }) => type === 'gen_server.unexpected_message')).toHaveLength(1);
  });

  it('is measured anew from each message that returns it (T1)', async () => {
    for (let i = 0; i < 10; i++) {
      world.cast(pid, () => noReply().timeout(100));
      await world.clock.advance(99);
    }
    expect(timeouts()).toBe(0);
    await world.clock.advance(1);
    expect(timeouts()).toBe(1);
  });

  it('does not fire after a message that came in time, however late its turn comes (T1)', async () => {
    const probe = await startProbe(world);
    probe.self.sendAfter(pid, 'in time', 50);
    world.cast(pid, () => noReply().timeout(100));
    await settle();
    world.clock.jump(200);
    await world.clock.advance(1_000);
    expect(server.seen).toEqual(['in time']);
  });

  it('is void when a message already waits (T2)', async () => {
    for (const ms of [0, 100]) {
      const gate = deferred();
      world.cast(pid, async () => (await gate.promise, noReply().timeout(ms)));
      world.cast(pid, () => noReply());
      gate.resolve();
      await world.clock.advance(1_000);
      expect(timeouts()).toBe(0);
    }
  });

  it('fires at once with 0 and an empty mailbox, ahead of what comes later (T2)', async () => {
    world.cast(pid, () => noReply().timeout(0));
    await settle();
    expect(timeouts()).toBe(1);
  });

  it('never fires with Infinity, which never reaches the platform (T3)', async () => {
    world.cast(pid, () => noReply().timeout(Infinity));
    await settle();
    expect(world.clock.pendingTimers).toBe(0);
    await world.clock.advance(1_000 * DAY_MS);
    expect(timeouts()).toBe(0);
  });

  it('is none by default (T3)', async () => {
    await world.call(pid, () => reply(1));
    await world.clock.advance(1_000 * DAY_MS);
    expect(timeouts()).toBe(0);
  });

  it('replaces an earlier one with Infinity (T3)', async () => {
    world.cast(pid, () => noReply().timeout(100));
    world.cast(pid, () => noReply().timeout(Infinity));
    await world.clock.advance(1_000);
    expect(timeouts()).toBe(0);
  });

  it('may be longer than what the platform can do (T3)', async () => {
    world.cast(pid, () => noReply().timeout(30 * DAY_MS));
    await world.clock.advance(30 * DAY_MS - 1);
    expect(timeouts()).toBe(0);
    await world.clock.advance(1);
    expect(timeouts()).toBe(1);
  });

  it('is not cancelled by a request of the system, which starts it again in full (T4)', async () => {
    world.cast(pid, () => noReply().timeout(100));
    await world.clock.advance(60);
    inspect();
    await world.clock.advance(60);
    expect(timeouts()).toBe(0);
    await world.clock.advance(40);
    expect(timeouts()).toBe(1);
  });

  it.each([[100], [0]])('of %i ms is not void because a request of the system waits (T4)', async (ms) => {
    const gate = deferred();
    world.cast(pid, async () => (await gate.promise, noReply().timeout(ms)));
    await settle();
    inspect();
    inspect();
    gate.resolve();
    await world.clock.advance(ms);
    expect(timeouts()).toBe(1);
  });

  it('is void when a message waits behind a request of the system (T2, T4)', async () => {
    const gate = deferred();
    world.cast(pid, async () => (await gate.promise, noReply().timeout(0)));
    await settle();
    inspect();
    world.cast(pid, () => noReply());
    gate.resolve();
    await world.clock.advance(1_000);
    expect(timeouts()).toBe(0);
  });

  it('that runs out while a request of the system waits is started again by it (T4)', async () => {
    const probe = await startProbe(world);
    world.cast(pid, () => noReply().timeout(100));
    await settle();
    probe.self.sendAfter(probe.pid, 'wake', 0);
    inspect();
    world.clock.jump(100);
    await settle();
    expect(timeouts()).toBe(0);
    await world.clock.advance(100);
    expect(timeouts()).toBe(1);
  });

  it('leaves nothing pending when the process ends', async () => {
    world.cast(pid, () => noReply().timeout(100));
    await world.stop(pid);
    expect(world.runtime.deadlines.isEmpty).toBe(true);
    world.cast(await world.start(script(), { name: 'victim' }), () => noReply().timeout(100));
    await settle();
    world.exit('victim', 'kill');
    await settle();
    expect(world.runtime.deadlines.isEmpty).toBe(true);
  });

  it('is cancelled while terminate runs', async () => {
    const gate = deferred();
    const slow = script({ terminate: () => gate.promise });
    const slowPid = await world.start(slow);
    world.cast(slowPid, () => noReply().timeout(100));
    const stopped = world.stop(slowPid);
    await world.clock.advance(1_000);
    gate.resolve();
    await stopped;
    expect(slow.seen).toEqual([]);
  });
});

describe('a result with .hibernate()', () => {
  it('changes nothing but the memory of the mailbox, and emits an event (T7)', async () => {
    const world = testWorld();
    const server = script();
    const pid = await world.start(server, { args: ['state'] });
    expect(await world.call(pid, () => reply(1).hibernate())).toBe(1);
    await settle();
    expect(world.seen).toContainEqual({ type: 'gen_server.hibernated', pid, label: 'behaviour' });
    expect(mailboxOf(pid)).toBeNull();
    world.send(pid, 'wake');
    expect(await world.call(pid, ({ state }: Context) => reply(state as string))).toBe('state');
    expect(server.seen).toEqual(['wake']);
  });

  it('neither delays nor drops what waits (T7)', async () => {
    const world = testWorld();
    const server = script();
    const pid = await world.start(server);
    const gate = deferred();
    world.cast(pid, async () => (await gate.promise, noReply().hibernate()));
    for (const n of [1, 2, 3]) world.send(pid, n);
    world.cast(pid, () => noReply().hibernate());
    world.send(pid, 4);
    gate.resolve();
    await settle();
    expect(server.seen).toEqual([1, 2, 3, 4]);
  });

  it('is taken from init as well (T7)', async () => {
    const world = testWorld();
    const pid = await world.start(script({ init: () => ok(1).hibernate() }));
    expect(await world.call(pid, () => reply('awake'))).toBe('awake');
  });
});

function mailboxOf(pid: Pid): unknown {
  return (processOf(pid) as unknown as { mailbox: unknown }).mailbox;
}

describe('a process that ends when it has nothing to do', () => {
  it('does not run terminate when it was killed before its time was up, and has not ended yet (E6)', async () => {
    const world = testWorld();
    const reasons: unknown[] = [];
    const server = script({ terminate: (reason) => reasons.push(reason) });
    const pid = await world.start(server, { args: [0], idleMs: 100 });
    await settle();
    world.exit(pid, 'kill');
    world.clock.jump(100);
    await settle();
    expect(reasons).toEqual([]);
  });
});
