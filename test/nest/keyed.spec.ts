import { type FactoryProvider, Injectable, Module, type Provider } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  type DynamicSupervisorClient,
  GenServer,
  GenServerBase,
  GenServerModule,
  GenServerRuntime,
  getDynamicSupervisorToken,
  getGenServerToken,
  HandleCall,
  HandleCast,
  HandleInfo,
  InjectDynamicSupervisor,
  MaxChildrenError,
  noReply,
  ok,
  type Pid,
  reply,
  replyStream,
  stop,
} from 'nestjs-genserver';
import { processOf } from '../../lib/runtime/process.js';
import { deferred } from '../support/deferred.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';

let starts = 0;
const ended: unknown[] = [];
let holdTerminate: Promise<void> | undefined;
let holdInit: Promise<void> | undefined;

interface RoomState {
  readonly id: string;
  readonly said: readonly string[];
}

@GenServer({ start: 'on_demand', idleMs: 60_000, supervisor: { maxRestarts: 1_000, maxChildren: 200_000 } })
class Room extends GenServerBase<RoomState> {
  override init(id: string) {
    starts++;
    return holdInit === undefined ? this.open(id) : holdInit.then(() => this.open(id));
  }

  private open(id: string) {
    return id === 'bad' ? stop('no such room') : ok({ id, said: [] as readonly string[] });
  }

  @HandleCast()
  say(text: string) {
    return noReply({ ...this.state, said: [...this.state.said, text] });
  }

  @HandleCall()
  said() {
    return reply(this.state.said);
  }

  @HandleCall()
  replay() {
    return replyStream(this.state.said);
  }

  /** Says when the task is done. */
  @HandleCast()
  later(work: Promise<string>) {
    void this.self.task(() => work).then((text) => this.self.send(this.self.pid, text));
    return noReply();
  }

  @HandleInfo()
  protected onText(text: string) {
    return noReply({ ...this.state, said: [...this.state.said, text] });
  }

  @HandleCast()
  async hold(until: Promise<void>) {
    await until;
    return noReply();
  }

  @HandleCall()
  whoami() {
    return reply({ id: this.state.id, pid: this.self.pid });
  }

  @HandleCall()
  crash() {
    if (this.state.id !== '') throw new Error('crashed');
    return reply('never');
  }

  override async terminate(reason: unknown) {
    ended.push(reason);
    await holdTerminate;
  }
}

@Injectable()
class Lobby {
  constructor(@InjectDynamicSupervisor(Room) readonly rooms: DynamicSupervisorClient<Room>) {}
}

@Module({ providers: [Room, Lobby] })
class RoomModule {}

@GenServer({ start: 'on_demand', idleMs: 60_000, supervisor: { maxChildren: 1 } })
class Small extends GenServerBase<number> {
  override init() {
    return ok(0);
  }

  @HandleCast()
  tick() {
    return noReply(this.state + 1);
  }

  @HandleCall()
  ticks() {
    return reply(this.state);
  }
}

@GenServer()
class Always extends GenServerBase<null> {}

/** A provider that needs whatever `token` stands for. */
function wants(token: symbol): FactoryProvider {
  return { provide: 'wants', useFactory: (given: unknown) => given, inject: [token] };
}

type Booted = Awaited<ReturnType<typeof boot>>;

async function boot(...more: Provider[]) {
  const clock = new ManualClock();
  const module = await Test.createTestingModule({
    imports: [GenServerModule.forRoot({ clock, onTreeExit: 'keep' }), RoomModule],
    providers: more,
  }).compile();
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await app.init();
  starts = 0;
  ended.length = 0;
  holdTerminate = holdInit = undefined;
  return { app, clock, rooms: app.get(Lobby).rooms, runtime: app.get(GenServerRuntime) };
}

