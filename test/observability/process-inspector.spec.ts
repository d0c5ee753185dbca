import { describe, expect, it } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { ignore, ok, reply, stop } from '../../lib/gen-server/results/callback-result.js';
import { spawn } from '../../lib/gen-server/client/start.js';
import { inspectTree, prettyPrint } from '../../lib/observability/process-inspector.js';
import { processOf } from '../../lib/runtime/process.js';
import { childSpec } from '../../lib/supervision/child-spec.js';
import {
  DynamicSupervisor,
  dynamicSupervisorChildSpec,
  startDynamicSupervisor,
} from '../../lib/supervision/dynamic-supervisor.js';
import { settle } from '../support/manual-clock.js';
import { rejectionOf } from '../support/thrown.js';
import { crash, hang, treeWorld } from '../support/tree.js';

const never = () => new Promise(() => undefined);

describe('inspectTree', () => {
  it('shows a process and everything below it, in start order', async () => {
    const world = treeWorld();
    const { supervisor, worker } = world;
    await world.supervise([worker('a'), supervisor('mid', [worker('b'), worker('c')])]);
    expect(inspectTree(world.runtime, 'root')).toEqual({
      id: null,
      pid: '<0.1.0>',
      label: 'root',
      name: "'root'",
      type: 'supervisor',
      status: 'running',
      queueLength: 0,
      incarnation: 0,
      children: [
        expect.objectContaining({ id: "'a'", pid: '<0.2.0>', label: 'a', type: 'worker', children: [] }),
        expect.objectContaining({
          id: "'mid'",
          pid: '<0.3.0>',
          type: 'supervisor',
          children: [expect.objectContaining({ id: "'b'" }), expect.objectContaining({ id: "'c'" })],
        }),
      ],
      childrenNotShown: 0,
    });
  });

  it('knows nobody who has ended', async () => {
    const world = treeWorld();
    const root = await world.supervise([]);
    await world.stop(root);
    expect(inspectTree(world.runtime, root)).toBeUndefined();
    expect(inspectTree(world.runtime, 'root')).toBeUndefined();
  });

  it('keeps the start order after a restart, and says how many lives came before', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a'), world.worker('b')]);
    await rejectionOf(world.call('a', crash));
    await settle();
    expect(inspectTree(world.runtime, 'root')!.children).toMatchObject([
      { id: "'a'", pid: '<0.2.1>', incarnation: 1 },
      { id: "'b'", pid: '<0.3.0>', incarnation: 0 },
    ]);
  });

  it('shows children without a process: stopped, restarting, and never started', async () => {
    const world = treeWorld();
    let starts = 0;
    await world.supervise(
      [
        world.worker('stopped'),
        world.worker('restarting', { init: () => (starts++ === 0 ? ok(null) : stop('no')) }),
        world.worker('ignored', { init: () => ignore() }),
      ],
      { maxRestarts: 1_000 },
    );
    await world.terminateChild('stopped');
    await rejectionOf(world.call('restarting', crash));
    await world.whichChildren();
    const [stopped, restarting, ignored] = inspectTree(world.runtime, 'root')!.children;
    expect(stopped).toEqual({
      id: "'stopped'",
      pid: null,
      label: "'stopped'",
      name: null,
      type: 'worker',
      status: 'stopped',
      queueLength: 0,
      incarnation: 0,
      children: [],
      childrenNotShown: 0,
    });
    expect(restarting).toMatchObject({ pid: null, status: 'restarting' });
    expect(ignored).toMatchObject({ pid: null, status: 'stopped' });
    await world.stop('root');
  });

  it('does not wait for a supervisor that is busy with a child in init', async () => {
    const world = treeWorld();
    void rejectionOf(world.supervise([world.worker('a'), world.worker('b', { init: never }), world.worker('c')]));
    await settle();
    const root = [...world.runtime.processes()][0]!;
    expect(inspectTree(world.runtime, root.pid)).toMatchObject({
      status: 'starting',
      children: [
        { id: "'a'", status: 'running' },
        { id: "'b'", status: 'starting', pid: '<0.3.0>' },
        { id: "'c'", status: 'stopped', pid: null, incarnation: null },
      ],
    });
  });

  it('shows a child that takes its time to end as exiting', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a', { terminate: never })]);
    void world.stop('root');
    await settle();
    expect(inspectTree(world.runtime, 'root')).toMatchObject({
      status: 'exiting',
      children: [{ pid: '<0.2.0>', status: 'exiting' }],
    });
  });

  it('shows a supervisor that has not had its first turn without children', () => {
    const world = treeWorld();
    void world.supervise([world.worker('a')]);
    expect(inspectTree(world.runtime, 'root')).toMatchObject({ status: 'starting', children: [] });
  });

  it('counts what waits in the mailboxes', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const hanging = rejectionOf(world.call('a', hang, Infinity));
    for (let i = 0; i < 3; i++) world.cast('a', hang);
    expect(inspectTree(world.runtime, 'root')!.children).toMatchObject([{ queueLength: 4 }]);
    await settle();
    expect(inspectTree(world.runtime, 'root')!.children).toMatchObject([{ queueLength: 3 }]);
    world.exit('a', 'kill');
    await hanging;
  });

  it('shows what a worker started with a link', async () => {
    const world = treeWorld();
    await world.supervise([world.worker('a')]);
    const helper = spawn(
      world.runtime,
      blueprintOfBehaviour({ label: 'helper' }),
      { args: [null] },
      { parent: processOf(world.whereis('a')!)! },
    );
    await helper.outcome;
    // Whom it is merely linked to is somebody else's child.
    const friend = await world.start({ init: () => ok(null) });
    await world.call('a', (self) => (self.link(friend), reply(null)));
    expect(inspectTree(world.runtime, 'a')).toMatchObject({
      children: [{ id: null, label: 'helper', name: null, children: [] }],
    });
  });

  it('shows the children of a dynamic supervisor in the order they were started, by name or label', async () => {
    const world = treeWorld();
    let starts = 0;
    const source = blueprintOfBehaviour({
      label: 'room',
      init: () => ok(null),
      handleInfo: () => stop('odd'),
    });
    const flaky = blueprintOfBehaviour({
      label: 'flaky',
      init: () => (starts++ === 0 ? ok(null) : stop('no')),
      handleInfo: () => stop('odd'),
    });
    await world.supervise([dynamicSupervisorChildSpec({ label: 'rooms', name: 'rooms', maxRestarts: 1_000_000 })]);
    const add = (spec: Parameters<typeof DynamicSupervisor.startChild>[2]) =>
      DynamicSupervisor.startChild(world.runtime, 'rooms', spec);
    await add({ source, options: { name: 'lobby' } });
    const flakyPid = await add({ source: flaky });
    await add({ source });
    world.send('lobby', 'end');
    world.send(flakyPid, 'end');
    await Promise.resolve();
    await Promise.resolve();
    expect(inspectTree(world.runtime, 'root')!.children).toMatchObject([
      {
        id: "'rooms'",
        type: 'supervisor',
        childrenNotShown: 0,
        children: [
          { id: "'lobby'", label: 'room', name: "'lobby'", incarnation: 1, type: 'worker', status: 'running' },
          { id: 'flaky', pid: null, status: 'restarting' },
          { id: 'room', label: 'room', name: null, status: 'running' },
        ],
      },
    ]);
    await world.stop('root');
  });

  it('shows the first 100 children of a dynamic supervisor, and how many there are besides', async () => {
    const world = treeWorld();
    await startDynamicSupervisor(world.runtime, { label: 'rooms', name: 'rooms' });
    const source = blueprintOfBehaviour({ label: 'room', init: () => ok(null) });
    const add = () => DynamicSupervisor.startChild(world.runtime, 'rooms', { source });
    const pids = await Promise.all(Array.from({ length: 10_000 }, add));
    const tree = inspectTree(world.runtime, 'rooms')!;
    expect(tree.children.map(({ pid }) => pid)).toEqual(pids.slice(0, 100).map(String));
    expect(tree.childrenNotShown).toBe(9_900);
    const lines = prettyPrint(tree).split('\n');
    expect(lines).toHaveLength(102);
    expect(lines.slice(-2)).toEqual([`├── room ${String(pids[99])} running`, '└── … and 9900 more']);
    await world.stop('rooms');
  });

  it('shows a dynamic supervisor that has not had its first turn without children', () => {
    const world = treeWorld();
    void startDynamicSupervisor(world.runtime, { label: 'rooms', name: 'rooms' });
    expect(inspectTree(world.runtime, 'rooms')).toMatchObject({
      status: 'starting',
      children: [],
      childrenNotShown: 0,
    });
  });

  it('is small, plain data, whatever names and ids there are', async () => {
    const world = treeWorld();
    class Cart {}
    const cyclic: { self?: object } = {};
    cyclic.self = cyclic;
    const source = blueprintOfBehaviour({ label: 'l'.repeat(10_000), init: () => ok(cyclic) });
    await world.supervise([
      childSpec(source, { name: Symbol('secret\nline') }, { id: Symbol('id') }),
      childSpec(source, { name: Cart }, { id: Cart }),
      childSpec(source, { name: { global: cyclic } }, { id: 'i'.repeat(10_000) }),
    ]);
    const json = JSON.stringify(inspectTree(world.runtime, 'root'));
    expect(json.length).toBeLessThan(4_000);
    expect(JSON.parse(json)).toMatchObject({
      children: [
        { id: 'Symbol(id)', name: 'Symbol(secret line)' },
        { id: 'Cart', name: 'Cart' },
        { id: expect.stringContaining('… (10002 characters)') },
      ],
    });
  });
});

describe('prettyPrint', () => {
  it('draws one line per process: what it is, its pid, how it is doing, and what waits', async () => {
    const world = treeWorld();
    const { supervisor, worker } = world;
    await world.supervise([
      worker('cart'),
      supervisor('users', [worker('login'), worker('session')]),
      childSpec(blueprintOfBehaviour({ label: 'Store' }), { name: 'other', args: [null] }, { id: 'store' }),
    ]);
    await world.terminateChild('session', 'users');
    void rejectionOf(world.call('cart', hang));
    void rejectionOf(world.call('cart', hang));
    expect(prettyPrint(inspectTree(world.runtime, 'root')!)).toBe(
      [
        'root <0.1.0> running',
        '├── cart <0.2.0> running, 2 queued',
        '├── users <0.3.0> running',
        '│   ├── login <0.4.0> running',
        "│   └── 'session' stopped",
        "└── Store 'other' <0.6.0> running",
      ].join('\n'),
    );
  });
});
