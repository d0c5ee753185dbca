import { beforeEach, describe, expect, it } from 'vitest';
import type { CrashReport } from '../../lib/gen-server/events.js';
import { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import { noReply, ok } from '../../lib/gen-server/results/callback-result.js';
import { REDACTED } from '../../lib/runtime/secrets/redaction.js';
import { settle } from '../support/manual-clock.js';
import { blueprintOfClass } from '../support/server-blueprint.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

const boom = new Error('boom');
const crash = (): never => {
  throw boom;
};

class Cart extends GenServerBase<null> {
  override init() {
    return ok(null);
  }
  add(_name: string, _card: { password: string }): unknown {
    return crash();
  }
  async addLater(_name: string): Promise<unknown> {
    await Promise.resolve();
    return crash();
  }
  clear(): unknown {
    return 'no result';
  }
  goOn(): unknown {
    return noReply().continue('load', 1, 2);
  }
  load(): unknown {
    return crash();
  }
  onTick(): unknown {
    return crash();
  }
}

let world: TestWorld;
let reports: CrashReport[];

beforeEach(() => {
  world = testWorld({ redact: ['password'] });
  reports = [];
  world.events.on('gen_server.crashed', (event) => reports.push(event));
});

describe('a crash report shows the last message', () => {
  const cart = () =>
    blueprintOfClass(Cart, {
      calls: ['add', 'addLater'],
      casts: ['clear', 'goOn'],
      continues: ['load'],
      infos: [['tick', 'onTick']],
    });

  it.each<[what: string, send: (pid: never) => unknown, last: object]>([
    [
      'of a call, without secrets',
      (pid) => rejectionOf(world.call(pid, 'addLater')),
      { kind: 'call', handler: 'addLater', args: [] },
    ],
    ['of a cast whose result is none', (pid) => world.cast(pid, 'clear'), { kind: 'cast', handler: 'clear', args: [] }],
    [
      'of a continue, with its arguments',
      (pid) => world.cast(pid, 'goOn'),
      { kind: 'continue', handler: 'load', args: [1, 2] },
    ],
    [
      'that is an info, as it was sent',
      (pid) => world.send(pid, { type: 'tick', password: 'hunter2' }),
      { kind: 'info', handler: undefined, args: [{ type: 'tick', password: REDACTED }] },
    ],
  ])('%s', async (_what, send, last) => {
    const pid = await world.startSource(cart());
    send(pid as never);
    await settle();
    expect(reports.map(({ lastMessage }) => lastMessage)).toEqual([last]);
  });

  it.each([
    ['call', (pid: never) => rejectionOf(world.call(pid, { type: 'add', amount: 2 }))],
    ['cast', (pid: never) => world.cast(pid, { type: 'add', amount: 2 })],
    ['info', (pid: never) => world.send(pid, { type: 'add', amount: 2 })],
  ])('of a plain behaviour as the request itself (%s)', async (kind, send) => {
    const pid = await world.start({ init: () => ok(null), handleCall: crash, handleCast: crash, handleInfo: crash });
    send(pid as never);
    await settle();
    expect(reports.map(({ lastMessage }) => lastMessage)).toEqual([
      { kind, handler: undefined, args: [{ type: 'add', amount: 2 }] },
    ]);
  });

  it('and none for an end that no message brought about, or before init is done', async () => {
    const pid = await world.start({ init: () => ok(null), terminate: crash });
    await rejectionOf(world.stop(pid));
    await rejectionOf(world.start({ init: crash }));
    expect(reports.map(({ message, lastMessage }) => [message, lastMessage])).toEqual([
      [undefined, undefined],
      ['init', undefined],
    ]);
  });
});
