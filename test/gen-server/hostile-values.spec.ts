import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import { isCleanExit } from '../../lib/runtime/exits/exit-reason.js';
import { processOf } from '../../lib/runtime/process.js';
import { settle } from '../support/manual-clock.js';
import { type Context, script } from '../support/script.js';
import { blueprintOfClass } from '../support/server-blueprint.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

/** A promise that was extended by somebody: its own `then` must not be trusted. */
class Meddling<T> extends Promise<T> {
  override then(): never {
    throw boom;
  }
}

const withOwnThen = (value: unknown, then: unknown) => Object.assign(Promise.resolve(value), { then });
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('whatever a callback does', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld();
  });

  // vitest fails on unhandled rejections; here, the loop that all processes share must go on as well.
  afterEach(async () => {
    const bystander = await world.start(script());
    expect(await world.call(bystander, () => reply('alive'))).toBe('alive');
  });

  describe('what it throws, or rejects with, is the reason, and never passes for a clean exit (E1)', () => {
    const weird: readonly (readonly [string, unknown])[] = [
      ['undefined', undefined],
      ['null', null],
      ["'normal'", 'normal'],
      ["'shutdown'", 'shutdown'],
      ['{ shutdown: 1 }', { shutdown: 1 }],
      ['0', 0],
      ['a symbol', Symbol('s')],
      ['a function', () => undefined],
      ['a result', noReply()],
      ['an object without a prototype', Object.create(null)],
      ['a thenable', { then: (resolve: (value: unknown) => void) => resolve('fooled') }],
      ['an error with a field shutdown', Object.assign(new Error('x'), { shutdown: 1 })],
    ];

    it.each(weird)('%s', async (_name, thrown) => {
      for (const fail of [() => thrower(thrown), () => new Promise((_resolve, reject) => reject(thrown))]) {
        const reasons: unknown[] = [];
        const pid = await world.start(script({ terminate: (reason) => reasons.push(reason) }));
        const caller = (await rejectionOf(world.call(pid, fail))) as { reason: unknown; cause: unknown };
        const expected = thrown instanceof Error ? thrown : { thrown };
        expect(caller.reason).toEqual(expected);
        expect(caller.cause).toBe(thrown);
        expect(isCleanExit(caller.reason)).toBe(false);
        expect(reasons).toEqual([expected]);
      }
    });

    it('an error that cannot be printed', async () => {
      const unprintable = Object.defineProperty(new Error('x'), 'message', { get: () => thrower(boom) });
      const pid = await world.start(script());
      expect(await rejectionOf(world.call(pid, () => thrower(unprintable)))).toMatchObject({ code: 'SERVER_EXITED' });
    });

    it('a proxy that cannot be looked at', async () => {
      for (const fail of [() => thrower(revoked()), () => new Promise((_resolve, reject) => reject(revoked()))]) {
        const pid = await world.start(script());
        expect(await rejectionOf(world.call(pid, fail))).toMatchObject({ code: 'SERVER_EXITED' });
        expect(processOf(pid)).toBeUndefined();
      }
    });
  });

  describe('what it returns is awaited as `await` would', () => {
    it.each<[string, () => unknown]>([
      ['a promise of a promise', () => Promise.resolve(Promise.resolve(reply('answer')))],
      [
        'a foreign thenable',
        () => ({ then: (resolve: (value: unknown) => void) => void settle().then(() => resolve(reply('answer'))) }),
      ],
      [
        'a thenable that calls back at once',
        () => ({ then: (resolve: (value: unknown) => void) => resolve(reply('answer')) }),
      ],
      [
        'a thenable that calls back twice, and throws',
        () => ({
          then: (resolve: (value: unknown) => void, reject: (reason: unknown) => void) => {
            resolve(reply('answer'));
            resolve(reply('second'));
            reject(boom);
            throw boom;
          },
        }),
      ],
      [
        'a function that is a thenable',
        () => Object.assign(() => undefined, { then: (resolve: (v: unknown) => void) => resolve(reply('answer')) }),
      ],
      [
        'a thenable of a thenable',
        () => ({
          then: (outer: (v: unknown) => void) =>
            outer({ then: (inner: (v: unknown) => void) => inner(reply('answer')) }),
        }),
      ],
    ])('%s', async (_name, step) => {
      const pid = await world.start(script());
      expect(await world.call(pid, step)).toBe('answer');
    });

    it.each<[string, () => unknown]>([
      ['a thenable whose then throws', () => ({ then: () => thrower(boom) })],
      ['a thenable whose getter throws', () => Object.defineProperty({}, 'then', { get: () => thrower(boom) })],
      [
        'a thenable that rejects',
        () => ({ then: (_resolve: unknown, reject: (reason: unknown) => void) => reject(boom) }),
      ],
      ['a promise with a then of its own that throws', () => withOwnThen(reply(1), () => thrower(boom))],
      ['a promise of a class whose then throws', () => new Meddling((resolve) => resolve(reply(1)))],
      ['a result that rejects late', async () => (await settle(), thrower(boom))],
    ])('and fails the process when that fails: %s', async (name, step) => {
      const pid = await world.start(script());
      const outcome = await world.call(pid, step).catch((error: unknown) => error);
      // A native promise is read by the platform's own `then`, as `await` does, so that one is not even asked.
      if (name.includes('of its own')) expect(outcome).toBe(1);
      else expect(outcome).toMatchObject({ code: 'SERVER_EXITED', reason: boom });
    });

    it.each<[string, () => unknown]>([
      ['at once', () => revoked()],
      [
        'late',
        () =>
          settle().then(
            () =>
              new Proxy({}, { getPrototypeOf: () => thrower(boom), get: () => undefined, has: () => thrower(boom) }),
          ),
      ],
    ])('and ends the process when it cannot even be looked at: %s', async (_name, step) => {
      const terminated: unknown[] = [];
      const pid = await world.start(script({ terminate: () => terminated.push('terminate') }));
      expect(await rejectionOf(world.call(pid, step))).toMatchObject({ code: 'SERVER_EXITED' });
      expect(terminated).toEqual(['terminate']);
    });

    it('also from init and terminate', async () => {
      const thenable = (value: unknown) => ({ then: (resolve: (given: unknown) => void) => resolve(value) });
      const ends: string[] = [];
      const pid = await world.start(
        script({ init: () => thenable(ok('state')), terminate: () => (ends.push('terminate'), thenable(undefined)) }),
      );
      expect(await world.call(pid, ({ state }: Context) => reply(state as string))).toBe('state');
      await world.stop(pid);
      expect(ends).toEqual(['terminate']);
      const bad = Object.defineProperty({}, 'then', { get: () => thrower(boom) });
      expect(await rejectionOf(world.start(script({ init: () => bad })))).toMatchObject({ reason: boom });
      expect(await rejectionOf(world.stop(await world.start(script({ terminate: () => bad }))))).toMatchObject({
        reason: boom,
      });
    });
  });

  describe('what it is sent', () => {
    class Tagged {}

    it.each<[string, () => unknown]>([
      ['a proxy that was revoked', revoked],
      ['a tag that cannot be read', () => Object.defineProperty({}, 'type', { get: () => thrower(boom) })],
      ['a class that cannot be read', () => Object.setPrototypeOf({}, revoked()) as unknown],
    ])('has no tag when it cannot be looked at, and ends nobody: %s', async (_what, make) => {
      const rest: unknown[] = [];
      class Server extends GenServerBase<null> {
        override init() {
          return ok(null);
        }
        onTagged() {
          return noReply();
        }
        onRest(message: unknown) {
          rest.push(message);
          return noReply();
        }
      }
      const tagged = [
        [Tagged, 'onTagged'],
        ['tag', 'onTagged'],
      ] as const;
      const message = make();
      const choosy = await world.startSource(blueprintOfClass(Server, { infos: tagged }));
      const greedy = await world.startSource(blueprintOfClass(Server, { infos: [...tagged, [undefined, 'onRest']] }));
      world.send(choosy, message);
      world.send(greedy, message);
      await settle();
      expect([choosy, greedy].map((pid) => processOf(pid) === undefined)).toEqual([false, false]);
      expect(rest.length).toBe(1);
      expect(rest[0] === message).toBe(true);
      const reported = world.seen.filter(({ type }) => type === 'gen_server.unexpected_message');
      expect(reported).toHaveLength(1);
      expect(reported[0]).toMatchObject({ pid: choosy });
    });
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
