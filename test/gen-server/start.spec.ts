import { beforeEach, describe, expect, it } from 'vitest';
import {
  type InitResult,
  error,
  ignore,
  noReply,
  ok,
  reply,
  stop,
} from '../../lib/gen-server/results/callback-result.js';
import { BadReturnValueError, StartError } from '../../lib/gen-server/errors.js';
import { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import type { GenServerProcess } from '../../lib/gen-server/process/gen-server-process.js';
import { childSpec, completeChildSpec } from '../../lib/supervision/child-spec.js';
import { AlreadyStartedError, InvalidArgumentError } from '../../lib/runtime/errors.js';
import { linkedTo } from '../../lib/runtime/relations/links.js';
import { Down, Exit } from '../../lib/runtime/exits/messages.js';
import { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { blueprintOfClass } from '../support/server-blueprint.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

describe('start', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld();
  });

  it('gives the pid when init is done, and not before (I1)', async () => {
    const gate = deferred();
    let pid: Pid | undefined;
    const started = world
      .start(script({ init: async () => (await gate.promise, ok(null)) }))
      .then((given) => (pid = given));
    await settle();
    expect(pid).toBeUndefined();
    gate.resolve();
    await started;
    expect(pid).toBeInstanceOf(Pid);
  });

  it('links nobody (I1)', async () => {
    const pid = await world.start(script());
    expect(processOf(pid)!.parent).toBeNull();
  });

  it('lets go of the arguments once init is done, when nobody is there to restart it', async () => {
    const pid = await world.start(script({ init: () => ok(null) }), { args: ['large'] });
    expect((processOf(pid) as GenServerProcess).args).toEqual([]);
  });

  it('hands init its arguments, and the state it makes to the handlers (I2)', async () => {
    const pid = await world.start(script({ init: ([a, b]: [number, number]) => ok(a + b) }), { args: [1, 2] });
    expect(await world.call(pid, ({ state }: Context) => reply(state as number))).toBe(3);
  });

  it('makes the first argument the state when there is no init (I12)', async () => {
    const { init: _none, ...withoutInit } = script();
    const pid = await world.start(withoutInit, { args: ['given'] });
    expect(await world.call(pid, ({ state }: Context) => reply(state as string))).toBe('given');
    const bare = await world.start(withoutInit);
    expect(await world.call(bare, ({ state }: Context) => reply(typeof state))).toBe('undefined');
  });

  it.each([
    ['timeout', (it: ReturnType<typeof ok>) => it.timeout(0)],
    ['hibernate', (it: ReturnType<typeof ok>) => it.hibernate()],
    ['continue', (it: ReturnType<typeof ok>) => it.continue('next', () => noReply())],
  ])('takes ok with %s (I2)', async (_name, modify) => {
    const server = script({ init: () => modify(ok(1)) });
    const pid = await world.start(server);
    await settle();
    expect(await world.call(pid, ({ state }: Context) => reply(state as number))).toBe(1);
  });

  describe('when init does not start the process', () => {
    it.each([
      ['stop(reason)', () => stop('no database'), 'no database', 'no database'],
      ["stop('normal')", () => stop('normal'), 'normal', 'normal'],
      ['error(reason)', () => error('no database'), 'no database', 'normal'],
      ['ignore()', () => ignore(), 'ignore', 'normal'],
      ['a throw', () => thrower(boom), boom, boom],
      ['a rejection', () => Promise.reject(boom), boom, boom],
      ['a throw of something else', () => thrower('normal'), { thrown: 'normal' }, { thrown: 'normal' }],
      ['a result that is none', () => 42, { badReturnValue: 42 }, { badReturnValue: 42 }],
      ['nothing', () => undefined, { badReturnValue: undefined }, { badReturnValue: undefined }],
    ])('rejects with the reason and ends the process: %s (I2, I3, I4, I5)', async (_name, init, reason, exitReason) => {
      const probe = await startProbe(world);
      const gate = deferred();
      const failed = rejectionOf(
        world.start(script({ init: async () => (await gate.promise, init()) }), { name: 'server' }),
      );
      const ref = probe.self.monitor('server');
      const pid = world.runtime.localNames.whereis('server');
      gate.resolve();
      expect(await failed).toBeInstanceOf(StartError);
      expect(await failed).toMatchObject({ code: 'START_FAILED', server: 'behaviour', reason });
      await settle();
      expect(probe.messages).toEqual([new Down(ref, pid, 'server', exitReason)]);
    });

    it('never runs terminate or a handler (I4, I6, I10)', async () => {
      const log: string[] = [];
      const outcomes = [() => stop('x'), () => error('x'), () => ignore(), () => thrower(boom), () => 42];
      for (const init of outcomes) {
        const failed = rejectionOf(
          world.start(script({ init: async () => (await settle(), init()), terminate: () => log.push('terminate') }), {
            name: 'server',
          }),
        );
        world.cast('server', () => (log.push('cast'), noReply()));
        await failed;
      }
      expect(log).toEqual([]);
    });

    it('reports no crash for error() and ignore(), which are no crashes (I2, E14)', async () => {
      await rejectionOf(world.start(script({ init: () => error('soft') })));
      await rejectionOf(world.start(script({ init: () => ignore() })));
      expect(world.seen.filter(({ type }) => type === 'gen_server.crashed')).toEqual([]);
      await rejectionOf(world.start(script({ init: () => stop('hard') })));
      expect(world.seen).toContainEqual(
        expect.objectContaining({ type: 'gen_server.crashed', reason: 'hard', message: 'init' }),
      );
    });

    it('carries what was thrown as the cause', async () => {
      expect(await rejectionOf(world.start(script({ init: () => thrower(boom) })))).toMatchObject({ cause: boom });
      expect(await rejectionOf(world.start(script({ init: () => 42 })))).toMatchObject({
        cause: expect.any(BadReturnValueError),
      });
    });

    it('knows no throw of a result as a result: that is a crash like any other (I5, R7)', async () => {
      const result = ok(1);
      expect(await rejectionOf(world.start(script({ init: () => thrower(result) })))).toMatchObject({
        reason: { thrown: result },
      });
    });

    it('lets self.exit in init be the reason, also when it was caught (I5)', async () => {
      const init = (_args: readonly unknown[], self: Context['self']) => {
        try {
          self.exit('early');
        } catch {
          return ok(1);
        }
      };
      expect(await rejectionOf(world.start(script({ init })))).toMatchObject({ reason: 'early' });
      const asynchronous = async (_args: readonly unknown[], self: Context['self']) => (
        await settle(),
        self.exit('late')
      );
      expect(await rejectionOf(world.start(script({ init: asynchronous })))).toMatchObject({ reason: 'late' });
    });

    it('frees the name before it rejects (I9)', async () => {
      await rejectionOf(world.start(script({ init: () => stop('x') }), { name: 'server' }));
      expect(world.runtime.localNames.whereis('server')).toBeUndefined();
      await world.start(script(), { name: 'server' });
    });

    it.each([
      ['stop', () => stop('no database'), 'no database'],
      ['error', () => error('soft'), 'normal'],
      ['ignore', () => ignore(), 'normal'],
    ])('rejects the callers that had queued, with the reason of the exit: %s (I8)', async (_name, init, reason) => {
      const failed = rejectionOf(
        world.start(script({ init: async () => (await settle(), init()) }), { name: 'server' }),
      );
      const queued = rejectionOf(world.call('server', () => reply(1)));
      await failed;
      expect(await queued).toMatchObject({ code: 'SERVER_EXITED', reason });
    });
  });

  describe('with a name', () => {
    it('takes it before init runs: requests queue, and are handled after it (I8, I10)', async () => {
      const log: string[] = [];
      const gate = deferred();
      const started = world.start(
        script({
          init: async (_args, self) => {
            log.push(world.runtime.localNames.whereis('server') === self.pid ? 'named in init' : 'no name');
            await gate.promise;
            log.push('init done');
            return ok(null);
          },
        }),
        { name: 'server' },
      );
      const queued = world.call('server', () => (log.push('call'), reply(1)));
      await settle();
      expect(log).toEqual(['named in init']);
      gate.resolve();
      await Promise.all([started, queued]);
      expect(log).toEqual(['named in init', 'init done', 'call']);
    });

    it('refuses a second start at once, while the first is still in init, and never runs its init (I8, N2)', async () => {
      const first = world.start(script({ init: async () => (await settle(), ok(null)) }), { name: 'server' });
      let hasRun = false;
      const second = rejectionOf(world.start(script({ init: () => ((hasRun = true), ok(null)) }), { name: 'server' }));
      expect(await second).toBeInstanceOf(AlreadyStartedError);
      expect(hasRun).toBe(false);
      await first;
      expect(world.runtime.processCount).toBe(1);
    });
  });

  describe('with startTimeoutMs', () => {
    it('ends a process whose init takes longer, frees its name, and ignores what init still brings (I7)', async () => {
      const gate = deferred();
      const done: string[] = [];
      const late = rejectionOf(
        world.start(
          script({
            init: async (_args, self) => {
              await gate.promise;
              self.send('probe', 'from the grave');
              done.push('init went on');
              return ok(null);
            },
            terminate: () => done.push('terminate'),
          }),
          { name: 'server', startTimeoutMs: 100 },
        ),
      );
      const probe = await startProbe(world, { name: 'probe' });
      const queued = rejectionOf(world.call('server', () => reply(1)));
      const ref = probe.self.monitor('server');
      await world.clock.advance(99);
      expect(world.runtime.localNames.whereis('server')).toBeDefined();
      await world.clock.advance(1);
      expect(await late).toMatchObject({ code: 'START_FAILED', reason: 'timeout' });
      expect(await queued).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
      expect(world.runtime.localNames.whereis('server')).toBeUndefined();
      gate.resolve();
      await settle();
      expect(done).toEqual(['init went on']);
      expect(probe.messages).toEqual([expect.objectContaining({ ref, reason: 'killed' })]);
    });

    it('sends the starter no exit signal, whether it traps or not (I7)', async () => {
      for (const trapExit of [true, false]) {
        const parent = await startProbe(world, { trapExit });
        const failed = rejectionOf(parent.self.startLink(script({ init: () => never() }), { startTimeoutMs: 10 }));
        await world.clock.advance(10);
        expect(await failed).toMatchObject({ reason: 'timeout' });
        await settle();
        expect(parent.messages).toEqual([]);
        expect(linkedTo(processOf(parent.pid)!)).toEqual([]);
      }
    });

    it('counts the making of the instance as well (I7)', async () => {
      class Slow extends GenServerBase<null> {}
      const source = { ...blueprintOfClass(Slow), create: () => never() };
      const failed = rejectionOf(world.startSource(source, { startTimeoutMs: 10, name: 'slow' }));
      await world.clock.advance(10);
      expect(await failed).toMatchObject({ reason: 'timeout', server: 'Slow' });
      expect(world.runtime.processCount).toBe(0);
    });

    it('tells the reason of a kill that came first, although the time is up before the process has ended (I7)', async () => {
      const failed = rejectionOf(world.start(script({ init: () => never() }), { startTimeoutMs: 10, name: 'slow' }));
      await settle();
      world.exit('slow', 'boom');
      world.clock.jump(10);
      expect(await failed).toMatchObject({ reason: 'boom' });
    });

    it('leaves no deadline behind when init was in time (I7)', async () => {
      await world.start(script(), { startTimeoutMs: 1_000 });
      expect(world.runtime.deadlines.isEmpty).toBe(true);
    });

    it.each([[-1], [NaN], ['5']])('refuses %s, and starts nothing', async (startTimeoutMs) => {
      const refused = rejectionOf(world.start(script(), { startTimeoutMs: startTimeoutMs as number, name: 'server' }));
      expect(await refused).toBeInstanceOf(InvalidArgumentError);
      expect(world.runtime.processCount).toBe(0);
      expect(world.runtime.localNames.whereis('server')).toBeUndefined();
    });
  });

  it('fails when no instance can be made, for whatever reason', async () => {
    class Server extends GenServerBase<null> {}
    const source = blueprintOfClass(Server);
    const reasons = await Promise.all(
      [() => thrower(boom), () => Promise.reject(boom), () => null, () => Promise.resolve(null)].map(async (create) => {
        const refused = await rejectionOf(world.startSource({ ...source, create: create as never }));
        return (refused as StartError).reason;
      }),
    );
    expect(reasons).toEqual([boom, boom, expect.any(TypeError), expect.any(TypeError)]);
    expect(world.runtime.processCount).toBe(0);
    expect(await world.call(await world.start(script()), () => reply('the loop goes on'))).toBe('the loop goes on');
  });

  it('may be killed in init, by its name (E6)', async () => {
    const failed = rejectionOf(world.start(script({ init: () => never() }), { name: 'server' }));
    await settle();
    world.exit('server', 'kill');
    expect(await failed).toMatchObject({ reason: 'killed' });
  });

  it('starts a process that was sent to before it was ready, by a listener or a registry', async () => {
    const log: string[] = [];
    const note = (entry: string) => () => (log.push(entry), noReply());
    const bystander = await world.start(script());
    world.events.on('process.spawned', ({ pid }) => {
      world.send(pid, note('greeting'));
      world.send(bystander, note('news'));
    });
    await Promise.all([world.start(script()), world.start(script())]);
    expect(log.sort()).toEqual(['greeting', 'greeting', 'news', 'news']);
    expect(await world.call(bystander, () => reply('running'))).toBe('running');
  });

  it('lets a failed start block nobody: processCount is back where it was', async () => {
    for (let i = 0; i < 100; i++) await rejectionOf(world.start(script({ init: () => stop('x') }), { name: 'server' }));
    expect(world.runtime.processCount).toBe(0);
  });
});

