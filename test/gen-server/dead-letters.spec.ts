import { beforeEach, describe, expect, it } from 'vitest';
import { Sys } from '../../lib/gen-server/client/sys.js';
import type { DeadLettersLeft } from '../../lib/gen-server/events.js';
import { GenServerBase } from '../../lib/gen-server/gen-server-base.js';
import { noReply, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { type Context, script } from '../support/script.js';
import { blueprintOfClass } from '../support/server-blueprint.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

let world: TestWorld;
let reports: DeadLettersLeft[];

beforeEach(() => {
  world = testWorld();
  reports = [];
  world.events.on('gen_server.dead_letters', (event) => reports.push(event));
});

class Notes extends GenServerBase<number> {
  override init() {
    return ok(0);
  }
  wait(): Promise<never> {
    return never();
  }
  note() {
    return noReply();
  }
  read() {
    return reply(0);
  }
  onPing() {
    return noReply();
  }
}
describe('what a process had accepted and does not handle (C8)', () => {
  /** Makes a process that is busy for ever, with mail of every kind behind it. */
  async function busy(): Promise<{ pid: Pid; call: Promise<unknown> }> {
    const source = blueprintOfClass(Notes, { calls: ['read'], casts: ['wait', 'note'], infos: [['ping', 'onPing']] });
    const pid = await world.startSource(source);
    for (const name of ['wait', 'note', 'note', 'note', 'note']) world.cast(pid, name);
    world.send(pid, 'ping');
    world.send(pid, { type: 'unheard of' });
    return { pid, call: rejectionOf(world.call(pid, 'read')) };
  }

  it('is told once per end, with counts and the names of the handlers', async () => {
    const { pid, call } = await busy();
    await settle();
    world.exit(pid, 'kill');
    await settle();
    expect(await call).toMatchObject({ code: 'SERVER_EXITED' });
    expect(reports).toEqual([
      {
        type: 'gen_server.dead_letters',
        pid,
        label: 'Notes',
        reason: 'killed',
        calls: 1,
        casts: 4,
        infos: 2,
        handlers: new Map<string, number>([
          ['note', 4],
          ['onPing', 1],
          ['(no handler)', 1],
          ['read', 1],
        ]),
      },
    ]);
  });

  it.each<[how: string, end: (pid: Pid) => unknown, result: () => unknown]>([
    ['behind a stop', (pid) => void world.stop(pid), () => noReply()],
    ['behind a result that stops', () => undefined, () => stop('done')],
    ['behind a crash', () => undefined, () => Promise.reject(new Error('boom'))],
    ['behind a shutdown by an exit signal', (pid) => world.exit(pid, 'shutdown'), () => noReply()],
    ['when it is killed', (pid) => world.exit(pid, 'kill'), () => noReply()],
  ])('is told %s', async (_how, end, result) => {
    const gate = deferred();
    const pid = await world.start(script());
    world.cast(pid, async () => (await gate.promise, result()));
    await settle();
    end(pid);
    for (let i = 0; i < 5; i++) world.cast(pid, () => noReply());
    world.send(pid, 'message');
    gate.resolve();
    await settle();
    expect(reports.map(({ casts, infos }) => ({ casts, infos }))).toEqual([{ casts: 5, infos: 1 }]);
  });

  it('counts what arrives while terminate runs, and what was held back while it was suspended', async () => {
    const ending = await world.start(script({ terminate: never }));
    void world.stop(ending).catch(() => undefined);
    await settle();
    world.cast(ending, () => noReply());
    world.exit(ending, 'kill');
    const suspended = await world.start(script());
    await new Sys(world.runtime).suspend(suspended);
    world.cast(suspended, () => noReply());
    await settle();
    world.exit(suspended, 'kill');
    await settle();
    expect(reports.map(({ pid, casts }) => [pid, casts])).toEqual([
      [ending, 1],
      [suspended, 1],
    ]);
  });

  it('is a message of its own to itself as well, when the end comes first', async () => {
    const pid = await world.start(script());
    world.cast(pid, ({ self }: Context) => {
      self.send(pid, 'go on');
      return stop('shutdown');
    });
    await settle();
    expect(reports.map(({ reason, infos }) => [reason, infos])).toEqual([['shutdown', 1]]);
  });

  it('is nothing to tell when only callers waited, who know it, or when the system alone had something to say', async () => {
    const pid = await world.start(script());
    const other = await world.start(script());
    world.cast(pid, ({ self }: Context) => (self.monitor(other), never()));
    await settle();
    const call = rejectionOf(world.call(pid, () => reply(1)));
    world.exit(other, 'kill');
    await settle();
    world.exit(pid, 'kill');
    expect(await call).toMatchObject({ code: 'SERVER_EXITED' });
    expect(reports).toEqual([]);
  });
});
