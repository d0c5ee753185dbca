import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import type { CrashReport } from '../../lib/gen-server/events.js';
import { CallingSelfError, NoProcessError, ServerExitedError } from '../../lib/gen-server/errors.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

const isAlive = (pid: Pid) => processOf(pid) !== undefined;

describe('terminate', () => {
  let world: TestWorld;
  let pid: Pid;
  let ended: unknown[];

  beforeEach(async () => {
    world = testWorld();
    ended = [];
    pid = await world.start(script({ terminate: (reason, state) => ended.push([reason, state]) }), {
      args: ['state'],
      name: 'server',
    });
  });

  it.each<[string, (it: { pid: Pid; world: TestWorld }) => unknown, unknown]>([
    ['a handler stops', (it) => it.world.cast(it.pid, () => stop('done')), 'done'],
    ['a handler throws', (it) => it.world.cast(it.pid, () => thrower(boom)), boom],
    ['a handler rejects', (it) => it.world.cast(it.pid, () => Promise.reject(boom)), boom],
    ['a handler exits', (it) => it.world.cast(it.pid, ({ self }: Context) => self.exit('out')), 'out'],
    ['a handler returns no result', (it) => it.world.cast(it.pid, () => 1), { badReturnValue: 1 }],
    ['it is stopped', (it) => it.world.stop(it.pid, 'please'), 'please'],
  ])('runs with the reason and the state when %s (E2)', async (_name, end, reason) => {
    await Promise.resolve(end({ pid, world })).catch(() => undefined);
    await settle();
    expect(ended).toEqual([[reason, 'state']]);
  });

  it('handles nothing any more, and a call that waits for it is told so', async () => {
    const slow = await world.start(script({ terminate: never }));
    const inHand = rejectionOf(world.call(slow, () => thrower(boom), 1_000));
    const queued = rejectionOf(world.call(slow, () => reply('never'), 2_000));
    await settle();
    await world.clock.advance(2_000);
    for (const error of [await inHand, await queued]) {
      expect(error).toMatchObject({ code: 'CALL_TIMEOUT', phase: 'terminating' });
      expect((error as Error).message).toContain('The request is not handled any more');
    }
    world.exit(slow, 'kill');
  });

  it.each([
    ['an error', () => new Error('B')],
    ['an error that has a cause of its own', () => new Error('B', { cause: 'C' })],
    ['a frozen error', () => Object.freeze(new Error('B'))],
    ['no error at all', () => 'B'],
  ])(
    'that fails with %s keeps what it ran for: in the crash report, and as the cause where there is none',
    async (_what, makeB) => {
      const b = makeB();
      const reports: CrashReport[] = [];
      world.events.on('gen_server.crashed', (event) => reports.push(event));
      const failing = await world.start(script({ terminate: () => thrower(b) }));
      const told = (await rejectionOf(world.call(failing, () => thrower(boom)))) as ServerExitedError;
      expect(told.cause).toBe(b);
      expect(reports.map(({ cause, former }) => [cause, former])).toEqual([[b, boom]]);
      const { cause } = b as Error;
      if (b instanceof Error && Object.isExtensible(b)) expect([boom, 'C']).toContain(cause);
    },
  );

  it('is awaited, and what it returns is ignored (E2)', async () => {
    const gate = deferred();
    const slow = await world.start(script({ terminate: async () => (await gate.promise, stop('ignored')) }), {
      name: 'slow',
    });
    const stopped = world.stop(slow);
    await settle();
    expect([isAlive(slow), world.runtime.localNames.whereis('slow')]).toEqual([true, slow]);
    gate.resolve();
    await stopped;
    expect(isAlive(slow)).toBe(false);
  });

  it.each([
    ['throws', () => thrower(boom), boom],
    ['rejects', () => Promise.reject(boom), boom],
    ['throws what is no error', () => thrower('normal'), { thrown: 'normal' }],
  ])('that %s changes the reason to its own (E8)', async (_name, terminate, reason) => {
    const probe = await startProbe(world);
    const failing = await world.start(script({ terminate }));
    const ref = probe.self.monitor(failing);
    const caller = rejectionOf(world.call(failing, () => stop('first')));
    expect(await caller).toMatchObject({ reason });
    await settle();
    expect(probe.messages).toEqual([new Down(ref, failing, failing, reason)]);
  });

  it('that exits changes the reason, and the cause of the first failure with it (E8)', async () => {
    for (const isCaught of [true, false]) {
      let self!: Context['self'];
      const failing = await world.start(
        script({
          init: (_args, given) => ((self = given), ok(null)),
          terminate: () => {
            try {
              self.exit('instead');
            } catch (signal) {
              if (!isCaught) throw signal;
            }
          },
        }),
      );
      const caller = (await rejectionOf(world.call(failing, () => thrower(boom)))) as ServerExitedError;
      expect([caller.reason, caller.cause]).toEqual(['instead', undefined]);
    }
  });

  it('sees the state from before the message that failed (E8, R4)', async () => {
    world.cast(pid, () => noReply('newer'));
    world.cast(pid, async () => (await settle(), thrower(boom)));
    await settle();
    await settle();
    expect(ended).toEqual([[boom, 'newer']]);
  });

  describe('on an exit signal', () => {
    let stranger: Probe;

    beforeEach(async () => {
      stranger = await startProbe(world);
    });

    it.each([['shutdown'], [boom], [{ shutdown: 1 }]])(
      'does not run in a process that does not trap: it ends at once, in the middle of a handler (E3): %o',
      async (reason) => {
        const gate = deferred();
        const caller = rejectionOf(world.call(pid, async () => (await gate.promise, reply(1))));
        await settle();
        stranger.self.exit(pid, reason);
        expect(await caller).toMatchObject({ reason });
        gate.resolve();
        await settle();
        expect(ended).toEqual([]);
      },
    );

    it("does not run for a stranger's signal in a process that traps: that is an info, also 'normal' (E4)", async () => {
      const trapper = script({ terminate: () => ended.push('terminate') });
      const trapping = await world.start(trapper, { trapExit: true });
      stranger.self.exit(trapping, 'normal');
      stranger.self.exit(trapping, boom);
      world.exit(trapping, 'from outside');
      await settle();
      expect(trapper.seen).toEqual([
        new Exit(stranger.pid, 'normal'),
        new Exit(stranger.pid, boom),
        new Exit(undefined, 'from outside'),
      ]);
      expect(ended).toEqual([]);
    });

    it.each([
      ['traps', { trapExit: true }, 'shutdown'],
      ["traps, 'normal'", { trapExit: true }, 'normal'],
      ['drains, the default', {}, 'shutdown'],
      ['traps, an error', { trapExit: true }, boom],
      ['drains, with more to say', {}, { shutdown: 'moving' }],
    ])(
      'of the parent runs after what was queued before it, and drops what comes later: the child %s (E5)',
      async (_name, options, reason) => {
        const log: unknown[] = [];
        const gate = deferred();
        const child = await stranger.self.startLink(script({ terminate: (why) => log.push(why) }), options);
        stranger.self.unlink(child);
        world.cast(child, async () => (await gate.promise, log.push('running'), noReply()));
        world.cast(child, () => (log.push('queued'), noReply()));
        stranger.self.exit(child, reason);
        const dropped = rejectionOf(world.call(child, () => (log.push('later'), reply(1))));
        gate.resolve();
        expect(await dropped).toMatchObject({ reason });
        expect(log).toEqual(['running', 'queued', reason]);
      },
    );

    it('of the parent never runs it in a child that neither traps nor drains (E3)', async () => {
      const child = await stranger.self.startLink(script({ terminate: () => ended.push('terminate') }), {
        drain: false,
      });
      stranger.self.exit(child, 'shutdown');
      await settle();
      expect([isAlive(child), ended]).toEqual([false, []]);
    });

    it('of the parent in init waits for init, and then ends the child (E5)', async () => {
      const log: unknown[] = [];
      const gate = deferred();
      const starting = stranger.self.startLink(
        script({ init: async () => (await gate.promise, ok(null)), terminate: (why) => log.push(why) }),
        { name: 'child' },
      );
      await settle();
      stranger.self.exit('child', 'shutdown');
      await settle();
      expect(log).toEqual([]);
      gate.resolve();
      await starting;
      await settle();
      expect(log).toEqual(['shutdown']);
    });

    it('of the parent while terminate runs changes nothing (E5)', async () => {
      const gate = deferred();
      const child = await stranger.self.startLink(script({ terminate: (why) => (ended.push(why), gate.promise) }));
      const stopped = world.stop(child, 'first');
      await settle();
      stranger.self.exit(child, 'shutdown');
      gate.resolve();
      await stopped;
      expect(ended).toEqual(['first']);
    });

    it("gets the supervisor's reason: 'shutdown', or 'killed' in a child that traps when the parent was killed (E15)", async () => {
      const parent = await startProbe(world, { trapExit: true });
      const child = script({ terminate: (why) => ended.push(why) });
      parent.self.exit(await parent.self.startLink(child), 'shutdown');
      await parent.self.startLink(child, { trapExit: true });
      world.exit(parent.pid, 'kill');
      await settle();
      expect(ended).toEqual(['shutdown', 'killed']);
      expect(world.runtime.processCount).toBe(2);
    });
  });

  describe('on a kill', () => {
    it.each([
      ['idle', () => noReply()],
      ['in a sync handler that kills itself', ({ self }: Context) => (self.exit(self.pid, 'kill'), noReply())],
      ['in an async handler', () => never()],
    ])("never runs, whether the process traps or not; the others see 'killed': %s (E6)", async (_name, step) => {
      for (const trapExit of [true, false]) {
        const victim = await world.start(script({ terminate: () => ended.push('terminate') }), { trapExit });
        const probe = await startProbe(world, { trapExit: true });
        probe.self.link(victim);
        world.cast(victim, step);
        await settle();
        world.exit(victim, 'kill');
        await settle();
        expect(probe.messages).toEqual([new Exit(victim, 'killed')]);
      }
      expect(ended).toEqual([]);
    });

    it("is not what the reason 'kill' of a linked process is: that can be trapped, and arrives as 'kill' (E6)", async () => {
      const trapper = await startProbe(world, { trapExit: true });
      trapper.self.link(pid);
      world.cast(pid, ({ self }: Context) => self.exit('kill'));
      await settle();
      expect(trapper.messages).toEqual([new Exit(pid, 'kill')]);
      expect(ended).toEqual([['kill', 'state']]);
    });

    it('cuts terminate short (E6)', async () => {
      const hanging = await world.start(script({ terminate: () => never() }));
      const stopping = rejectionOf(world.stop(hanging));
      await settle();
      world.exit(hanging, 'kill');
      expect(await stopping).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
      expect(isAlive(hanging)).toBe(false);
    });

    it('of a name reaches its holder, and is silent when there is none', async () => {
      expect(() => world.exit('nobody', 'kill')).not.toThrow();
      world.exit('server', 'kill');
      await settle();
      expect(isAlive(pid)).toBe(false);
    });
  });

  describe("on a signal 'normal'", () => {
    it('nothing happens to a process that does not trap (E7)', async () => {
      const stranger = await startProbe(world);
      stranger.self.exit(pid, 'normal');
      world.exit(pid, 'normal');
      await settle();
      expect(isAlive(pid)).toBe(true);
    });

    it('sent to oneself ends the process (E7)', async () => {
      world.cast(pid, ({ self }: Context) => (self.exit(self.pid, 'normal'), noReply()));
      await settle();
      expect(isAlive(pid)).toBe(false);
    });

    it('sent to oneself is an info in one that traps (E7, E4)', async () => {
      const trapper = script();
      const trapping = await world.start(trapper, { trapExit: true });
      world.cast(trapping, ({ self }: Context) => (self.exit(self.pid, 'normal'), noReply()));
      await settle();
      expect(trapper.seen).toEqual([new Exit(trapping, 'normal')]);
    });
  });

  it('comes first, then the reply, the name, the callers, links and monitors (E13)', async () => {
    const log: string[] = [];
    const last = await world.start(script({ terminate: () => log.push(`terminate, named ${isNamed()}`) }), {
      name: 'last',
    });
    const isNamed = () => world.runtime.localNames.whereis('last') !== undefined;
    const watcher = {
      init: (_args: readonly unknown[], self: Context['self']) => (self.link(last), self.monitor(last), ok(null)),
      handleInfo: (message: unknown) => {
        log.push(`${message instanceof Exit ? 'Exit' : 'Down'}, named ${isNamed()}, alive ${isAlive(last)}`);
        return noReply();
      },
    };
    await world.start(watcher, { trapExit: true });
    const queued = () => world.call(last, () => reply(1)).catch(() => log.push(`queued caller, named ${isNamed()}`));
    const caller = world
      .call(last, () => (void queued(), stop('normal').reply('bye')))
      .then(() => log.push(`reply, named ${isNamed()}`));
    await caller;
    await settle();
    expect(log).toEqual([
      'terminate, named true',
      'Exit, named false, alive false',
      'Down, named false, alive false',
      expect.stringMatching(/^(reply|queued caller), named false$/),
      expect.stringMatching(/^(reply|queued caller), named false$/),
    ]);
  });

  it('lets a process that is told of the exit take the name (E13, N3)', async () => {
    let successor: Promise<Pid> | undefined;
    await world.start({
      init: (_args, self) => (self.monitor('server'), ok(null)),
      handleInfo: () => {
        successor = world.start(script(), { name: 'server' });
        return noReply();
      },
    });
    world.exit(pid, 'kill');
    await settle();
    expect(await successor).toBeInstanceOf(Pid);
  });
});

