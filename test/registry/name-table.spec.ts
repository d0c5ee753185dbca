import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, reply } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { NameTable } from '../../lib/registry/name-table.js';
import { AlreadyStartedError, InvalidArgumentError } from '../../lib/runtime/errors.js';
import { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { whereisName } from '../../lib/runtime/registration.js';
import type { ServerName } from '../../lib/runtime/server-name.js';
import { settle } from '../support/manual-clock.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

class Server {}

describe('NameTable', () => {
  const [a, b] = [new Pid(1, 0), new Pid(2, 0)];
  let table: NameTable;

  beforeEach(() => {
    table = new NameTable();
  });

  it('gives a name to one holder, and tells the others who that is (N2)', () => {
    expect(table.register('name', a)).toBeUndefined();
    expect(table.register('name', b)).toBe(a);
    expect(table.register('name', a)).toBe(a);
    expect(table.whereis('name')).toBe(a);
  });

  it('frees a name for its holder only (N3)', () => {
    table.register('name', a);
    table.unregister('name', b);
    expect(table.whereis('name')).toBe(a);
    table.unregister('name', a);
    table.unregister('name', a);
    expect(table.whereis('name')).toBeUndefined();
    expect(table.register('name', b)).toBeUndefined();
  });

  it('tells strings apart by value, everything else by identity (N1)', () => {
    const names = ['x', Symbol('x'), Symbol('x'), Symbol.for('x'), Server, class Server {}, {}, {}];
    names.forEach((name, i) => expect(table.register(name, new Pid(i, 0))).toBeUndefined());
    names.forEach((name, i) => expect(table.whereis(name)?.id).toBe(i));
    expect([...table.names()]).toEqual(names);
  });

  it('knows the names that are held now, and keeps nothing of the others', () => {
    for (let i = 0; i < 1_000; i++) {
      table.register(i, a);
      table.unregister(i, a);
    }
    table.register('kept', a);
    expect([...table.names()]).toEqual(['kept']);
    expect((table as unknown as { entries: Map<unknown, unknown> }).entries.size).toBe(1);
  });

  describe('pin', () => {
    it('shows every holder come and go, whether the name was held before or not (N5)', () => {
      table.register('held', a);
      const [held, free] = [table.pin('held'), table.pin('free')];
      expect([held.holder, free.holder]).toEqual([a, undefined]);
      table.unregister('held', a);
      table.register('free', b);
      expect([held.holder, free.holder]).toEqual([undefined, b]);
      table.register('held', b);
      expect([held.holder, table.pin('held')]).toEqual([b, held]);
    });

    it('is no holding: the name is free, and not listed', () => {
      table.pin('name');
      expect([...table.names()]).toEqual([]);
      expect(table.register('name', a)).toBeUndefined();
    });
  });
});

describe('the name of a process', () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld();
  });

  const forms: [string, ServerName][] = [
    ['a string', 'server'],
    ['a symbol', Symbol('server')],
    ['a class', Server],
    ['{ global }', { global: 'server' }],
  ];

  it.each(forms)('may be %s, which leads to it while it lives (N1, N4)', async (_form, name) => {
    expect(whereisName(world.runtime, name)).toBeUndefined();
    const pid = await world.start(script(), { name });
    expect(whereisName(world.runtime, name)).toBe(pid);
    expect(await world.call(name, ({ self }: Context) => reply(String(self.pid)))).toBe(String(pid));
    await world.stop(name);
    expect(whereisName(world.runtime, name)).toBeUndefined();
    expect(await rejectionOf(world.call(name, () => reply(1)))).toBeInstanceOf(NoProcessError);
  });

  it.each(forms)('is taken by one process at a time: %s (N2)', async (_form, name) => {
    const holder = await world.start(script(), { name });
    let hasRun = false;
    const refused = rejectionOf(world.start(script({ init: () => (hasRun = true) }), { name }));
    expect(await refused).toBeInstanceOf(AlreadyStartedError);
    expect(await refused).toMatchObject({ code: 'ALREADY_STARTED', holder: holder.toString() });
    expect([hasRun, world.runtime.processCount]).toEqual([false, 1]);
  });

  it.each([[''], [null], [42], [{}], [[]], [true]])('is refused when it is none: %o (N1)', async (name) => {
    expect(await rejectionOf(world.start(script(), { name: name as never }))).toBeInstanceOf(InvalidArgumentError);
    expect(world.runtime.processCount).toBe(0);
  });

  it('is optional: a process may have none (N1)', async () => {
    await world.start(script(), { name: undefined });
    expect([...world.localNames.names()]).toEqual([]);
  });

  it.each<[string, (pid: Pid) => unknown]>([
    ['a stop', (pid) => world.stop(pid)],
    ['a kill', (pid) => world.exit(pid, 'kill')],
    ['a crash', (pid) => world.cast(pid, () => Promise.reject(new Error('boom')))],
  ])('is free after %s, to be taken at once (N3)', async (_name, end) => {
    const pid = await world.start(script(), { name: 'server' });
    await end(pid);
    await settle();
    expect(await world.start(script(), { name: 'server' })).not.toBe(pid);
  });

  it('is looked up for each call: after a restart it leads to the new incarnation, in between to nobody (N5)', async () => {
    await world.start(script(), { name: 'server', args: ['first'] });
    const ask = () => world.call('server', ({ state }: Context) => reply(state as string));
    expect(await ask()).toBe('first');
    await world.stop('server');
    expect(await rejectionOf(ask())).toBeInstanceOf(NoProcessError);
    await world.start(script(), { name: 'server', args: ['second'] });
    expect(await ask()).toBe('second');
  });

  it('leads to a process that may be gone a moment later: no guarantee (N4)', async () => {
    const pid = await world.start(script(), { name: 'server' });
    world.cast(pid, ({ self }: Context) => self.exit('normal'));
    expect(whereisName(world.runtime, 'server')).toBe(pid);
    await settle();
    expect(processOf(pid)).toBeUndefined();
    world.send(pid, 'silent');
  });

  it('of one kind is not that of another: local, global and two runtimes are worlds of their own (N1)', async () => {
    const other = testWorld();
    await world.start(script(), { name: 'server' });
    await world.start(script(), { name: { global: 'server' } });
    await other.start(script(), { name: 'server' });
    expect([world.runtime.processCount, other.runtime.processCount]).toEqual([2, 1]);
    world.cast('server', () => noReply());
  });
});
