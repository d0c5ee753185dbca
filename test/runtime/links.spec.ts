import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { linkedTo } from '../../lib/runtime/relations/links.js';
import { Exit } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

describe('self.link', () => {
  let world: TestWorld;
  let a: Probe;
  let b: Probe;
  let trapper: Probe;

  beforeEach(async () => {
    world = testWorld();
    a = await startProbe(world);
    b = await startProbe(world);
    trapper = await startProbe(world, { trapExit: true });
  });

  const isAlive = (pid: Pid) => processOf(pid) !== undefined;
  const linksOf = (pid: Pid) => linkedTo(processOf(pid)!).length;

  it.each(['a', 'b'] as const)(
    'is symmetric: when %s ends abnormally the other ends for the same reason (L1)',
    async (which) => {
      const [first, second] = which === 'a' ? [a, b] : [b, a];
      a.self.link(b.pid);
      trapper.self.link(second.pid);
      world.exit(first.pid, boom);
      await settle();
      expect(trapper.messages).toEqual([new Exit(second.pid, boom)]);
      expect(world.runtime.processCount).toBe(1);
    },
  );

  it('reaches everybody along a chain of links (L1)', async () => {
    const chain = await Promise.all(Array.from({ length: 50 }, () => startProbe(world)));
    chain.reduce((previous, next) => (previous.self.link(next.pid), next));
    trapper.self.link(chain[49]!.pid);
    world.exit(chain[0]!.pid, boom);
    await settle();
    expect(chain.filter(({ pid }) => isAlive(pid))).toEqual([]);
    expect(trapper.messages).toEqual([new Exit(chain[49]!.pid, boom)]);
  });

  it('survives rings of links (L1)', async () => {
    a.self.link(b.pid);
    b.self.link(trapper.pid);
    trapper.self.link(a.pid);
    world.exit(a.pid, boom);
    await settle();
    expect(trapper.messages).toEqual([new Exit(a.pid, boom), new Exit(b.pid, boom)]);
  });

  it('is one link however often it is made (L1)', async () => {
    trapper.self.link(a.pid);
    trapper.self.link(a.pid);
    a.self.link(trapper.pid);
    world.exit(a.pid, boom);
    await settle();
    expect(trapper.messages).toEqual([new Exit(a.pid, boom)]);
  });

  it("is ignored by a process that does not trap when the other ends 'normal' (L1)", async () => {
    a.self.link(b.pid);
    await world.stop(a.pid);
    expect(isAlive(b.pid)).toBe(true);
  });

  it("tells a process that traps of 'normal' as well (E4)", async () => {
    trapper.self.link(a.pid);
    await world.stop(a.pid);
    await settle();
    expect(trapper.messages).toEqual([new Exit(a.pid, 'normal')]);
  });

  it('is gone after unlink, from either side (L1)', async () => {
    a.self.link(b.pid);
    b.self.unlink(a.pid);
    world.exit(a.pid, boom);
    await settle();
    expect(isAlive(b.pid)).toBe(true);
  });

  it('can be removed from a child, and made again (L1)', async () => {
    const child = await a.self.startLink(script());
    a.self.unlink(child);
    a.self.link(child);
    a.self.link(child);
    expect(linksOf(a.pid)).toBe(1);
    world.exit(child, boom);
    await settle();
    expect(isAlive(a.pid)).toBe(false);
  });

  it('does not signal after an unlink in the turn in which the other was killed (L1)', async () => {
    a.self.link(b.pid);
    world.exit(a.pid, boom);
    b.self.unlink(a.pid);
    await settle();
    expect(isAlive(b.pid)).toBe(true);
  });

  it('to itself does nothing', async () => {
    a.self.link(a.pid);
    expect(linksOf(a.pid)).toBe(0);
  });

  it('leaves nothing behind on either side when one ends', async () => {
    for (let i = 0; i < 100; i++) {
      const { pid } = await startProbe(world);
      trapper.self.link(pid);
      world.exit(pid, 'kill');
    }
    const child = await trapper.self.startLink(script());
    world.exit(child, 'kill');
    await settle();
    expect(linksOf(trapper.pid)).toBe(0);
  });

  describe('to a process that is gone', () => {
    it("is an exit signal 'noproc' for one that traps (L2)", async () => {
      world.exit(a.pid, 'kill');
      await settle();
      trapper.self.link(a.pid);
      trapper.self.link('nobody');
      await settle();
      expect(trapper.messages).toEqual([new Exit(a.pid, 'noproc'), new Exit(undefined, 'noproc')]);
    });

    it('fails in one that does not (L2)', async () => {
      expect(() => a.self.link('nobody')).toThrow(NoProcessError);
    });
  });

  describe('of a child to its parent', () => {
    it("lets a trapping child terminate when the parent ends 'normal' (L3)", async () => {
      const reasons: unknown[] = [];
      const child = await a.self.startLink(script({ terminate: (reason) => reasons.push(reason) }), { trapExit: true });
      await world.stop(a.pid);
      await settle();
      expect(reasons).toEqual(['normal']);
      expect(isAlive(child)).toBe(false);
    });

    it("lets a child that does not trap live on when the parent ends 'normal' (L3)", async () => {
      const child = await a.self.startLink(script());
      await world.stop(a.pid);
      await settle();
      expect(await world.call(child, () => reply('alive'))).toBe('alive');
    });

    it('takes the child along at once when the parent crashes: nobody is left to enforce its time (E3)', async () => {
      const done: unknown[] = [];
      const child = await a.self.startLink(script({ terminate: (reason) => done.push(reason) }));
      world.cast(child, () => (done.push('queued'), noReply()));
      world.exit(a.pid, boom);
      await settle();
      expect(done).toEqual([]);
      expect(isAlive(child)).toBe(false);
    });

    it('takes a child that traps along, after its queue and terminate, when the parent crashes (E5)', async () => {
      const done: unknown[] = [];
      const child = await a.self.startLink(script({ terminate: (reason) => done.push(reason) }), { trapExit: true });
      world.cast(child, () => (done.push('queued'), noReply()));
      world.exit(a.pid, boom);
      await settle();
      expect(done).toEqual(['queued', boom]);
      expect(isAlive(child)).toBe(false);
    });

    it('takes the child along at once, without terminate, when it does not drain (E3)', async () => {
      const done: unknown[] = [];
      const child = await a.self.startLink(script({ terminate: (reason) => done.push(reason) }), { drain: false });
      world.cast(child, () => (done.push('queued'), noReply()));
      world.exit(a.pid, boom);
      await settle();
      expect(done).toEqual([]);
      expect(isAlive(child)).toBe(false);
    });

    it('crashes a parent that does not trap, and tells one that does (L1)', async () => {
      const fragile = await a.self.startLink(script());
      const watched = await trapper.self.startLink(script());
      for (const pid of [fragile, watched]) world.cast(pid, ({ self }: Context) => self.exit(boom));
      await settle();
      expect(isAlive(a.pid)).toBe(false);
      expect(trapper.messages).toEqual([new Exit(watched, boom)]);
    });

    it("is not heard of by a parent that does not trap when the child ends 'normal' (L1)", async () => {
      const child = await a.self.startLink(script());
      world.cast(child, () => stop('normal'));
      await settle();
      expect([isAlive(child), isAlive(a.pid)]).toEqual([false, true]);
    });
  });
});