describe('DynamicSupervisorClient', () => {
  describe('getOrStart', () => {
    it('starts one process for 10 000 concurrent callers', async () => {
      const { rooms } = await boot();
      const clients = await Promise.all(Array.from({ length: 10_000 }, () => rooms.getOrStart('user:42', '42')));
      const pids = new Set(await Promise.all(clients.map(async (room) => (await room.whoami()).pid)));
      expect(pids.size).toBe(1);
      expect(starts).toBe(1);
      expect(rooms.countChildren()).toMatchObject({ active: 1 });
    });

    it('keeps processes of different keys apart', async () => {
      const { rooms } = await boot();
      const [a, b] = await Promise.all([rooms.getOrStart('a', 'A'), rooms.getOrStart('b', 'B')]);
      a.say('hi');
      expect(await b.said()).toEqual([]);
      expect(await a.said()).toEqual(['hi']);
      expect((await b.whoami()).id).toBe('B');
    });

    it('rejects every caller with the reason when init fails, and leaves nothing behind', async () => {
      const { rooms } = await boot();
      const both = await Promise.allSettled([rooms.getOrStart('bad', 'bad'), rooms.getOrStart('bad', 'bad')]);
      for (const result of both) {
        expect(result).toMatchObject({ status: 'rejected', reason: { code: 'START_FAILED', reason: 'no such room' } });
      }
      expect(starts).toBe(1);
      expect(rooms.whichChildren()).toEqual([]);
    });

    it('rejects every caller also when init fails at once, as it can when an instance was made before', async () => {
      const { rooms } = await boot();
      await rooms.getOrStart('good', 'good');
      const outcomes = await Promise.allSettled(['bad', 'bad', 'bad'].map((id) => rooms.getOrStart('x', id)));
      expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    });

    it('waits for an init that somebody else has begun, and rejects when that fails', async () => {
      const { rooms } = await boot();
      const good = deferred();
      holdInit = good.promise;
      void rooms.startChild({ key: 'x', args: ['x'] });
      let isUp = false;
      const client = rooms.getOrStart('x', 'x').then(() => (isUp = true));
      await settle();
      expect(isUp).toBe(false);
      good.resolve();
      expect(await client).toBe(true);

      const bad = deferred();
      holdInit = bad.promise;
      const started = rooms.startChild({ key: 'y', args: ['bad'] });
      const refused = Promise.allSettled([started, rooms.getOrStart('y', 'y')]);
      await settle();
      bad.resolve();
      expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    });
  });

  describe('idleMs', () => {
    it('ends a process with { shutdown: idle } when its mailbox was empty that long, and not before', async () => {
      const { rooms, clock } = await boot();
      const room = await rooms.getOrStart('a', 'A');
      await clock.advance(59_999);
      expect(await room.said()).toEqual([]);
      await clock.advance(59_999);
      expect(ended).toEqual([]);
      await clock.advance(1);
      expect(ended).toEqual([{ shutdown: 'idle' }]);
      expect(rooms.whichChildren()).toEqual([]);
    });

    it('starts it again for the next message of a client that is bound to the key', async () => {
      const { rooms, clock } = await boot();
      const room = await rooms.getOrStart('a', 'A');
      await clock.advance(60_000);
      room.say('back');
      expect(await room.said()).toEqual(['back']);
      expect(starts).toBe(2);
    });

    it('loses nothing that arrives while the old one is ending, and keeps it in order', async () => {
      const { rooms, clock } = await boot();
      const room = await rooms.getOrStart('a', 'A');
      expect(await room.said()).toEqual([]);
      let release!: () => void;
      holdTerminate = new Promise((resolve) => (release = resolve));
      await clock.advance(60_000);
      expect(ended).toEqual([{ shutdown: 'idle' }]);
      for (let i = 0; i < 100; i++) room.say(`${i}`);
      const said = room.said();
      holdTerminate = undefined;
      release();
      expect(await said).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
      expect(starts).toBe(2);
    });

    it('waits for a task of the process, and for a stream that somebody reads', async () => {
      const { rooms, clock } = await boot();
      const room = await rooms.getOrStart('a', 'A');
      const work = deferred<string>();
      room.later(work.promise);
      await clock.advance(600_000);
      work.resolve('done');
      await settle();
      const lines = (await room.replay())[Symbol.asyncIterator]();
      expect(await lines.next()).toEqual({ done: false, value: 'done' });
      await clock.advance(600_000);
      expect(await lines.next()).toEqual({ done: true, value: undefined });
      expect([starts, ended]).toEqual([1, []]);
      await clock.advance(60_000);
      expect(ended).toEqual([{ shutdown: 'idle' }]);
    });

    it('lets a call that waits for the next process time out as any other', async () => {
      const { rooms, clock } = await boot();
      const room = await rooms.getOrStart('a', 'A');
      let release!: () => void;
      holdTerminate = new Promise((resolve) => (release = resolve));
      await clock.advance(60_000);
      const said = expect(room.said()).rejects.toMatchObject({ code: 'CALL_TIMEOUT', phase: 'waiting' });
      await clock.advance(5_000);
      await said;
      holdTerminate = undefined;
      release();
      await settle();
    });
  });

  describe('client', () => {
    it('rejects at once when nobody holds the key', async () => {
      const { rooms } = await boot();
      await expect(rooms.client('nobody').said()).rejects.toMatchObject({ code: 'NO_PROCESS' });
    });

    it('reaches the next holder when the one that it reached before has gone', async () => {
      const { rooms } = await boot();
      const [first, client] = [await rooms.startChild({ key: 'a', args: ['A'] }), rooms.client('a')];
      expect((await client.whoami()).pid).toBe(first);
      await rooms.terminateChild({ key: 'a' });
      await expect(client.said()).rejects.toMatchObject({ code: 'NO_PROCESS' });
      const second = await rooms.startChild({ key: 'a', args: ['A'] });
      expect((await client.whoami()).pid).toBe(second);
    });

    it.each<[how: string, end: (it: Booted, pid: Pid) => unknown]>([
      ['terminateChild', ({ rooms }) => void rooms.terminateChild({ key: 'a' })],
      ['stop', ({ runtime }, pid) => void runtime.stop(pid)],
      ['an exit signal', ({ runtime }, pid) => runtime.exit(pid, 'shutdown')],
    ])('of getOrStart waits for the next holder already when %s is still queued', async (_how, end) => {
      const booted = await boot();
      const room = await booted.rooms.getOrStart('a', 'A');
      const first = (await room.whoami()).pid;
      const gate = deferred();
      room.hold(gate.promise);
      await settle();
      end(booted, first);
      room.say('after the stop');
      const [said, next] = [room.said(), room.whoami()];
      const again = booted.rooms.getOrStart('a', 'A');
      gate.resolve();
      expect(await said).toEqual(['after the stop']);
      expect((await next).pid).not.toBe(first);
      expect((await (await again).whoami()).pid).toBe((await next).pid);
    });

    it.each<[how: string, end: (it: Booted, pid: Pid) => unknown]>([
      ['was ended by terminateChild', ({ rooms }) => rooms.terminateChild({ key: 'a' })],
      ['was stopped', ({ runtime }, pid) => runtime.stop(pid)],
      ['was stopped with the reason of an idle end', ({ runtime }, pid) => runtime.stop(pid, { shutdown: 'idle' })],
    ])('of getOrStart does not bring back a process that %s', async (_how, end) => {
      const booted = await boot();
      const room = await booted.rooms.getOrStart('a', 'A');
      await end(booted, (await room.whoami()).pid);
      room.say('to nobody');
      await expect(room.said()).rejects.toMatchObject({ code: 'NO_PROCESS' });
      expect(starts).toBe(1);
      const other = await booted.rooms.getOrStart('a', 'B');
      expect([(await room.whoami()).id, await other.said()]).toEqual(['B', []]);
    });

    it('of getOrStart does not reach a holder that is in its terminate, nor anybody when the application has stopped', async () => {
      const { app, rooms } = await boot();
      const room = await rooms.getOrStart('a', 'A');
      const first = (await room.whoami()).pid;
      let release!: () => void;
      holdTerminate = new Promise((resolve) => (release = resolve));
      const stopped = rooms.terminateChild(first);
      await settle();
      const answer = room.whoami();
      holdTerminate = undefined;
      release();
      await stopped;
      expect((await answer).pid).not.toBe(first);
      await app.close();
      await expect(room.said()).rejects.toMatchObject({ code: 'NO_PROCESS' });
    });

    it('reaches the holder of the key, as does the destination { server, key }', async () => {
      const { rooms, runtime } = await boot();
      const pid = await rooms.startChild({ key: 'a', args: ['A'] });
      expect((await rooms.client('a').whoami()).pid).toBe(pid);
      expect(await runtime.call({ server: Room, key: 'a' }, 'said')).toEqual([]);
      expect(runtime.whereis({ server: Room, key: 'a' })).toBe(pid);
      expect(runtime.whereis({ server: Room, key: 'b' })).toBeUndefined();
    });
  });

  describe('startChild', () => {
    it('names the holder when the key is taken', async () => {
      const { rooms } = await boot();
      const pid = await rooms.startChild({ key: 'a', args: ['A'] });
      await expect(rooms.startChild({ key: 'a', args: ['A'] })).rejects.toMatchObject({
        code: 'ALREADY_STARTED',
        holder: String(pid),
      });
    });

    it('starts anonymous processes without a key', async () => {
      const { rooms, runtime } = await boot();
      const pid = await rooms.startChild({ args: ['A'] });
      expect(await runtime.call(pid, 'said')).toEqual([]);
      expect(rooms.whichChildren()).toEqual([{ pid, key: undefined, status: 'running' }]);
      await rooms.terminateChild(pid);
      await expect(rooms.terminateChild(pid)).rejects.toMatchObject({ code: 'CHILD_STATE', problem: 'not_found' });
    });
  });

  it('restarts a crashed process under its key, with its own arguments, at once', async () => {
    const { rooms } = await boot();
    const room = rooms.client('a');
    await rooms.startChild({ key: 'a', args: ['A'] });
    const before = await room.whoami();
    await expect(room.crash()).rejects.toMatchObject({ code: 'SERVER_EXITED' });
    const after = await room.whoami();
    expect(after.id).toBe('A');
    expect(after.pid).toMatchObject({ id: before.pid.id, incarnation: before.pid.incarnation + 1 });
  });

  it('starts processes under the next dynamic supervisor when the one it asked before was killed', async () => {
    const { rooms, runtime } = await boot();
    const first = processOf(await rooms.startChild({ key: 'a', args: ['A'] }))!.parent!;
    runtime.exit(first.pid, 'kill');
    expect(await rejectionOf(rooms.client('a').whoami())).toMatchObject({ code: 'SERVER_EXITED' });
    const next = processOf(await rooms.startChild({ key: 'b', args: ['B'] }))!.parent!;
    expect(next.pid).toMatchObject({ id: first.pid.id, incarnation: first.pid.incarnation + 1 });
    expect(rooms.whichChildren()).toMatchObject([{ key: 'b' }]);
  });

  it('never has two holders of one key, whatever crashes', async () => {
    const { rooms, runtime } = await boot();
    const seen = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      const room = await rooms.getOrStart('a', 'A');
      const work = Array.from({ length: 5 }, (_, i) => (i === round % 5 ? room.crash() : room.whoami()));
      for (const result of await Promise.allSettled([...work, rooms.getOrStart('a', 'A')])) {
        if (result.status === 'fulfilled' && 'pid' in (result.value as object)) {
          const { pid } = result.value as { pid: { incarnation: number; id: number } };
          seen.set(`${pid.id}.${pid.incarnation}`, pid.incarnation);
        }
      }
      expect(rooms.whichChildren().filter(({ key }) => key === 'a')).toHaveLength(1);
    }
    expect(runtime.whereis({ server: Room, key: 'a' })).toBeDefined();
  });

  it('stops with the application and leaves nothing', async () => {
    const { app, rooms, clock } = await boot();
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => rooms.getOrStart(i, `${i}`)));
    await app.close();
    expect(ended).toHaveLength(1_000);
    expect(clock.pendingTimers).toBe(0);
    await expect(rooms.getOrStart('late', 'L')).rejects.toMatchObject({ code: 'NO_PROCESS' });
  });

  it('refuses more than maxChildren, and drops casts that would need one more', async () => {
    const { app, clock } = await boot(Small, wants(getDynamicSupervisorToken(Small)));
    const rooms = app.get<DynamicSupervisorClient<Small>>('wants');
    const first = await rooms.getOrStart('a');
    await expect(rooms.getOrStart('b')).rejects.toBeInstanceOf(MaxChildrenError);
    await clock.advance(60_000); // idle
    await rooms.getOrStart('b');
    first.tick();
    await expect(first.ticks()).rejects.toMatchObject({ code: 'MAX_CHILDREN', maxChildren: 1 });
  });

  it('can be overridden in a test by its token', async () => {
    const fake = { getOrStart: () => Promise.resolve('fake') };
    const module = await Test.createTestingModule({ imports: [GenServerModule.forRoot(), RoomModule] })
      .overrideProvider(getDynamicSupervisorToken(Room))
      .useValue(fake)
      .compile();
    expect(module.get(Lobby).rooms).toBe(fake);
  });
});

