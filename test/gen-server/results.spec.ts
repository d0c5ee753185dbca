import { beforeEach, describe, expect, it, vi } from 'vitest';
import * as results from '../../lib/gen-server/results/callback-result.js';
import { error, ignore, noReply, ok, reply, replyError, stop } from '../../lib/gen-server/results/callback-result.js';
import { BadReturnValueError, ServerExitedError, UndefinedCallbackError } from '../../lib/gen-server/errors.js';
import { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import type { CrashReport } from '../../lib/gen-server/events.js';
import { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Context, script } from '../support/script.js';
import { blueprintOfClass } from '../support/server-blueprint.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

describe('what a callback returns', () => {
  let world: TestWorld;
  let pid: Pid;
  let ended: unknown[];

  beforeEach(async () => {
    world = testWorld();
    ended = [];
    pid = await world.start(script({ terminate: (reason, state) => ended.push([reason, state]) }), { args: ['old'] });
  });

  const state = () => world.call(pid, ({ state: now }: Context) => reply(now as string));
  const crash = () => world.seen.find((event): event is CrashReport => event.type === 'gen_server.crashed');

  describe('from a call', () => {
    it('reply(value, state) answers and sets the state (R1)', async () => {
      expect(await world.call(pid, () => reply('hi', 'new'))).toBe('hi');
      expect(await state()).toBe('new');
    });

    it('reply(value) keeps the state, and undefined is a state like any other (R1)', async () => {
      await world.call(pid, () => reply('hi'));
      expect(await state()).toBe('old');
      await world.call(pid, () => reply('hi', undefined));
      expect(await state()).toBeUndefined();
    });

    it('replyError(error, state) rejects the caller with the error itself, and the process lives on', async () => {
      expect(await rejectionOf(world.call(pid, () => replyError(boom, 'new')))).toBe(boom);
      expect(await state()).toBe('new');
      expect(ended).toEqual([]);
    });

    it('noReply(state) leaves the caller waiting (R1)', async () => {
      const waiting = rejectionOf(world.call(pid, () => noReply('new'), 100));
      expect(await state()).toBe('new');
      await world.clock.advance(100);
      expect(await waiting).toMatchObject({ code: 'CALL_TIMEOUT', phase: 'answered_later' });
    });

    it('stop(reason, state).reply(value) answers, and ends with the new state (R1)', async () => {
      expect(await world.call(pid, () => stop('normal', 'new').reply('bye'))).toBe('bye');
      expect(ended).toEqual([['normal', 'new']]);
    });

    it.each([['normal'], ['shutdown'], [{ shutdown: 1 }], ['broken']])(
      'stop(%o) without a reply rejects the caller with the reason (R1, R5)',
      async (reason) => {
        const caller = rejectionOf(world.call(pid, () => stop(reason)));
        expect(await caller).toBeInstanceOf(ServerExitedError);
        expect(await caller).toMatchObject({ reason });
        expect(ended).toEqual([[reason, 'old']]);
      },
    );

    it('stop with a reply runs terminate first and answers then (R6)', async () => {
      const gate = deferred();
      const slow = await world.start(script({ terminate: () => gate.promise }));
      let answer: unknown;
      const caller = world.call(slow, () => stop('normal').reply('bye')).then((value) => (answer = value));
      await settle();
      expect(answer).toBeUndefined();
      gate.resolve();
      await caller;
      expect(answer).toBe('bye');
    });

    it('stop with a reply answers even when terminate fails (R6)', async () => {
      for (const terminate of [() => thrower(boom), () => Promise.reject(boom)]) {
        const failing = await world.start(script({ terminate }));
        expect(await world.call(failing, () => stop('normal').reply('bye'))).toBe('bye');
        expect(processOf(failing)).toBeUndefined();
      }
    });

    it('stop with a reply tells the caller of the exit when terminate is killed', async () => {
      const hanging = await world.start(script({ terminate: () => never() }));
      const caller = rejectionOf(world.call(hanging, () => stop('normal').reply('bye')));
      await settle();
      world.exit(hanging, 'kill');
      expect(await caller).toMatchObject({ reason: 'killed' });
    });

    it('stop with a reply, still in terminate when the caller times out, was running, not waiting', async () => {
      const hanging = await world.start(script({ terminate: () => never() }));
      const caller = rejectionOf(world.call(hanging, () => stop('normal').reply('bye'), 100));
      await world.clock.advance(100);
      expect(await caller).toMatchObject({ phase: 'running', queueLength: 0 });
    });

    it.each([
      ['timeout', () => reply('hi').timeout(10)],
      ['hibernate', () => reply('hi').hibernate()],
      ['continue', () => reply('hi').continue('next', () => noReply())],
      ['replyError with timeout', () => replyError('hi').timeout(10)],
      ['noReply with continue', ({ from }: Context) => (from.reply('hi'), noReply().continue('next', () => noReply()))],
    ])('may carry %s (R1)', async (_name, step) => {
      expect(await world.call(pid, step).catch((answer: unknown) => answer)).toBe('hi');
      expect(await state()).toBe('old');
    });
  });

  describe('from a cast, an info or a continue', () => {
    const doors = {
      cast: (step: () => unknown) => world.cast(pid, step),
      info: (step: () => unknown) => world.send(pid, step),
      continue: (step: () => unknown) => world.cast(pid, () => noReply().continue('next', step)),
    };

    it.each(Object.keys(doors) as (keyof typeof doors)[])(
      '%s: noReply(state) sets the state, stop(reason, state) ends (R2)',
      async (door) => {
        doors[door](() => noReply('new'));
        expect(await state()).toBe('new');
        doors[door](() => stop('normal', 'last'));
        await settle();
        expect(ended).toEqual([['normal', 'last']]);
      },
    );

    it.each(Object.keys(doors) as (keyof typeof doors)[])(
      '%s: may carry timeout, hibernate and continue (R2)',
      async (door) => {
        for (const result of [
          noReply().timeout(10),
          noReply().hibernate(),
          noReply().continue('next', () => noReply()),
        ]) {
          doors[door](() => result);
        }
        expect(await state()).toBe('old');
      },
    );

    it.each(
      (Object.keys(doors) as (keyof typeof doors)[]).flatMap((door) =>
        [reply(1, 'new'), replyError(1, 'new'), stop('normal', 'new').reply(1)].map(
          (result) => [door, result] as const,
        ),
      ),
    )('%s: what answers somebody is a bad return, after terminate with the old state (R2)', async (door, result) => {
      doors[door](() => result);
      await settle();
      expect(ended).toEqual([[{ badReturnValue: result }, 'old']]);
      expect(crash()).toMatchObject({ reason: { badReturnValue: result }, cause: expect.any(BadReturnValueError) });
    });
  });

  describe('that is no result', () => {
    class Mute {
      readonly kind = 'reply';
      readonly value = 1;
    }
    const weird: readonly (readonly [string, unknown])[] = [
      ['undefined', undefined],
      ['null', null],
      ['a bare value', 42],
      ['a string', 'reply'],
      ['a state', { count: 1 }],
      ['something that looks like one', new Mute()],
      ['a function', () => reply(1)],
      ['ok, which is for init', ok(1)],
      ['error, which is for init', error(1)],
      ['ignore, which is for init', ignore()],
      ['a negative timeout', reply(1).timeout(-1)],
      ['a timeout that is no number', reply(1).timeout('5' as never)],
      ['a timeout that cannot be printed', reply(1).timeout(Object.create(null) as never)],
      ['a timeout of NaN', reply(1).timeout(NaN)],
      ['two modifiers', (reply(1).timeout(5) as never as ReturnType<typeof noReply>).continue('x')],
      ['the same modifier twice', (reply(1).hibernate() as never as ReturnType<typeof noReply>).hibernate()],
      ['a stop that goes on', (stop('x') as unknown as ReturnType<typeof noReply>).timeout(5)],
      ['a promise as the reply', reply(Promise.resolve(1) as never)],
      ['a thenable as the reply', reply({ then: () => undefined } as never)],
      ['a promise as the reply of a stop', stop('normal').reply(Promise.resolve(1) as never)],
      ['a promise as the state', reply(1, Promise.resolve(1) as never)],
      ['a reply on what answers nobody', (noReply() as unknown as ReturnType<typeof stop>).reply(1)],
    ];

    it.each(weird)(
      'ends the process with { badReturnValue }, after terminate with the old state: %s (R3)',
      async (_name, value) => {
        const caller = rejectionOf(world.call(pid, () => value));
        expect(await caller).toBeInstanceOf(ServerExitedError);
        expect(ended).toEqual([[{ badReturnValue: value }, 'old']]);
        expect(crash()!.cause).toBeInstanceOf(BadReturnValueError);
      },
    );

    it.each(weird)('is no better when it comes late: %s (R3)', async (_name, value) => {
      const caller = rejectionOf(world.call(pid, async () => (await settle(), value)));
      expect(await caller).toBeInstanceOf(ServerExitedError);
      expect(ended).toEqual([[{ badReturnValue: value }, 'old']]);
    });

    it('tells what came, and what would have been right', async () => {
      await rejectionOf(world.call(pid, () => ({ count: 1 })));
      expect(crash()!.cause).toMatchObject({
        code: 'BAD_RETURN_VALUE',
        server: 'behaviour',
        handler: 'handleCall',
        value: { count: 1 },
        message:
          'behaviour.handleCall returned { count: 1 }: ' +
          'handleCall returns reply(value, state?), replyError(error), noReply(state?) or stop(reason).',
      });
    });

    it.each([
      ['a promise as the first state', ok(Promise.resolve(1) as never)],
      ['a reply', reply(1)],
      ['noReply', noReply()],
      ['a stop with a reply', stop('x').reply(1)],
      ['a negative timeout', ok(1).timeout(-1)],
      ['an ignore that goes on', (ignore() as unknown as ReturnType<typeof noReply>).timeout(1)],
    ])('from init fails the start: %s (R3, I5)', async (_name, value) => {
      const refused = rejectionOf(world.start(script({ init: () => value })));
      expect(await refused).toMatchObject({ reason: { badReturnValue: value } });
    });
  });

  describe('after a failure', () => {
    it.each([
      ['throws', () => thrower(boom)],
      ['rejects', () => Promise.reject(boom)],
    ])('terminate sees the state before the message that %s (R4)', async (_name, fail) => {
      world.cast(pid, () => noReply('newer'));
      world.cast(pid, fail);
      await settle();
      expect(ended).toEqual([[boom, 'newer']]);
    });

    it('a thrown result is a crash, not a result (R7)', async () => {
      const result = reply('thrown');
      const caller = rejectionOf(world.call(pid, () => thrower(result)));
      expect(await caller).toMatchObject({ reason: { thrown: result }, cause: result });
    });
  });

  it('is never changed: one result serves any number of servers', async () => {
    const shared = reply('hi');
    expect(shared.timeout(5)).not.toBe(shared);
    expect(noReply()).toBe(noReply());
    expect(Object.isFrozen(noReply())).toBe(true);
    expect(await Promise.all([1, 2].map(() => world.call(pid, () => shared)))).toEqual(['hi', 'hi']);
  });

  it('may be made by a second installed copy of the package', async () => {
    vi.resetModules();
    const copy: typeof results = await import('../../lib/gen-server/results/callback-result.js');
    expect(copy.noReply()).not.toBe(noReply());
    expect(await world.call(pid, () => copy.reply('from the copy'))).toBe('from the copy');
    expect(await state()).toBe('old');
    expect(await world.call(pid, () => copy.stop('normal').reply('bye'))).toBe('bye');
  });
});

describe('a callback that is missing', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld();
  });

  it('crashes a behaviour without handleCall, and its caller is told (R8)', async () => {
    const pid = await world.start({ label: 'Mute', init: () => ok(null) });
    const caller = (await rejectionOf(world.call(pid, 'hello'))) as ServerExitedError;
    expect(caller.reason).toBeInstanceOf(UndefinedCallbackError);
    expect(caller.cause).toBe(caller.reason);
    expect(world.runtime.processCount).toBe(0);
  });

  it('crashes a behaviour without handleCast, and the sender feels nothing (R8)', async () => {
    const pid = await world.start({ init: () => ok(null) });
    world.cast(pid, 'hello');
    await settle();
    expect(world.runtime.processCount).toBe(0);
  });

  it('lets a server without handleInfo live: the message is reported and dropped, the state stays (R8)', async () => {
    const { handleInfo: _none, ...deaf } = script();
    const pid = await world.start(deaf, { args: ['state'] });
    world.send(pid, 'hello');
    expect(await world.call(pid, ({ state }: Context) => reply(state as string))).toBe('state');
    expect(world.seen).toContainEqual({
      type: 'gen_server.unexpected_message',
      pid,
      label: 'behaviour',
      message: 'hello',
    });
  });

  it('crashes a behaviour whose handleInfo matches nothing and says so by throwing (R9)', async () => {
    const pid = await world.start(
      script({
        handleInfo: (message) => {
          if (message !== 'known') throw new TypeError('no match');
          return noReply();
        },
      }),
    );
    world.send(pid, 'unknown');
    await settle();
    expect(processOf(pid)).toBeUndefined();
  });

  it('lets a decorated server live when no @HandleInfo matches, and gives the rest to the catch-all (R9)', async () => {
    class Picky extends GenServerBase<(string | number)[]> {
      override init() {
        return ok<(string | number)[]>([]);
      }
      onKnown() {
        return noReply([...this.state, 'known']);
      }
      onRest(message: string) {
        return noReply([...this.state, message]);
      }
      get() {
        return reply(this.state);
      }
    }
    const picky = await world.startSource(blueprintOfClass(Picky, { calls: ['get'], infos: [['known', 'onKnown']] }));
    for (const message of ['known', 'unknown', { type: 'known' }, { type: 'unknown' }, 42, null])
      world.send(picky, message);
    expect(await world.call(picky, 'get')).toEqual(['known', 'known']);

    const infos = [
      ['known', 'onKnown'],
      [undefined, 'onRest'],
    ] as const;
    const open = await world.startSource(blueprintOfClass(Picky, { calls: ['get'], infos }));
    for (const message of ['known', 'unknown', 42]) world.send(open, message);
    expect(await world.call(open, 'get')).toEqual(['known', 'unknown', 42]);
  });

  it('ends a process that has started and then continues where nobody handles it (R10)', async () => {
    const { handleContinue: _none, ...rest } = script();
    const pid = await world.start({ ...rest, init: () => ok(null).continue('setup') });
    expect(pid).toBeInstanceOf(Pid);
    await settle();
    expect(processOf(pid)).toBeUndefined();
    expect(world.seen).toContainEqual(
      expect.objectContaining({ type: 'gen_server.crashed', reason: expect.any(UndefinedCallbackError) }),
    );
  });

  it('ends a decorated server whose continue has no handler, with nothing handled while it terminates (R10)', async () => {
    const log: string[] = [];
    const gate = deferred();
    class Server extends GenServerBase<null> {
      override init() {
        return ok(null).continue('missing') as never;
      }
      note() {
        log.push('handled');
        return noReply();
      }
      override async terminate() {
        await gate.promise;
        log.push('terminated');
      }
    }
    const pid = await world.startSource(blueprintOfClass(Server, { casts: ['note'] }));
    world.cast(pid, 'note');
    await settle();
    gate.resolve();
    await settle();
    expect(log).toEqual(['terminated']);
    expect(processOf(pid)).toBeUndefined();
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
