import { beforeEach, describe, expect, it } from 'vitest';
import { configChange, sys } from '../../lib/core.js';
import { error, noReply, ok, reply, replyError, stop } from '../../lib/gen-server/results/callback-result.js';
import {
  CallingSelfError,
  CallTimeoutError,
  CodeChangeError,
  NoProcessError,
  ServerExitedError,
  UndefinedCallbackError,
} from '../../lib/gen-server/errors.js';
import { Timeout } from '../../lib/gen-server/results/messages.js';
import { Sys } from '../../lib/gen-server/client/sys.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import { Down } from '../../lib/runtime/exits/messages.js';
import { childSpec } from '../../lib/supervision/child-spec.js';
import { startSupervisor } from '../../lib/supervision/supervisor.js';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { type Context, script, type Script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

type Numbers = Context<number>;

const add = ({ state }: Numbers) => reply(state + 1, state + 1);
const put = ({ state }: Numbers) => noReply(state + 10);
const read = ({ state }: Numbers) => reply(state);

let world: TestWorld;
let server: Script;
let pid: Pid;
let debug: Sys;

beforeEach(async () => {
  world = testWorld();
  debug = new Sys(world.runtime);
  server = script();
  pid = await world.start(server, { args: [0], name: 'numbers' });
});

describe('sys.getState and sys.replaceState', () => {
  it('keep their place in the queue [Y1]', async () => {
    world.cast(pid, put);
    const before = debug.getState(pid);
    world.cast(pid, put);
    const replaced = debug.replaceState<number>(pid, (state) => state + 100);
    world.cast(pid, put);
    expect(await Promise.all([before, replaced, debug.getState('numbers')])).toEqual([10, 120, 130]);
  });

  it('wait for the handler that is running [Y1]', async () => {
    const gate = deferred();
    world.cast(pid, async () => (await gate.promise, noReply(7)));
    const state = debug.getState(pid);
    gate.resolve();
    expect(await state).toBe(7);
  });

  it('a replacement that throws, or is a promise, leaves state and process intact, and the caller gets the error [Y1]', async () => {
    const boom = new Error('boom');
    const failing = () => {
      throw boom;
    };
    expect(await rejectionOf(debug.replaceState(pid, failing))).toBe(boom);
    expect(await rejectionOf(debug.replaceState(pid, () => Promise.resolve(1) as unknown))).toBeInstanceOf(
      InvalidArgumentError,
    );
    expect(await world.call(pid, read)).toBe(0);
  });

  it('give copies of a server with isolation [Y1]', async () => {
    const state = { n: 1 };
    const isolated = await world.start(server, { args: [state], isolation: 'clone' });
    const copy = await debug.getState<{ n: number }>(isolated);
    copy.n = 9;
    expect(await debug.getState(isolated)).toEqual({ n: 1 });
  });
});

describe('every question of sys', () => {
  const questions: ReadonlyArray<readonly [string, (target: Pid | string) => Promise<unknown>]> = [
    ['getState', (target) => debug.getState(target)],
    ['replaceState', (target) => debug.replaceState(target, (state) => state)],
    ['suspend', (target) => debug.suspend(target)],
    ['resume', (target) => debug.resume(target)],
    ['statistics', (target) => debug.statistics(target, 'get')],
    ['trace', (target) => debug.trace(target, 'on')],
    ['noDebug', (target) => debug.noDebug(target)],
    ['getStatus', (target) => debug.getStatus(target)],
    ['changeCode', (target) => debug.changeCode(target)],
  ];

  it.each(questions)('%s rejects with NoProcessError for a dead target [Y1]', async (_name, ask) => {
    await world.stop(pid);
    expect(await rejectionOf(ask(pid))).toBeInstanceOf(NoProcessError);
    expect(await rejectionOf(ask('numbers'))).toBeInstanceOf(NoProcessError);
  });

  it.each(questions)('%s rejects with CallingSelfError when a server asks itself', async (name, ask) => {
    let asked: Promise<unknown> | undefined;
    world.cast(pid, () => {
      asked = rejectionOf(ask(pid));
      return noReply();
    });
    await settle();
    expect(await asked).toBeInstanceOf(CallingSelfError);
    expect(await asked).toMatchObject({ message: expect.stringContaining(`sys.${name}`) as unknown });
  });

  it.each(questions)('%s rejects with ServerExitedError when the server ends first', async (name, ask) => {
    world.cast(pid, never);
    const answer = rejectionOf(ask(pid));
    await settle();
    world.exit(pid, 'kill');
    expect(await answer).toBeInstanceOf(ServerExitedError);
    expect(await answer).toMatchObject({ reason: 'killed', request: { handler: `sys.${name}` } });
  });

  it('waits 5 000 ms unless told otherwise, and is served all the same', async () => {
    const gate = deferred();
    world.cast(pid, async () => (await gate.promise, noReply()));
    const slow = rejectionOf(debug.replaceState(pid, () => 5));
    const short = rejectionOf(debug.getState(pid, { timeoutMs: 10 }));
    const patient = debug.getState(pid, { timeoutMs: Infinity });
    await world.clock.advance(10);
    expect(await short).toBeInstanceOf(CallTimeoutError);
    await world.clock.advance(4_990);
    expect(await slow).toMatchObject({ timeoutMs: 5_000, phase: 'waiting' });
    gate.resolve();
    expect(await patient).toBe(5);
  });

  it('refuses a timeout, flag or limit that makes no sense', async () => {
    const nonsense = [
      debug.getState(pid, { timeoutMs: -1 }),
      debug.statistics(pid, 'maybe' as 'on'),
      debug.trace(pid, 'maybe' as 'on'),
      debug.trace(pid, 'on', { limit: 0 }),
    ];
    for (const answer of nonsense) expect(await rejectionOf(answer)).toBeInstanceOf(InvalidArgumentError);
  });

  it('restarts a pending timeout in full, also over a suspension [T4]', async () => {
    world.cast(pid, () => noReply().timeout(100));
    await world.clock.advance(90);
    await debug.getState(pid);
    await world.clock.advance(90);
    await debug.suspend(pid);
    await world.clock.advance(1_000);
    await debug.resume(pid);
    await world.clock.advance(90);
    expect(server.seen).toEqual([]);
    await world.clock.advance(10);
    expect(server.seen).toEqual([expect.any(Timeout)]);
  });
});

describe('sys.suspend and sys.resume', () => {
  it('handle nothing in between, and the backlog in order afterwards [Y2]', async () => {
    const said: number[] = [];
    await debug.suspend(pid);
    const calls = [1, 2, 3].map((n) => world.call(pid, () => (said.push(n), reply(n))));
    world.send(pid, 'info');
    world.cast(pid, () => (said.push(4), noReply()));
    await settle();
    expect(said).toEqual([]);
    expect(await debug.getStatus(pid)).toMatchObject({ status: 'suspended', queueLength: 5 });
    const late = world.call(pid, () => (said.push(5), reply(5)));
    await Promise.all([debug.resume(pid), debug.resume(pid)]);
    expect(await Promise.all([...calls, late])).toEqual([1, 2, 3, 5]);
    expect(said).toEqual([1, 2, 3, 4, 5]);
    expect(server.seen).toEqual(['info']);
    expect(await debug.getStatus(pid)).toMatchObject({ status: 'running', queueLength: 0 });
  });

  it('a queued call may time out, and is handled all the same [Y2]', async () => {
    await debug.suspend(pid);
    const call = rejectionOf(world.call(pid, add, 50));
    await world.clock.advance(50);
    expect(await call).toMatchObject({ phase: 'waiting', queueLength: 1 });
    await debug.resume(pid);
    expect(await debug.getState(pid)).toBe(1);
  });

  it('system requests are served meanwhile [Y2]', async () => {
    await debug.suspend(pid);
    world.cast(pid, put);
    expect(await debug.replaceState<number>(pid, (state) => state + 1)).toBe(1);
    await debug.resume(pid);
    expect(await world.call(pid, read)).toBe(11);
  });

  it('stop works meanwhile, and what had queued is told [Y2]', async () => {
    await debug.suspend(pid);
    const call = rejectionOf(world.call(pid, add));
    await settle();
    await world.stop(pid, 'shutdown');
    expect(await call).toMatchObject({ code: 'SERVER_EXITED', reason: 'shutdown' });
  });

  it('kill works meanwhile [Y2]', async () => {
    await debug.suspend(pid);
    const call = rejectionOf(world.call(pid, add));
    await settle();
    world.exit(pid, 'kill');
    expect(await call).toMatchObject({ reason: 'killed' });
  });

  it("the supervisor's shutdown works meanwhile, and terminate runs [Y2]", async () => {
    const shutDownLast: string[] = [];
    const child = script({ terminate: (reason) => void shutDownLast.push(String(reason)) });
    const supervisor = await startSupervisor(world.runtime, {
      label: 'family',
      children: [childSpec(blueprintOfBehaviour(child), { name: 'child' }, { id: 'child' })],
    });
    await debug.suspend('child');
    world.cast('child', put);
    await settle();
    await world.stop(supervisor, 'shutdown');
    expect(shutDownLast).toEqual(['shutdown']);
  });

  it('a suspended server is not ended for being idle [Y2]', async () => {
    const idle = await world.start(script(), { args: [0], idleMs: 100 });
    await debug.suspend(idle);
    await world.clock.advance(1_000);
    expect(await debug.getStatus(idle)).toMatchObject({ status: 'suspended' });
    await debug.resume(idle);
    await world.clock.advance(100);
    expect(await rejectionOf(debug.getState(idle))).toBeInstanceOf(NoProcessError);
  });

  it('a limited mailbox keeps its limit, and its order [Y2]', async () => {
    const maxMailbox = { limit: 2, overflow: 'reject' } as const;
    const limited = await world.start(script(), { args: [0], maxMailbox });
    await debug.suspend(limited);
    const calls = [1, 2, 3].map(async (n) => {
      await settle();
      return world.call(limited, () => reply(n));
    });
    const refused = rejectionOf(calls[2]!);
    await settle();
    await settle();
    await debug.resume(limited);
    expect(await Promise.all(calls.slice(0, 2))).toEqual([1, 2]);
    expect(await refused).toMatchObject({ code: 'OVERLOADED' });
  });

  it('a Down that was held back can still be flushed [Y2]', async () => {
    const probe = await startProbe(world);
    const watching = probe.self.monitor(pid);
    await debug.suspend(probe.pid);
    await world.stop(pid);
    await settle();
    probe.self.demonitor(watching, { flush: true });
    await debug.resume(probe.pid);
    await settle();
    expect(probe.messages.filter((message) => message instanceof Down)).toEqual([]);
  });
});

describe('sys.statistics', () => {
  it('count messages in and answers out from on to off, and nothing else [Y3]', async () => {
    world.cast(pid, put);
    await debug.statistics(pid, 'on');
    await world.call(pid, add);
    await rejectionOf(world.call(pid, () => replyError(new Error('no'))));
    world.cast(pid, put);
    world.send(pid, 'info');
    await debug.getState(pid);
    await world.clock.advance(250);
    const { startTime, currentTime, ...counts } = (await debug.statistics(pid, 'get')) as Exclude<
      Awaited<ReturnType<typeof debug.statistics<'get'>>>,
      string
    >;
    expect(counts).toEqual({ messagesIn: 4, messagesOut: 2 });
    expect(currentTime - startTime).toBe(250);
  });

  it('are no_statistics when they are off, and begin anew when they are on again [Y3]', async () => {
    expect(await debug.statistics(pid, 'get')).toBe('no_statistics');
    await debug.statistics(pid, 'on');
    await world.call(pid, add);
    await debug.statistics(pid, 'off');
    expect(await debug.statistics(pid, 'get')).toBe('no_statistics');
    await debug.statistics(pid, 'on');
    expect(await debug.statistics(pid, 'get')).toMatchObject({ messagesIn: 0, messagesOut: 0 });
  });

  it('count an answer that comes later [Y3]', async () => {
    await debug.statistics(pid, 'on');
    const call = world.call(pid, ({ from }: Numbers) => {
      void Promise.resolve().then(() => from.reply('later'));
      return from.later();
    });
    expect(await call).toBe('later');
    expect(await debug.statistics(pid, 'get')).toMatchObject({ messagesIn: 1, messagesOut: 1 });
  });
});

describe('sys.trace', () => {
  const typesOf = (entries: readonly { readonly type: string }[]) => entries.map(({ type }) => type);

  it('keeps what came in, what was answered, and what became of the state, in order [Y4]', async () => {
    const trace = await debug.trace(pid, 'on');
    await world.call(pid, add);
    world.cast(pid, put);
    world.send(pid, 'info');
    await world.call(pid, async ({ state }: Numbers) => (await Promise.resolve(), reply('slow', state)));
    await settle();
    expect(trace.entries()).toMatchObject([
      { type: 'in', kind: 'call', at: 1_000 },
      { type: 'out', value: 1 },
      { type: 'state', state: 1 },
      { type: 'in', kind: 'cast' },
      { type: 'noreply' },
      { type: 'state', state: 11 },
      { type: 'in', kind: 'info', message: 'info' },
      { type: 'noreply' },
      { type: 'in', kind: 'call' },
      { type: 'out', value: 'slow' },
    ]);
    expect(await debug.trace(pid, 'get')).toEqual(trace.entries());
  });

  it('keeps the last ones when there are more than its limit [Y4]', async () => {
    const trace = await debug.trace(pid, 'on', { limit: 3 });
    for (const message of ['a', 'b', 'c']) world.send(pid, message);
    await settle();
    expect(trace.entries()).toMatchObject([{ type: 'noreply' }, { message: 'c' }, { type: 'noreply' }]);
  });

  it('tells the exit, and can be read afterwards [Y4]', async () => {
    const trace = await debug.trace(pid, 'on');
    world.cast(pid, () => stop('shutdown', 5));
    await settle();
    expect(trace.entries()).toMatchObject([
      { type: 'in' },
      { type: 'state', state: 5 },
      { type: 'exit', reason: 'shutdown' },
    ]);
  });

  it('tells a crash and a continue [Y4]', async () => {
    const trace = await debug.trace(pid, 'on');
    const boom = new Error('boom');
    world.cast(pid, () => noReply().continue('go', () => noReply(3)));
    world.cast(pid, () => {
      throw boom;
    });
    await settle();
    expect(typesOf(trace.entries())).toEqual(['in', 'noreply', 'in', 'noreply', 'state', 'in', 'exit']);
    expect(trace.entries()[2]).toMatchObject({ kind: 'continue' });
    expect(trace.entries().at(-1)).toMatchObject({ reason: boom });
  });

  it('shows the state as formatStatus does [Y4]', async () => {
    const secretive = await world.start(script({ formatStatus: () => '(hidden)' }), { args: [1] });
    const trace = await debug.trace(secretive, 'on');
    world.cast(secretive, () => noReply(2));
    await settle();
    expect(trace.entries().at(-1)).toEqual({ type: 'state', state: '(hidden)' });
  });

  it('is cleared by off, and by noDebug together with statistics [Y4]', async () => {
    const first = await debug.trace(pid, 'on');
    world.send(pid, 'info');
    await debug.trace(pid, 'off');
    expect([first.entries(), await debug.trace(pid, 'get')]).toEqual([[], []]);
    const second = await debug.trace(pid, 'on');
    await debug.statistics(pid, 'on');
    world.send(pid, 'info');
    await debug.noDebug(pid);
    expect([second.entries(), await debug.statistics(pid, 'get')]).toEqual([[], 'no_statistics']);
  });

  it('of a server with isolation shows the copies that went out [Y4]', async () => {
    const state = { n: 1 };
    const isolated = await world.start(script(), { args: [state], isolation: 'clone' });
    const trace = await debug.trace(isolated, 'on');
    await debug.replaceState(isolated, () => state);
    // A copied request cannot be a function, so the trace is looked at from outside.
    world.send(isolated, 'info');
    await settle();
    expect(trace.entries()).toMatchObject([{ type: 'in', message: 'info' }, { type: 'noreply' }]);
  });
});

describe('sys.getStatus', () => {
  it('tells who it is, how it is doing and what is turned on [Y5]', async () => {
    expect(await debug.getStatus(pid)).toEqual({
      pid,
      label: 'behaviour',
      name: "'numbers'",
      status: 'running',
      parent: null,
      queueLength: 0,
      version: null,
      debug: { statistics: false, trace: null },
      state: 0,
    });
    await debug.statistics(pid, 'on');
    await debug.trace(pid, 'on', { limit: 7 });
    expect(await debug.getStatus(pid)).toMatchObject({ debug: { statistics: true, trace: 7 } });
  });

  it('tells the parent, and shows the state only as formatStatus gives it [Y5, E14]', async () => {
    const parent = await startProbe(world);
    const child = await parent.self.startLink(script({ label: 'Vault', version: 2, formatStatus: () => '(hidden)' }), {
      args: [{ secret: 'hunter2' }],
    });
    expect(await debug.getStatus(child)).toMatchObject({
      label: 'Vault',
      name: null,
      parent: parent.pid,
      version: 2,
      state: '(hidden)',
    });
  });
});

describe('sys.changeCode', () => {
  const upgrade = async (codeChange: Script['codeChange']) => {
    const upgraded = await world.start(script({ version: 1, ...(codeChange === undefined ? {} : { codeChange }) }), {
      args: [10],
    });
    return upgraded;
  };

  it('gives codeChange the old version, the state and extra, and takes the state it returns [Y6]', async () => {
    const given: unknown[] = [];
    const upgraded = await upgrade((...args) => {
      given.push(args);
      return ok((args[1] as number) * 2);
    });
    await debug.suspend(upgraded);
    const queued = world.call(upgraded, read);
    await debug.changeCode(upgraded, 'extra');
    await debug.changeCode(upgraded, undefined, { oldVersion: 'older' });
    await debug.resume(upgraded);
    expect(given).toEqual([
      [1, 10, 'extra'],
      ['older', 20, undefined],
    ]);
    expect(await queued).toBe(40);
  });

  it('waits for an async codeChange, and nothing is handled meanwhile [Y6]', async () => {
    const gate = deferred();
    const upgraded = await upgrade(async () => (await gate.promise, ok(1)));
    await debug.suspend(upgraded);
    const changed = debug.changeCode(upgraded);
    const resumed = debug.resume(upgraded);
    await settle();
    gate.resolve();
    await Promise.all([changed, resumed]);
    expect(await world.call(upgraded, read)).toBe(1);
  });

  it('is refused while the server is not suspended [Y6]', async () => {
    const upgraded = await upgrade(() => ok(1));
    expect(await rejectionOf(debug.changeCode(upgraded))).toMatchObject({
      name: 'CodeChangeError',
      code: 'CODE_CHANGE_FAILED',
      server: 'behaviour',
      reason: 'not_suspended',
      message: 'behaviour did not change its code: it is not suspended; call sys.suspend first',
    });
    expect(await debug.getState(upgraded)).toBe(10);
  });

  it('is refused by a server that defines no codeChange [Y6]', async () => {
    const upgraded = await upgrade(undefined);
    await debug.suspend(upgraded);
    expect(await rejectionOf(debug.changeCode(upgraded))).toBeInstanceOf(UndefinedCallbackError);
  });

  const boom = new Error('boom');
  it.each<readonly [string, NonNullable<Script['codeChange']>, unknown]>([
    ['returns an error', () => error('too old'), 'too old'],
    [
      'throws',
      () => {
        throw boom;
      },
      boom,
    ],
    ['rejects', () => Promise.reject(boom), boom],
    ['returns no result', () => 7, { badReturnValue: 7 }],
  ])('leaves the old state, suspended, when codeChange %s [Y6]', async (_how, codeChange, reason) => {
    const upgraded = await upgrade(codeChange);
    await debug.suspend(upgraded);
    const refused = await rejectionOf(debug.changeCode(upgraded));
    expect(refused).toBeInstanceOf(CodeChangeError);
    expect(refused).toMatchObject({ reason });
    expect(await debug.getStatus(upgraded)).toMatchObject({ status: 'suspended', state: 10 });
    await debug.resume(upgraded);
    expect(await world.call(upgraded, read)).toBe(10);
  });

  it('rejects when the server is killed in the middle [Y6]', async () => {
    const upgraded = await upgrade(never);
    await debug.suspend(upgraded);
    const changed = rejectionOf(debug.changeCode(upgraded));
    await settle();
    world.exit(upgraded, 'kill');
    expect(await changed).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
  });
});

describe('sys of the core', () => {
  it('is the same with the world as first argument', async () => {
    const { runtime } = world;
    expect(await sys.getState(runtime, pid)).toBe(0);
    expect(await sys.replaceState<number>(runtime, pid, (state) => state + 1)).toBe(1);
    await sys.statistics(runtime, pid, 'on');
    const trace = await sys.trace(runtime, pid, 'on');
    await sys.suspend(runtime, pid);
    expect(await sys.getStatus(runtime, pid)).toMatchObject({ status: 'suspended' });
    expect(await rejectionOf(sys.changeCode(runtime, pid))).toBeInstanceOf(UndefinedCallbackError);
    await sys.resume(runtime, pid);
    await sys.noDebug(runtime, pid);
    expect(trace.entries()).toEqual([]);
  });
});

describe('configChange of the core', () => {
  it('tells behaviours that define handleConfigChange, and answers how many [AP5]', async () => {
    const told: unknown[] = [];
    await world.start({
      handleConfigChange: (change, state) => {
        told.push(change, state);
        return noReply();
      },
    });
    expect(configChange(world.runtime, { added: { a: 1 } })).toBe(1);
    await settle();
    expect(told).toEqual([{ changed: {}, added: { a: 1 }, removed: [] }, undefined]);
  });

  it.each([{}, { changed: {} }, { changed: {}, added: {}, removed: [] }])(
    'tells nobody of a change that changes nothing: %j [AP5]',
    async (change) => {
      const told: unknown[] = [];
      await world.start({ handleConfigChange: (given) => (told.push(given), noReply()) });
      expect(configChange(world.runtime, change)).toBe(0);
      await settle();
      expect(told).toEqual([]);
    },
  );
});

describe('a server that nobody debugs', () => {
  it('has nothing of it, before and after', async () => {
    await debug.suspend(pid);
    await debug.trace(pid, 'on');
    await debug.statistics(pid, 'on');
    await debug.resume(pid);
    await debug.noDebug(pid);
    const [process] = [...world.runtime.processes()];
    expect(process).toMatchObject({ pid, debugging: null });
  });
});
