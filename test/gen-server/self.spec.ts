import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import type { GenServerProcess } from '../../lib/gen-server/process/gen-server-process.js';
import type { Self } from '../../lib/gen-server/self.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { blueprintOfClass } from '../support/server-blueprint.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

describe('self', () => {
  let world: TestWorld;
  let probe: Probe;

  beforeEach(async () => {
    world = testWorld();
    probe = await startProbe(world, { name: 'probe' });
  });

  describe('of an incarnation that has ended', () => {
    const ends: [string, (pid: Pid) => unknown][] = [
      ['was killed', (pid) => world.exit(pid, 'kill')],
      ['was stopped', (pid) => world.stop(pid)],
      ['is about to be, in this very turn', (pid) => world.exit(pid, 'kill')],
    ];

    it.each(ends)('does nothing: it %s (E6)', async (name, end) => {
      const { self, pid } = await startProbe(world);
      const timer = self.sendAfter(probe.pid, 'armed before', 10_000);
      const bystander = await startProbe(world);
      void end(pid);
      if (!name.includes('this very turn')) await settle();

      self.send(probe.pid, 'message');
      self.send('nobody', 'no NoProcessError either');
      self.sendAfter(probe.pid, 'timer', 1);
      self.link(bystander.pid);
      self.link('nobody');
      self.unlink(bystander.pid);
      self.exit(bystander.pid, 'kill');
      const ref = self.monitor(bystander.pid);
      expect(self.demonitor(ref)).toBe(false);
      expect(self.cancelTimer(timer)).toBe(false);
      expect(await rejectionOf(self.startLink(script()))).toBeInstanceOf(NoProcessError);
      expect(() => self.exit('again')).toThrow('The process is exiting');

      await world.clock.advance(1_000);
      expect(probe.messages).toEqual([]);
      expect(bystander.messages).toEqual([]);
      expect(world.runtime.processCount).toBe(2);
    });

    it('lets an abandoned handler reach nobody: state, reply, messages and timers are void (E6)', async () => {
      const gate = deferred();
      const done: string[] = [];
      const pid = await world.start(script(), { name: 'server' });
      const caller = rejectionOf(
        world.call(pid, async ({ self, from }: Context) => {
          await gate.promise;
          from.reply('grave');
          self.send('probe', 'grave');
          self.sendAfter('probe', 'grave', 1);
          done.push('went on');
          return reply('grave', 'grave');
        }),
      );
      await settle();
      world.exit(pid, 'kill');
      await settle();
      await world.start(script(), { name: 'server', args: ['new life'] });
      gate.resolve();
      await world.clock.advance(10);
      expect(done).toEqual(['went on']);
      expect(await caller).toMatchObject({ reason: 'killed' });
      expect(probe.messages).toEqual([]);
      expect(await world.call('server', ({ state }: Context) => reply(state as string))).toBe('new life');
    });

    it.each<[string, (pid: Pid) => unknown]>([
      ['killed', (pid) => world.exit(pid, 'kill')],
      ['stopped', (pid) => world.stop(pid)],
    ])('leaves the last state with the instance, for code that still runs in it, when it was %s', async (_, end) => {
      class Ledger extends GenServerBase<{ entries: number }> {
        static current: Ledger;
        override init() {
          Ledger.current = this;
          return ok({ entries: 1 });
        }
        add() {
          return noReply({ entries: this.state.entries + 1 });
        }
        look() {
          this.self.send('probe', 'nothing');
          return [this.state, this.self.pid];
        }
      }
      const pid = await world.startSource(blueprintOfClass(Ledger, { casts: ['add'] }));
      world.cast(pid, 'add');
      await settle();
      const { current } = Ledger;
      const process = processOf(pid) as GenServerProcess;
      void end(pid);
      await settle();
      expect([process.isAlive, process.state, process.instance]).toEqual([false, undefined, null]);
      expect(current.look()).toEqual([{ entries: 2 }, pid]);
      expect(probe.messages).toEqual([]);
    });

    it('lets an abandoned handler fail in silence (E6)', async () => {
      const gates = [deferred(), deferred()];
      for (const gate of gates) {
        const pid = await world.start(script());
        world.cast(pid, () => gate.promise);
        await settle();
        world.exit(pid, 'kill');
      }
      await settle();
      gates[0]!.reject(new Error('too late'));
      gates[1]!.reject(undefined);
      await settle();
      expect(world.seen.filter(({ type }) => type === 'gen_server.crashed')).toEqual([]);
    });
  });

  describe('self.signal', () => {
    it.each<[string, (pid: Pid) => unknown, unknown]>([
      ['killed', (pid) => world.exit(pid, 'kill'), 'killed'],
      ['stopped', (pid) => world.stop(pid, 'shutdown'), 'shutdown'],
    ])('fires when the incarnation is %s, with the reason (E6)', async (_name, end, reason) => {
      const { self, pid } = await startProbe(world);
      const { signal } = self;
      expect(signal.aborted).toBe(false);
      await end(pid);
      await settle();
      expect([signal.aborted, signal.reason, self.signal]).toEqual([true, reason, signal]);
    });

    it('has fired already when it is first asked for after the end (E6)', async () => {
      const { self, pid } = await startProbe(world);
      await world.stop(pid);
      expect(self.signal.aborted).toBe(true);
    });
  });

  describe('self.exit(reason)', () => {
    const ended: unknown[] = [];
    let pid: Pid;

    beforeEach(async () => {
      ended.length = 0;
      pid = await world.start(script({ terminate: (...all) => ended.push(all) }), { args: ['state'] });
    });

    it.each([['normal'], [{ shutdown: 1 }], ['out'], [undefined]])(
      'ends the process with %o, after terminate (E2)',
      async (reason) => {
        const caller = rejectionOf(world.call(pid, ({ self }: Context) => self.exit(reason)));
        expect(await caller).toMatchObject({ code: 'SERVER_EXITED', reason });
        expect(ended).toEqual([[reason, 'state']]);
      },
    );

    it.each<[string, (self: Self) => unknown]>([
      ['sync', (self: Self) => swallow(() => self.exit('out'))],
      ['async', async (self: Self) => (await settle(), swallow(() => self.exit('out')))],
    ])('cannot be undone by a catch: %s', async (_name, step) => {
      const caller = rejectionOf(
        world.call(pid, async ({ self }: Context) => (await step(self), reply('swallowed', 'newer'))),
      );
      expect(await caller).toMatchObject({ reason: 'out' });
      expect(ended).toEqual([['out', 'state']]);
    });

    it('counts once: the first reason stays', async () => {
      world.cast(pid, ({ self }: Context) => {
        swallow(() => self.exit('first'));
        return self.exit('second');
      });
      await settle();
      expect(ended).toEqual([['first', 'state']]);
    });

    it('ends an idle process at once when it comes from code that no handler waits for', async () => {
      let self!: Self;
      await world.call(pid, (context: Context) => ((self = context.self), reply(1)));
      swallow(() => self.exit('out'));
      const handled: string[] = [];
      const next = rejectionOf(world.call(pid, () => (handled.push('next'), reply(1))));
      expect(await next).toMatchObject({ reason: 'out' });
      expect([ended, handled]).toEqual([[['out', 'state']], []]);
    });

    it('ends an idle process without waiting for a message to notice', async () => {
      const idle = await startProbe(world);
      swallow(() => idle.self.exit('out'));
      await settle();
      expect(processOf(idle.pid)).toBeUndefined();
    });
  });
});