describe('@GenServer({ start: on_demand })', () => {
  it('refuses an injected client, which would have no process to talk to', async () => {
    await expect(
      Test.createTestingModule({
        imports: [GenServerModule.forRoot(), RoomModule],
        providers: [wants(getGenServerToken(Room))],
      }).compile(),
    ).rejects.toMatchObject({
      code: 'GEN_SERVER_CONFIG',
      mistake: 'started_on_demand',
      message: expect.stringContaining('@InjectDynamicSupervisor(Room)') as string,
    });
  });

  it('refuses the dynamic supervisor of a server that starts with the application', async () => {
    await expect(
      Test.createTestingModule({
        imports: [GenServerModule.forRoot()],
        providers: [Always, wants(getDynamicSupervisorToken(Always))],
      }).compile(),
    ).rejects.toMatchObject({ mistake: 'not_started_on_demand' });
  });

  it.each([
    [{ start: 'sometimes' }, /start of Refused must be 'with_application' or 'on_demand'/],
    [{ start: 'on_demand', idleMs: 0 }, /idleMs of Refused must be a number of milliseconds, more than 0/],
    [
      { start: 'on_demand', idleMs: 10, restart: 'permanent' },
      /idleMs of Refused must be left out with restart: 'permanent'/,
    ],
    [{ idleMs: 10 }, /idleMs of Refused must be left out with restart: 'permanent'/],
    [{ supervisor: {} }, /supervisor of Refused must be left out unless start is 'on_demand'/],
    [{ start: 'on_demand', args: [1] }, /args of Refused must be left out with start: 'on_demand'/],
    [{ start: 'on_demand', supervisor: { maxChildren: -1 } }, /maxChildren must be/],
    [{ start: 'on_demand', supervisor: { maxRestarts: -1 } }, /maxRestarts must be/],
  ] as const)('refuses %o', async (options, message) => {
    class Refused extends GenServerBase<null> {}
    GenServer(options as never)(Refused);
    await expect(
      Test.createTestingModule({ imports: [GenServerModule.forRoot()], providers: [Refused] }).compile(),
    ).rejects.toThrow(message);
  });
});
