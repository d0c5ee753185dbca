import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import {
  BadReturnValueError,
  CallingSelfError,
  CallTimeoutError,
  NoProcessError,
  ServerExitedError,
  StartError,
  UndefinedCallbackError,
  UnknownHandlerError,
} from '../../lib/gen-server/errors.js';
import type { CrashReport } from '../../lib/gen-server/events.js';
import { AlreadyStartedError, GenServerError, InvalidArgumentError } from '../../lib/runtime/errors.js';
import { settle } from '../support/manual-clock.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');
const request = { handler: 'addItem', args: ['tea', { count: 2 }] };

describe('every error', () => {
  const errors: [GenServerError, string, Record<string, unknown>, string][] = [
    [
      new ServerExitedError('Cart', request, boom, boom),
      'SERVER_EXITED',
      { server: 'Cart', request, reason: boom, cause: boom },
      "Cart ended while addItem('tea', { count: 2 }) was waiting for an answer: Error: boom",
    ],
    [
      new CallTimeoutError('Cart', request, 5_000, 'waiting', 3),
      'CALL_TIMEOUT',
      { server: 'Cart', request, timeoutMs: 5_000, phase: 'waiting', queueLength: 3 },
      "Cart did not answer addItem('tea', { count: 2 }) within 5000 ms: it is still waiting in a queue of 3 message(s). " +
        'The request is handled all the same; raise timeoutMs if it needs longer.',
    ],
    [
      new CallTimeoutError('Cart', request, 5_000, 'running', 0),
      'CALL_TIMEOUT',
      { phase: 'running' },
      "Cart did not answer addItem('tea', { count: 2 }) within 5000 ms: it is still running. " +
        'The request is handled all the same; raise timeoutMs if it needs longer.',
    ],
    [
      new CallTimeoutError('Cart', request, 5_000, 'answered_later', 0),
      'CALL_TIMEOUT',
      { phase: 'answered_later' },
      "Cart did not answer addItem('tea', { count: 2 }) within 5000 ms: it is handled, but not answered yet. " +
        'The request is handled all the same; raise timeoutMs if it needs longer.',
    ],
    [
      new NoProcessError("'cart'"),
      'NO_PROCESS',
      { destination: "'cart'" },
      "No process: 'cart'. It was never started, or has ended.",
    ],
    [
      new CallingSelfError('Cart', 'call total of'),
      'CALLING_SELF',
      { server: 'Cart' },
      'Cart tried to call total of itself and would wait for ever. ' +
        'Call the method directly as a function, or send yourself a message with self.send.',
    ],
    [
      new UnknownHandlerError('Cart', 'call', 'clear', ['total', Symbol('size')]),
      'UNKNOWN_HANDLER',
      { server: 'Cart', kind: 'call', handler: 'clear' },
      "Cart has no call handler named 'clear'. " +
        "Decorate a method with @HandleCall(), or use one of: 'total', Symbol(size)",
    ],
    [
      new UnknownHandlerError('Cart', 'cast', Symbol('x'), []),
      'UNKNOWN_HANDLER',
      { kind: 'cast' },
      'Cart has no cast handler named Symbol(x). Decorate a method with @HandleCast(), or use one of: (there is none)',
    ],
    [
      new BadReturnValueError('Cart', 'total', 42, 'a call handler returns reply(value, state?).'),
      'BAD_RETURN_VALUE',
      { server: 'Cart', handler: 'total', value: 42 },
      'Cart.total returned 42: a call handler returns reply(value, state?).',
    ],
    [
      new UndefinedCallbackError('Cart', 'handleCall'),
      'UNDEFINED_CALLBACK',
      { server: 'Cart', callback: 'handleCall' },
      'Cart defines no handleCall, but was asked to run it.',
    ],
    [
      new StartError('Cart', 'timeout', boom),
      'START_FAILED',
      { server: 'Cart', reason: 'timeout', cause: boom },
      "Cart did not start: 'timeout'",
    ],
    [
      new AlreadyStartedError("'cart'", '<0.9.0>'),
      'ALREADY_STARTED',
      { serverName: "'cart'", holder: '<0.9.0>' },
      "'cart' is already started: <0.9.0> holds the name. Stop it first, or start this one under another name.",
    ],
    [new InvalidArgumentError('no'), 'INVALID_ARGUMENT', {}, 'no'],
  ];

  it.each(errors)('has a class, a code, its fields and a text: %s', (error, code, fields, message) => {
    expect(error).toBeInstanceOf(GenServerError);
    expect(error.name).toBe(error.constructor.name);
    expect(error.code).toBe(code);
    expect(error.message).toBe(message);
    expect(error).toMatchObject(fields);
  });

  it('can be made of anything: what cannot be printed is said to be so', () => {
    const unprintable = new Proxy({}, { get: () => thrower(boom), getPrototypeOf: () => thrower(boom) });
    const errors = [
      new ServerExitedError('Cart', { handler: 'x', args: [unprintable] }, { thrown: 1 }, undefined),
      new BadReturnValueError('Cart', 'x', { [Symbol.for('nodejs.util.inspect.custom')]: () => thrower(boom) }, 'no.'),
    ];
    expect(errors.every(({ message }) => message.length > 10)).toBe(true);
  });
});

