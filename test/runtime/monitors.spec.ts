import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { Down } from '../../lib/runtime/exits/messages.js';
import { watch } from '../../lib/runtime/relations/monitors.js';
import type { Pid, Ref } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

describe('self.monitor', () => {
  let world: TestWorld;
  let watcher: Probe;
  let target: Pid;

  beforeEach(async () => {
    world = testWorld();
    watcher = await startProbe(world);
    target = await world.start(script(), { name: 'target' });
  });

  it('tells once, with the ref, the pid, what was monitored and the reason (M1)', async () => {
    const ref = watcher.self.monitor(target);
    world.exit(target, boom);
    world.exit(target, 'kill');
    await settle();
    expect(watcher.messages).toEqual([new Down(ref, target, target, boom)]);
  });

  it.each([
    ['normal', () => world.stop(target)],
    ['killed', () => Promise.resolve(world.exit(target, 'kill'))],
    ['shutdown', () => world.stop(target, 'shutdown')],
  ])("tells of '%s' as of any other reason (M1)", async (reason, end) => {
    const ref = watcher.self.monitor(target);
    await end();
    await settle();
    expect(watcher.messages).toEqual([new Down(ref, target, target, reason)]);
  });

  it('tells once for each monitor, under a ref of its own (M1)', async () => {
    const refs = [watcher.self.monitor(target), watcher.self.monitor(target)];
    await world.stop(target);
    await settle();
    expect(refs[0]).not.toBe(refs[1]);
    expect(watcher.messages).toEqual(refs.map((ref) => new Down(ref, target, target, 'normal')));
  });

  it('names what was monitored as it was given (M1)', async () => {
    const ref = watcher.self.monitor('target');
    await world.stop(target);
    await settle();
    expect(watcher.messages).toEqual([new Down(ref, target, 'target', 'normal')]);
  });

  it("tells 'noproc' at once when the process is gone (M1)", async () => {
    await world.stop(target);
    const [byPid, byName] = [watcher.self.monitor(target), watcher.self.monitor('target')];
    await settle();
    expect(watcher.messages).toEqual([
      new Down(byPid, target, target, 'noproc'),
      new Down(byName, undefined, 'target', 'noproc'),
    ]);
  });

  it('does not link: neither end touches the other (M1)', async () => {
    watcher.self.monitor(target);
    world.exit(watcher.pid, boom);
    await settle();
    expect(processOf(target)?.isAlive).toBe(true);
  });

  it('is bound to one incarnation, also when made by name (M3)', async () => {
    const ref = watcher.self.monitor('target');
    await world.stop('target');
    await world.start(script(), { name: 'target' });
    await world.stop('target');
    await settle();
    expect(watcher.messages).toEqual([new Down(ref, target, 'target', 'normal')]);
  });

  it('tells after everything that the process had sent to the watcher (M4)', async () => {
    const ref = watcher.self.monitor(target);
    world.cast(target, ({ self }: Context) => {
      for (const n of [1, 2, 3]) self.send(watcher.pid, n);
      return stop('normal');
    });
    await settle();
    expect(watcher.messages).toEqual([1, 2, 3, new Down(ref, target, target, 'normal')]);
  });

  it('finds the name free and the process dead when it is told (E13, N3)', async () => {
    const found: unknown[] = [];
    const pid = await world.start({
      init: (_args, self) => {
        self.monitor('target');
        return ok(null);
      },
      handleInfo: () => {
        found.push(world.runtime.localNames.whereis('target'), processOf(target));
        return noReply();
      },
    });
    world.exit(target, 'kill');
    await settle();
    expect(found).toEqual([undefined, undefined]);
    expect(processOf(pid)).toBeDefined();
  });

  it('leaves nothing behind on either side, whichever ends first', async () => {
    for (let i = 0; i < 100; i++) {
      const other = await startProbe(world);
      watcher.self.monitor(other.pid);
      other.self.monitor(watcher.pid);
      other.self.monitor(other.pid);
      world.exit(other.pid, 'kill');
    }
    await settle();
    const process = processOf(watcher.pid)!;
    expect([process.relations?.watching?.size, process.relations?.firstWatcher]).toEqual([0, null]);
    expect(watcher.messages).toHaveLength(100);
  });
});

describe('self.demonitor', () => {
  let world: TestWorld;
  let watcher: Probe;
  let target: Pid;

  beforeEach(async () => {
    world = testWorld();
    watcher = await startProbe(world);
    target = await world.start(script());
  });

  it('ends the watch, and answers whether it was on (M2)', async () => {
    const ref = watcher.self.monitor(target);
    expect([watcher.self.demonitor(ref), watcher.self.demonitor(ref)]).toEqual([true, false]);
    await world.stop(target);
    await settle();
    expect(watcher.messages).toEqual([]);
  });

  it('ends that one watch and no other (M2)', async () => {
    const [first, second] = [watcher.self.monitor(target), watcher.self.monitor(target)];
    watcher.self.demonitor(first);
    await world.stop(target);
    await settle();
    expect(watcher.messages).toEqual([new Down(second, target, target, 'normal')]);
  });

  it("does not end another process's watch (M2)", async () => {
    const ref = watcher.self.monitor(target);
    const other = await startProbe(world);
    expect(other.self.demonitor(ref)).toBe(false);
    await world.stop(target);
    await settle();
    expect(watcher.messages).toHaveLength(1);
  });

  describe('when the Down already waits in the mailbox', () => {
    /** Runs `work` in a process in whose mailbox a Down lies between two other messages. */
    async function withDownQueued(work: (context: Context, ref: Ref) => unknown) {
      const server = script();
      const busy = await world.start(server);
      await world.call(busy, async (context: Context) => {
        const ref = context.self.monitor(target);
        context.self.send(busy, 'before');
        await world.stop(target);
        context.self.send(busy, 'after');
        work(context, ref);
        return reply('done');
      });
      await settle();
      return server.seen;
    }

    it('leaves it there (M2)', async () => {
      const answers: unknown[] = [];
      const seen = await withDownQueued(({ self }, ref) => answers.push(self.demonitor(ref)));
      expect(answers).toEqual([false]);
      expect(seen).toEqual(['before', expect.any(Down), 'after']);
    });

    it('takes it out with flush (M2)', async () => {
      const answers: unknown[] = [];
      const seen = await withDownQueued(({ self }, ref) => answers.push(self.demonitor(ref, { flush: true })));
      expect(answers).toEqual([false]);
      expect(seen).toEqual(['before', 'after']);
    });
  });

  it('with flush leaves no trace: a timeout returned next is armed, since nothing waits (M2)', async () => {
    const server = script();
    const busy = await world.start(server);
    world.cast(busy, async ({ self }: Context) => {
      const ref = self.monitor(target);
      await world.stop(target);
      self.demonitor(ref, { flush: true });
      return noReply().timeout(100);
    });
    await settle();
    expect(processOf(busy)!.queueLength).toBe(0);
    await world.clock.advance(100);
    expect(server.seen).toHaveLength(1);
  });
});

describe('watch', () => {
  it('reports exactly once, or not at all after it was stopped, also by another report of the same exit', async () => {
    const world = testWorld();
    const target = processOf(await world.start(script()))!;
    const reports: unknown[] = [];
    watch(target, (reason) => {
      reports.push(reason);
      second.stop();
    });
    const second = watch(target, () => reports.push('second'));
    await world.stop(target.pid);
    expect(reports).toEqual(['normal']);
  });
});