describe('self.startLink', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld();
  });

  it('gives the pid of a child that is linked to this process (I1)', async () => {
    const parent = await startProbe(world);
    const child = await parent.self.startLink(script());
    expect(processOf(child)!.parent).toBe(processOf(parent.pid));
    expect(linkedTo(processOf(parent.pid)!)).toEqual([processOf(child)]);
  });

  it('ends a parent that does not trap before it sees the failure, and it goes no further (I3)', async () => {
    const parent = await world.start(script(), { name: 'parent' });
    const log: unknown[] = [];
    const caller = rejectionOf(
      world.call(parent, async ({ self }: Context) => {
        await self.startLink(script({ init: () => stop(boom) })).catch((reason: unknown) => log.push(reason));
        self.send('nobody', 'fenced: no NoProcessError');
        return reply('never comes');
      }),
    );
    expect(await caller).toMatchObject({ code: 'SERVER_EXITED', reason: boom });
    expect(world.runtime.processCount).toBe(0);
  });

  it.each([
    ["stop('normal')", () => stop('normal')],
    ['error(reason)', () => error('soft')],
    ['ignore()', () => ignore()],
  ])("leaves a parent that does not trap alive when the child ends 'normal': %s (I3)", async (_name, init) => {
    const parent = await startProbe(world);
    expect(await rejectionOf(parent.self.startLink(script({ init })))).toBeInstanceOf(StartError);
    expect(processOf(parent.pid)?.isAlive).toBe(true);
  });

  it('tells a parent that traps, which goes on with the error (I3)', async () => {
    const parent = await startProbe(world, { trapExit: true });
    expect(await rejectionOf(parent.self.startLink(script({ init: () => stop(boom) })))).toMatchObject({
      reason: boom,
    });
    await settle();
    expect(parent.messages).toEqual([new Exit(expect.any(Pid) as Pid, boom)]);
  });

  it('sends no exit signal when the name is taken (N2)', async () => {
    const parent = await startProbe(world);
    await world.start(script(), { name: 'taken' });
    expect(await rejectionOf(parent.self.startLink(script(), { name: 'taken' }))).toBeInstanceOf(AlreadyStartedError);
    await settle();
    expect(linkedTo(processOf(parent.pid)!)).toEqual([]);
    expect(world.runtime.processCount).toBe(2);
  });

  it('makes its starter wait while init takes its time, and nobody else (I11)', async () => {
    const gate = deferred();
    const parent = await world.start(script());
    const starting = world.call(parent, async ({ self }: Context) => {
      await self.startLink(script({ init: async () => (await gate.promise, ok(null)) }));
      return reply('started');
    });
    let isAnswered = false;
    const next = world.call(parent, () => reply('next')).then(() => (isAnswered = true));
    await settle();
    expect(isAnswered).toBe(false);
    expect(await world.call(await world.start(script()), () => reply('free'))).toBe('free');
    gate.resolve();
    expect(await starting).toBe('started');
    await next;
  });
});