describe('gen_server.crashed', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld();
  });

  const crashes = () => world.seen.filter((event): event is CrashReport => event.type === 'gen_server.crashed');

  it.each([['normal'], ['shutdown'], [{ shutdown: 'deploy' }]])(
    'is not emitted for the clean reason %o (E14)',
    async (reason) => {
      const pid = await world.start(script());
      await world.stop(pid, reason);
      world.cast(await world.start(script()), () => stop(reason));
      world.cast(await world.start(script()), ({ self }: Context) => self.exit(reason));
      await settle();
      expect(crashes()).toEqual([]);
      expect(world.seen.filter(({ type }) => type === 'process.exited')).toHaveLength(3);
    },
  );

  it('tells all of an abnormal exit, once (E14)', async () => {
    const pid = await world.start(script({ label: 'Cart' }), { args: ['state'] });
    world.cast(pid, () => thrower(boom));
    world.cast(pid, () => noReply());
    await settle();
    expect(crashes()).toEqual([
      {
        type: 'gen_server.crashed',
        pid,
        label: 'Cart',
        reason: boom,
        cause: boom,
        message: 'handleCast',
        lastMessage: { kind: 'cast', handler: undefined, args: [expect.any(Function)] },
        state: 'state',
        queueLength: 1,
      },
    ]);
  });

  it.each<[string, (context: Context) => unknown, unknown]>([
    ['a stop', () => stop('broken'), 'broken'],
    ['an exit', ({ self }) => self.exit('broken'), 'broken'],
    ['a bad return value', () => 42, { badReturnValue: 42 }],
  ])('is emitted for %s as for a throw (E14)', async (_name, step, reason) => {
    world.cast(await world.start(script()), step);
    await settle();
    expect(crashes()).toMatchObject([{ reason }]);
  });

  it('shows the state as formatStatus gives it, and nothing when that fails (E14)', async () => {
    const formats = [(state: { secret: string }) => ({ secret: state.secret.length }), () => thrower(boom)];
    for (const formatStatus of formats) {
      const pid = await world.start(script({ formatStatus }), { args: [{ secret: 'hunter2' }] });
      world.cast(pid, () => thrower(boom));
    }
    await settle();
    expect(crashes().map(({ state }) => state)).toEqual([{ secret: 7 }, '(formatStatus threw)']);
  });

  it('does not let a listener that throws disturb the exit', async () => {
    world.events.on('gen_server.crashed', () => thrower(new Error('listener')));
    const pid = await world.start(script());
    expect(await rejectionOf(world.call(pid, () => thrower(boom)))).toMatchObject({ reason: boom });
    expect(await world.call(await world.start(script()), () => reply('goes on'))).toBe('goes on');
  });
});

describe('process.spawned and process.exited', () => {
  it('frame the life of each process', async () => {
    const world = testWorld();
    const pid = await world.start(script({ label: 'Cart', init: () => ok(null) }));
    await world.stop(pid, 'shutdown');
    expect(world.seen).toEqual([
      { type: 'process.spawned', pid, label: 'Cart' },
      { type: 'process.exited', pid, label: 'Cart', reason: 'shutdown', isClean: true },
    ]);
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