describe('GenServerBase', () => {
  it('has exactly three members, and tells what to do when there is no process yet', () => {
    class Early extends GenServerBase<number> {
      constructor() {
        super();
        void this.state;
      }
    }
    class Loose extends GenServerBase<number> {
      look() {
        return [this.state, this.self, this.from()];
      }
    }
    expect(() => new Early()).toThrow(
      'Early has no process yet: state, self and from are available from init on, not in the constructor. ' +
        'Nor does an instance made with new or injected by Nest have one; inject a client with @InjectGenServer.',
    );
    expect(() => new Loose().look()).toThrow(TypeError);
    const own = Object.getOwnPropertyNames(GenServerBase.prototype).filter((name) => name !== 'constructor');
    expect(own.sort()).toEqual(['from', 'self', 'state']);
  });
});

describe('a process that is killed while its instance is made', () => {
  it('drops the instance: its init never runs', async () => {
    const world = testWorld();
    const gate = deferred<GenServerBase<unknown>>();
    let hasRun = false;
    class Server extends GenServerBase<unknown> {
      override init() {
        hasRun = true;
        return ok(null);
      }
    }
    const started = rejectionOf(
      world.startSource({ ...blueprintOfClass(Server), create: () => gate.promise }, { name: 'server' }),
    );
    await settle();
    world.exit('server', 'kill');
    gate.resolve(new Server());
    expect(await started).toMatchObject({ reason: 'killed' });
    await settle();
    expect(hasRun).toBe(false);
  });
});

function swallow(work: () => unknown): void {
  try {
    work();
  } catch {
    // what a careless handler does
  }
}

describe('a process that another started with a link', () => {
  it.each<[how: string, end: (at: TestWorld, parent: Pid) => unknown]>([
    ['is stopped', (at, parent) => at.stop(parent, 'shutdown')],
    ['is shut down by an exit signal', (at, parent) => at.exit(parent, 'shutdown')],
    ['crashes', (at, parent) => at.cast(parent, () => stop('crash'))],
    ['is killed', (at, parent) => at.exit(parent, 'kill')],
  ])('dies at once when that one %s: its name is free, and nothing drains (L1)', async (_how, end) => {
    const world = testWorld();
    const terminated: unknown[] = [];
    const helper = script({ terminate: (reason) => void terminated.push(reason) });
    const parent = await world.start(script());
    world.cast(parent, async ({ self }: Context) => (await self.startLink(helper, { name: 'helper' }), noReply()));
    await settle();
    const child = world.localNames.whereis('helper');
    world.cast(child!, never); // it has something to finish
    await settle();
    end(world, parent);
    await settle();
    expect([world.localNames.whereis('helper'), terminated]).toEqual([undefined, []]);
  });

  it('runs its terminate when it traps exits (E5)', async () => {
    const world = testWorld();
    const terminated: unknown[] = [];
    const helper = script({ terminate: (reason) => void terminated.push(reason) });
    const parent = await world.start(script());
    const options = { name: 'helper', trapExit: true };
    world.cast(parent, async ({ self }: Context) => (await self.startLink(helper, options), noReply()));
    await settle();
    await world.stop(parent, 'shutdown');
    await settle();
    expect(terminated).toEqual(['shutdown']);
  });
});