describe('childSpec', () => {
  class Server extends GenServerBase<number> {
    override init(n: number): InitResult<number> {
      return ok(n);
    }
    get() {
      return reply(this.state);
    }
  }

  it('gives a server its default spec: its own id, permanent, 5 s to end, all of it to be overridden (I13)', async () => {
    const source = blueprintOfClass(Server, { calls: ['get'] });
    expect(completeChildSpec(childSpec(source), 'root')).toMatchObject({
      id: 'Server',
      restart: 'permanent',
      shutdownMs: 5_000,
      type: 'worker',
    });
    expect(childSpec(source, {}, { id: 'other', restart: 'transient', shutdownMs: 10 })).toMatchObject({
      id: 'other',
      restart: 'transient',
      shutdownMs: 10,
    });
  });

  it('starts the server with the one list of arguments, linked to its parent (I13)', async () => {
    const world = testWorld();
    const parent = await startProbe(world);
    const spec = childSpec(blueprintOfClass(Server, { calls: ['get'] }), { args: [7] });
    const { process, outcome } = spec.start(processOf(parent.pid)!, undefined);
    expect(await outcome).toEqual({ status: 'ok' });
    expect(process.parent).toBe(processOf(parent.pid));
    expect(await world.call(process.pid, 'get')).toBe(7);
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
