import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import type { From } from '../../lib/gen-server/process/from.js';
import { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Context, type Script, script } from '../support/script.js';
import { blueprintOfClass } from '../support/server-blueprint.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

describe('from', () => {
  let world: TestWorld;
  let server: Script;
  let pid: Pid;
  let ended: unknown[];

  beforeEach(async () => {
    world = testWorld();
    ended = [];
    server = script({ terminate: (reason) => ended.push(reason) });
    pid = await world.start(server);
  });

  /** Makes a call whose answer is left for later, and gives the way to answer it. */
  async function callLater(timeoutMs?: number) {
    let from!: From<unknown>;
    const answer = world.call(
      pid,
      (context: Context) => {
        from = context.from;
        return from.later();
      },
      timeoutMs,
    );
    await settle();
    return { from, answer };
  }

  it.each<[what: string, promise: () => unknown]>([
    ['a promise', () => Promise.resolve(1)],
    ['a promise that is rejected', () => Promise.reject(boom)],
    ['a thenable object', () => ({ then: (done: (value: number) => void) => done(1) })],
    ['a thenable function', () => Object.assign(() => undefined, { then: () => undefined })],
  ])('refuses %s as an answer, and the call goes on waiting', async (_what, promise) => {
    const { from, answer } = await callLater();
    expect(() => from.reply(promise())).toThrow(
      expect.objectContaining({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('await it first') as string,
      }),
    );
    from.reply('answer');
    expect(await answer).toBe('answer');
  });

  it('leaves a call that was answered with a promise under its deadline, and under the end of its server', async () => {
    const late = await callLater(1_000);
    const ended = await callLater();
    for (const { from } of [late, ended]) expect(() => from.reply(Promise.resolve(1))).toThrow(/from\.reply/);
    const timeout = rejectionOf(late.answer);
    await world.clock.advance(1_000);
    expect(await timeout).toMatchObject({ code: 'CALL_TIMEOUT', phase: 'answered_later' });
    const exit = rejectionOf(ended.answer);
    world.exit(pid, 'kill');
    expect(await exit).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
  });

  it.each<[string, (it: { world: TestWorld; pid: Pid; from: From<unknown> }) => unknown]>([
    [
      'another handler of the server',
      ({ world: at, pid: to, from }) => at.cast(to, () => (from.reply('answer'), noReply())),
    ],
    ['an info', ({ world: at, pid: to, from }) => at.send(to, () => (from.reply('answer'), noReply()))],
    [
      'a continue',
      ({ world: at, pid: to, from }) =>
        at.cast(to, () => noReply().continue('x', () => (from.reply('answer'), noReply()))),
    ],
    [
      'another process',
      async ({ world: at, from }) => at.cast(await at.start(script()), () => (from.reply('answer'), noReply())),
    ],
    ['no process at all', ({ from }) => from.reply('answer')],
    ['a promise', ({ from }) => void Promise.resolve('answer').then(from.reply, from.replyError)],
  ])('answers from %s, after the handler has returned (C9)', async (_name, use) => {
    const { from, answer } = await callLater();
    await use({ world, pid, from });
    expect(await answer).toBe('answer');
  });

  it('answers in terminate as well (C9)', async () => {
    let from!: From<unknown>;
    const dying = await world.start(script({ terminate: () => from.reply('last words') }));
    const answer = world.call(dying, (context: Context) => {
      from = context.from;
      return stop('normal');
    });
    expect(await answer).toBe('last words');
  });

  it('rejects the caller with the error itself (C9)', async () => {
    const { from, answer } = await callLater();
    from.replyError(boom);
    expect(await rejectionOf(answer)).toBe(boom);
  });

  it('is silent when the caller has timed out, or the server has ended (C9, C3)', async () => {
    const timedOut = await callLater(10);
    const late = rejectionOf(timedOut.answer);
    await world.clock.advance(10);
    expect(timedOut.from.reply('late')).toBeUndefined();
    expect(await late).toMatchObject({ code: 'CALL_TIMEOUT' });

    const orphaned = await callLater();
    const told = rejectionOf(orphaned.answer);
    await world.stop(pid);
    expect([orphaned.from.reply('late'), orphaned.from.replyError(boom)]).toEqual([undefined, undefined]);
    expect(await told).toMatchObject({ code: 'SERVER_EXITED' });
    expect(server.seen).toEqual([]);
  });

  it('counts the first answer only, whatever kind it is (C10)', async () => {
    const first = await callLater();
    first.from.reply(1);
    first.from.reply(2);
    first.from.replyError(boom);
    expect(await first.answer).toBe(1);
    const second = await callLater();
    second.from.replyError(boom);
    second.from.reply(1);
    expect(await rejectionOf(second.answer)).toBe(boom);
  });

  it('never answers another call of the same caller (C10)', async () => {
    const first = await callLater();
    first.from.reply(1);
    const second = await callLater();
    first.from.reply('for the first');
    second.from.reply(2);
    expect([await first.answer, await second.answer]).toEqual([1, 2]);
  });

  it('wins over what the handler returns afterwards (C11)', async () => {
    expect(await world.call(pid, ({ from }: Context) => (from.reply('explicit'), reply('returned')))).toBe('explicit');
    expect(
      await world.call(pid, ({ from }: Context) => (from.reply('explicit'), stop('normal').reply('returned'))),
    ).toBe('explicit');
  });

  it.each([
    ['throws', () => thrower(boom)],
    ['rejects', () => Promise.reject(boom)],
    ['returns no result', () => 42],
  ])('has answered although the handler then %s, and the server ends all the same (C11)', async (_name, fail) => {
    expect(await world.call(pid, ({ from }: Context) => (from.reply('answer'), fail()))).toBe('answer');
    await settle();
    expect(ended).toHaveLength(1);
    expect(processOf(pid)).toBeUndefined();
  });

  it('of a killed server answers nobody, also from a handler that still runs (E6)', async () => {
    const gate = deferred();
    const caller = rejectionOf(
      world.call(pid, async ({ from }: Context) => (await gate.promise, from.reply('grave'), noReply())),
    );
    await settle();
    world.exit(pid, 'kill');
    gate.resolve();
    expect(await caller).toMatchObject({ reason: 'killed' });
  });

  it('is made in a call handler only', async () => {
    class Server extends GenServerBase<null> {
      override init() {
        return ok(null);
      }
      tell() {
        this.from();
        return noReply();
      }
      ask() {
        const from = this.from<string>();
        from.reply('hello');
        return from.later();
      }
    }
    const decorated = await world.startSource(blueprintOfClass(Server, { calls: ['ask'], casts: ['tell'] }));
    expect(await world.call(decorated, 'ask')).toBe('hello');
    world.cast(decorated, 'tell');
    await settle();
    expect(world.seen).toContainEqual(
      expect.objectContaining({
        type: 'gen_server.crashed',
        message: 'tell',
        cause: expect.objectContaining({
          message: 'Server: this.from() is available only in a call handler; no caller waits for an answer here.',
        }) as unknown,
      }),
    );
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
