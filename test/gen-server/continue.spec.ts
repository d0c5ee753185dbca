import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { Timeout } from '../../lib/gen-server/results/messages.js';
import { processOf } from '../../lib/runtime/process.js';
import { systemClock } from '../../lib/runtime/system-ports.js';
import { deferred } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');

describe('a result with .continue(tag, ...args)', () => {
  let world: TestWorld;
  let log: unknown[];

  beforeEach(() => {
    world = testWorld();
    log = [];
  });

  const note = (entry: unknown) => () => (log.push(entry), noReply());

  it.each([
    ['sync', () => noReply()],
    ['async', async () => (await settle(), noReply())],
  ])('runs before any queued message: %s (T5)', async (_name, rest) => {
    const pid = await world.start(script());
    world.cast(pid, () => noReply().continue('next', () => (log.push('continue'), rest())));
    world.cast(pid, note('queued'));
    world.send(pid, note('queued too'));
    await settle();
    await settle();
    expect(log).toEqual(['continue', 'queued', 'queued too']);
  });

  it('hands the tag and the arguments on (T5)', async () => {
    const pid = await world.start(
      script({ handleContinue: (tag, args, state) => (log.push([tag, args, state]), noReply()) }),
      { args: ['state'] },
    );
    world.cast(pid, () => noReply().continue('setup', 1, 2));
    await settle();
    expect(log).toEqual([['setup', [1, 2], 'state']]);
  });

  it('may chain, and still comes before what is queued (T5)', async () => {
    const pid = await world.start(script());
    const chain = (left: number) => (): unknown => {
      log.push(left);
      return left === 0 ? noReply() : noReply().continue('next', chain(left - 1));
    };
    world.cast(pid, chain(3));
    world.cast(pid, note('queued'));
    await settle();
    expect(log).toEqual([3, 2, 1, 0, 'queued']);
  });

  it('runs after the reply of the call has gone out (T5)', async () => {
    const pid = await world.start(script());
    const gate = deferred();
    const answer = await world.call(pid, () =>
      reply('answer').continue('next', async () => (await gate.promise, noReply())),
    );
    expect(answer).toBe('answer');
    gate.resolve();
  });

  it.each([
    ['sync', () => ok(null)],
    ['async', () => settle().then(() => ok(null))],
  ])('from init runs after the start has returned, and before what had queued: %s init (T5)', async (_name, init) => {
    const started = world
      .start(
        script({
          init: async () => {
            await init();
            return ok(null).continue('setup', note('continue'));
          },
        }),
        { name: 'server' },
      )
      .then(() => log.push('started'));
    world.cast('server', note('queued'));
    await started;
    await settle();
    expect(log).toEqual(['started', 'continue', 'queued']);
  });

  it('from a sync init runs after the start has returned as well (T5)', async () => {
    const started = world
      .start(script({ init: () => ok(null).continue('setup', note('continue')) }))
      .then(() => log.push('started'));
    await started;
    await settle();
    expect(log).toEqual(['started', 'continue']);
  });

  it('comes before a stop that was sent meanwhile (T5, E9)', async () => {
    const pid = await world.start(
      script({ init: () => ok(null).continue('setup', note('continue')), terminate: () => log.push('terminate') }),
    );
    await world.stop(pid);
    expect(log).toEqual(['continue', 'terminate']);
  });

  it('is not run for a process that was killed before (T5, E6)', async () => {
    const pid = await world.start(script({ init: () => ok(null).continue('setup', note('continue')) }));
    world.exit(pid, 'kill');
    await settle();
    expect(log).toEqual([]);
  });

  it('may end in a timeout (T6)', async () => {
    const server = script();
    const pid = await world.start(server);
    world.cast(pid, () => noReply().continue('next', () => noReply().timeout(10)));
    await world.clock.advance(10);
    expect(server.seen).toEqual([new Timeout()]);
  });

  it.each([
    ['stops', () => stop('done', 'last'), 'done', 'last'],
    ['throws', () => thrower(boom), boom, 'first'],
    ['rejects', () => Promise.reject(boom), boom, 'first'],
    ['exits', ({ self }: Context) => self.exit('out'), 'out', 'first'],
  ])('ends the process like any callback when it %s (T6)', async (_name, step, reason, state) => {
    const pid = await world.start(script({ terminate: (...ended) => log.push(ended) }), { args: ['first'] });
    world.cast(pid, () => noReply().continue('next', step));
    await settle();
    expect(log).toEqual([[reason, state]]);
    expect(processOf(pid)).toBeUndefined();
  });

  it('sets the state that it returns (T6)', async () => {
    const pid = await world.start(script());
    world.cast(pid, () => noReply(1).continue('next', ({ state }: Context) => noReply((state as number) + 1)));
    expect(await world.call(pid, ({ state }: Context) => reply(state as number))).toBe(2);
  });

  const chainOf = (count: number, step: (next: unknown) => unknown): (() => unknown) => {
    let left = count;
    const next = (): unknown => (left-- > 0 ? step(noReply().continue('next', next)) : (log.push('chain'), noReply()));
    return next;
  };

  it.each([
    ['sync', (next: unknown) => next],
    ['async', (next: unknown) => Promise.resolve(next)],
  ])('may go on 100 000 times without overflowing the stack or overtaking itself: %s (T5)', async (_name, step) => {
    const real = testWorld({ clock: systemClock });
    const pid = await real.start(script());
    real.cast(pid, chainOf(100_000, step));
    await real.call(pid, () => (log.push('call'), reply(1)), Infinity);
    expect(log).toEqual(['chain', 'call']);
  });

  it.each([
    ['sync', (next: unknown) => next],
    ['async', (next: unknown) => Promise.resolve(next)],
  ])('starves neither timers nor other processes (real clock): %s', async (_name, step) => {
    const real = testWorld({ clock: systemClock });
    const pid = await real.start(script());
    const probe = await startProbe(real);
    let isRinging = false;
    // It goes on until both have had their turn; the count is for the case that they never do.
    let rounds = 0;
    const isDone = (): boolean => (isRinging && probe.messages.length > 0) || ++rounds > 10_000_000;
    const forEver = (): unknown => step(isDone() ? noReply() : noReply().continue('next', forEver));
    const timer = deferred();
    setTimeout(() => {
      isRinging = true;
      timer.resolve();
    }, 1);
    real.cast(pid, forEver);
    real.send(probe.pid, 'hello');
    await timer.promise;
    await real.call(pid, () => reply('done'));
    expect(probe.messages).toEqual(['hello']);
    expect(rounds).toBeLessThan(10_000_000);
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
