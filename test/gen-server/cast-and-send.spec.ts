import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok } from '../../lib/gen-server/results/callback-result.js';
import { DESTINATION, type Destination } from '../../lib/gen-server/client/destination.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import type { Pid } from '../../lib/runtime/pid.js';
import type { ViaRegistry } from '../../lib/runtime/ports.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { script } from '../support/script.js';
import { testWorld, type TestWorld } from '../support/world.js';

const broken: ViaRegistry = {
  registerName: explode,
  unregisterName: explode,
  whereisName: explode,
  send: explode,
};

describe('cast', () => {
  let world: TestWorld;
  let dead: Pid;

  beforeEach(async () => {
    world = testWorld();
    dead = await world.start(script());
    await world.stop(dead);
  });

  const drops = () => world.seen.filter(({ type }) => type === 'gen_server.cast_dropped');

  it.each<[string, () => Destination, string]>([
    ['a pid that has ended', () => dead, '<0.1.0>'],
    ['an unknown name', () => 'nobody', "'nobody'"],
    ['an unknown global name', () => ({ global: 'nobody' }), "{ global: 'nobody' }"],
    ['a registry that is down', () => ({ via: broken, key: 1 }), '{ via: Object, key: 1 }'],
    ['a client of nobody', () => ({ [DESTINATION]: 'nobody' }), "'nobody'"],
  ])('never throws for want of a receiver, and reports what was dropped: %s (C8)', (_name, destination, printed) => {
    world.cast(destination(), 'clear');
    expect(drops()).toEqual([
      { type: 'gen_server.cast_dropped', destination: printed, handler: 'clear', why: 'no process' },
    ]);
  });

  it.each<[string, unknown]>([
    ['an object', { type: 'put' }],
    ['an object that is no string', Object.create(null)],
    ['nothing', undefined],
    ['a symbol', Symbol('x')],
    ['an object that cannot be looked at', new Proxy({}, { get: explode })],
  ])('never throws, whatever the request is: %s (C8)', (_name, request) => {
    expect(() => world.cast('nobody', request)).not.toThrow();
    expect(drops()).toHaveLength(1);
  });

  it.each([[undefined], [null], [''], [42]])('refuses what can be no destination: %o (N1)', (destination) => {
    expect(() => world.cast(destination as never, 'x')).toThrow(InvalidArgumentError);
  });

  it('is not answered, and does not wait (C8)', async () => {
    const log: string[] = [];
    const pid = await world.start(script());
    const returned: unknown = world.cast(pid, () => (log.push('handled'), noReply()));
    expect([returned, log]).toEqual([undefined, []]);
    await settle();
    expect(log).toEqual(['handled']);
  });
});

describe('send', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld();
  });

  it('is silent for a pid that has ended (C8)', async () => {
    const dead = await world.start(script());
    await world.stop(dead);
    expect(() => world.send(dead, 'hello')).not.toThrow();
  });

  it.each<[string, Destination]>([
    ['a string', 'nobody'],
    ['a global name', { global: 'nobody' }],
    ['a client', { [DESTINATION]: 'nobody' }],
  ])('throws NoProcessError for a name that nobody holds: %s (C8)', (_name, destination) => {
    expect(() => world.send(destination, 'hello')).toThrow(NoProcessError);
  });

  it('hands the message itself over, whatever it is', async () => {
    const server = script();
    const pid = await world.start(server);
    const messages = [undefined, null, 0, '', Symbol('s'), { type: 'x' }, Object.create(null), [1], new Map()];
    for (const message of messages) world.send(pid, message);
    await settle();
    expect(server.seen).toHaveLength(messages.length);
    server.seen.forEach((message, i) => expect(message).toBe(messages[i]));
  });

  it('reaches the server behind a client, also when that has handlers named like a name', async () => {
    const probe = await startProbe(world, { name: 'probe' });
    const client = { [DESTINATION]: 'probe', via: () => undefined, global: () => undefined } as Destination;
    world.send(client, 'hello');
    await settle();
    expect(probe.messages).toEqual(['hello']);
  });

  it('through a registry of the user goes through its send, also behind a client (N6)', () => {
    const sent: unknown[] = [];
    const via: ViaRegistry = { ...broken, send: (key, message) => sent.push([key, message]) };
    world.send({ via, key: 'k' }, 1);
    world.send({ [DESTINATION]: { via, key: 'k' } }, 2);
    expect(sent).toEqual([
      ['k', 1],
      ['k', 2],
    ]);
  });

  it('to oneself in init reaches the process after init', async () => {
    const log: unknown[] = [];
    await world.start({
      init: (_args, self) => {
        self.send(self.pid, 'later');
        log.push('init');
        return ok(null);
      },
      handleInfo: (message) => (log.push(message), noReply()),
    });
    await settle();
    expect(log).toEqual(['init', 'later']);
  });
});

function explode(): never {
  throw new Error('down');
}