describe('stop', () => {
  let world: TestWorld;
  let pid: Pid;
  let log: unknown[];

  beforeEach(async () => {
    world = testWorld();
    log = [];
    pid = await world.start(script({ terminate: (reason, state) => log.push([reason, state]) }), {
      args: [0],
      name: 'server',
    });
  });

  it("ends a server with 'normal', and waits for ever, by default (C15)", async () => {
    const gate = deferred();
    const slow = await world.start(script({ terminate: (reason) => (log.push(reason), gate.promise) }));
    const stopped = world.stop(slow);
    await world.clock.advance(1e9);
    gate.resolve();
    expect(await stopped).toBeUndefined();
    expect(log).toEqual(['normal']);
  });

  it('keeps its place in the queue: what is earlier is handled, what is later is told (E9)', async () => {
    const gate = deferred();
    world.cast(pid, async ({ state }: Context) => (await gate.promise, noReply((state as number) + 1)));
    world.cast(pid, ({ state }: Context) => noReply((state as number) + 10));
    const stopped = world.stop(pid, 'enough');
    const later = rejectionOf(world.call(pid, () => reply(1)));
    world.cast(pid, () => (log.push('never'), noReply()));
    gate.resolve();
    await stopped;
    expect(log).toEqual([['enough', 11]]);
    expect(await later).toMatchObject({ code: 'SERVER_EXITED', reason: 'enough' });
  });

  it.each([['normal'], ['shutdown'], [{ shutdown: { why: 'deploy' } }], ['any'], [42], [boom]])(
    'resolves when the process ended with exactly the reason %o (E10)',
    async (reason) => {
      await expect(world.stop(pid, reason)).resolves.toBeUndefined();
      expect(isAlive(pid)).toBe(false);
    },
  );

  it('rejects with the other reason when the process ended with one (E10)', async () => {
    const failing = await world.start(script({ terminate: () => thrower(boom) }));
    const rejected = rejectionOf(world.stop(failing));
    expect(await rejected).toBeInstanceOf(ServerExitedError);
    expect(await rejected).toMatchObject({ reason: boom, request: { handler: 'stop', args: ['normal'] } });
  });

  it('rejects with NoProcessError when nobody is there (E10)', async () => {
    await world.stop(pid);
    for (const gone of [pid, 'server']) expect(await rejectionOf(world.stop(gone))).toBeInstanceOf(NoProcessError);
  });

  it('of oneself rejects at once (E10)', async () => {
    const answer = await world.call(pid, async () => reply(await rejectionOf(world.stop('server'))));
    expect(answer).toBeInstanceOf(CallingSelfError);
    expect(isAlive(pid)).toBe(true);
  });

  it('with a timeout rejects, and the process goes on terminating (E11)', async () => {
    const gate = deferred();
    const slow = await world.start(script({ terminate: () => gate.promise }));
    const late = rejectionOf(world.stop(slow, 'normal', 100));
    await world.clock.advance(100);
    expect(await late).toMatchObject({
      code: 'CALL_TIMEOUT',
      timeoutMs: 100,
      request: { handler: 'stop', args: ['normal'] },
    });
    expect(isAlive(slow)).toBe(true);
    gate.resolve();
    await settle();
    expect(isAlive(slow)).toBe(false);
  });

  it.each([[-1], [NaN]])('refuses a timeout of %s, and stops nothing', async (timeoutMs) => {
    expect(await rejectionOf(world.stop(pid, 'normal', timeoutMs))).toBeInstanceOf(InvalidArgumentError);
    await settle();
    expect(isAlive(pid)).toBe(true);
  });

  it('leaves no deadline and no monitor behind, whether in time or not', async () => {
    const gate = deferred();
    const slow = await world.start(script({ terminate: () => gate.promise }));
    const late = rejectionOf(world.stop(slow, 'normal', 100));
    await world.clock.advance(100);
    await late;
    expect(processOf(slow)!.relations?.firstWatcher).toBeNull();
    gate.resolve();
    await world.stop(pid, 'normal', 1_000);
    expect(world.runtime.deadlines.isEmpty).toBe(true);
  });

  it('racing another: both succeed with equal reasons, else the second learns the reason of the first (E12)', async () => {
    const [first, equal, other] = [world.stop(pid, 'a'), world.stop(pid, 'a'), rejectionOf(world.stop(pid, 'b'))];
    await Promise.all([first, equal]);
    expect(await other).toMatchObject({ code: 'SERVER_EXITED', reason: 'a' });
    expect(log).toEqual([['a', 0]]);
  });

  it('while init runs waits for init, and then for terminate (E9)', async () => {
    const gate = deferred();
    const started = world.start(
      script({ init: async () => (await gate.promise, ok('up')), terminate: (...all) => log.push(all) }),
      {
        name: 'slow',
      },
    );
    const stopped = world.stop('slow', 'early');
    await settle();
    expect(log).toEqual([]);
    gate.resolve();
    await Promise.all([started, stopped]);
    expect(log).toEqual([['early', 'up']]);
  });

  it('of a process whose init then fails learns that reason (E10)', async () => {
    const started = rejectionOf(
      world.start(script({ init: async () => (await settle(), stop('no')) }), { name: 'slow' }),
    );
    const stopped = rejectionOf(world.stop('slow'));
    await started;
    expect(await stopped).toMatchObject({ code: 'SERVER_EXITED', reason: 'no' });
  });

  it('frees the name before it resolves (N3)', async () => {
    await world.stop('server');
    await world.start(script(), { name: 'server' });
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
