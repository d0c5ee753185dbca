import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Agent } from '../../lib/gen-server/agent.js';
import { ServerExitedError, StartError } from '../../lib/gen-server/errors.js';
import { processOf } from '../../lib/runtime/process.js';
import { childSpec } from '../../lib/supervision/child-spec.js';
import { deferred, never } from '../support/deferred.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { rejectionOf } from '../support/thrown.js';
import { treeWorld, type TreeWorld } from '../support/tree.js';
import { expectWorldEnds } from '../support/world-end.js';

class Boom extends Error {}

const boom = (): never => {
  throw new Boom('boom');
};

describe('Agent', () => {
  let world: TreeWorld;
  let counter: Agent<number>;

  beforeEach(async () => {
    world = treeWorld();
    counter = await Agent.start(world.runtime, () => 1);
  });

  afterEach(() => expectWorldEnds(world));

  it('gives what a function makes of the state (A1)', async () => {
    expect(await counter.get((n) => n + 1)).toBe(2);
    expect(await counter.get((n) => n)).toBe(1);
  });

  it('answers an update with ok when it is done (A1)', async () => {
    expect(await counter.update((n) => n + 1)).toBe('ok');
    expect(await counter.get((n) => n)).toBe(2);
  });

  it('gives and changes in one go (A1)', async () => {
    expect(await counter.getAndUpdate((n) => [`was ${n}`, n + 1])).toBe('was 1');
    expect(await counter.get((n) => n)).toBe(2);
  });

  it('changes without an answer, in order (A1)', async () => {
    counter.cast((n) => n + 1);
    counter.cast(async (n) => n * 10);
    expect(await counter.get((n) => n)).toBe(20);
  });

  it('runs functions in the agent, one at a time, also when they are async (A1)', async () => {
    const gate = deferred();
    const journal: string[] = [];
    const slow = counter.update(async (n) => {
      journal.push('slow begins');
      await gate.promise;
      journal.push('slow ends');
      return n + 1;
    });
    const next = counter.get((n) => (journal.push('next'), n));
    await settle();
    expect(journal).toEqual(['slow begins']);
    gate.resolve();
    expect([await slow, await next]).toEqual(['ok', 2]);
    expect(journal).toEqual(['slow begins', 'slow ends', 'next']);
  });

  it('keeps undefined as a state, and takes an answer that is an array for one (A1)', async () => {
    const agent = await Agent.start<unknown>(world.runtime, () => 1);
    await agent.update(() => undefined);
    expect(await agent.get((state) => state)).toBeUndefined();
    expect(await agent.getAndUpdate(() => [['a', 'b'], 2])).toEqual(['a', 'b']);
  });

  it.each<[string, (agent: Agent<number>) => Promise<unknown>]>([
    ['get', (agent) => agent.get(boom)],
    ['update', (agent) => agent.update(boom)],
    ['getAndUpdate', (agent) => agent.getAndUpdate(boom)],
    ['an async get', (agent) => agent.get(() => Promise.reject(new Boom('boom')))],
  ])('ends with what a function throws, and so does the call: %s (A1)', async (_name, ask) => {
    const pid = counter.pid!;
    const error = await rejectionOf(ask(counter));
    expect(error).toBeInstanceOf(ServerExitedError);
    expect(error).toMatchObject({ server: 'Agent', reason: expect.any(Boom) as unknown });
    expect([processOf(pid), counter.pid]).toEqual([undefined, undefined]);
  });

  it('ends with what a cast throws (A1)', async () => {
    counter.cast(boom);
    await settle();
    expect(counter.pid).toBeUndefined();
  });

  it.each([[5], [['only one']], [['one', 'two', 'three']], [undefined]])(
    'ends when getAndUpdate gives no pair: %o (A1)',
    async (value) => {
      const error = await rejectionOf(counter.getAndUpdate((() => value) as never));
      expect(error).toMatchObject({ reason: { badReturnValue: value } });
    },
  );

  it('times out as a call does: 5 000 ms by default, and goes on (A1)', async () => {
    const gate = deferred<number>();
    const slow = rejectionOf(counter.update(() => gate.promise));
    const quick = rejectionOf(counter.get((n) => n, { timeoutMs: 10 }));
    await world.clock.advance(10);
    expect(await quick).toMatchObject({ code: 'CALL_TIMEOUT', timeoutMs: 10, phase: 'waiting' });
    await world.clock.advance(4_990);
    const error = await slow;
    expect(error).toMatchObject({ code: 'CALL_TIMEOUT', timeoutMs: 5_000, phase: 'running' });
    expect((error as Error).message).toMatch(/^Agent did not answer update\(\[Function/);
    gate.resolve(7);
    expect(await counter.get((n) => n)).toBe(7);
  });

  it('has a state that may take its time to come (A2)', async () => {
    const gate = deferred<string>();
    const started = Agent.start(world.runtime, () => gate.promise);
    gate.resolve('ready');
    expect(await (await started).get((state) => state)).toBe('ready');
  });

  it.each([
    ['throws', boom],
    ['rejects', () => Promise.reject(new Boom('boom'))],
  ])('does not start when its first function %s (A2)', async (_name, makeState) => {
    const error = await rejectionOf(Agent.start(world.runtime, makeState, { name: 'agent' }));
    expect(error).toBeInstanceOf(StartError);
    expect(error).toMatchObject({ server: 'Agent', reason: expect.any(Boom) as unknown });
    expect(world.names()).toEqual([]);
  });

  it('does not start when that takes longer than it may (A2)', async () => {
    const started = rejectionOf(Agent.start(world.runtime, never, { startTimeoutMs: 50 }));
    await world.clock.advance(50);
    expect(await started).toMatchObject({ code: 'START_FAILED', reason: 'timeout' });
  });

  it('stops after what is queued, with the reason that is given', async () => {
    const last = counter.update((n) => n + 1);
    await counter.stop('shutdown');
    expect(await last).toBe('ok');
    expect(await rejectionOf(counter.get((n) => n))).toMatchObject({ code: 'NO_PROCESS' });
    expect(() => counter.cast((n) => n)).not.toThrow();
  });

  it('ends with the process that it was started by with a link', async () => {
    const { self, pid } = await startProbe(world);
    const agent = await Agent.startLink(self, () => 1);
    world.exit(pid, 'out');
    await settle();
    expect(agent.pid).toBeUndefined();
    expect(await rejectionOf(Agent.startLink(self, () => 1))).toMatchObject({ code: 'NO_PROCESS' });
  });

  it('can be a child of a supervisor, which starts it again with its first state', async () => {
    await world.supervise([
      childSpec(
        Agent.source(() => 1),
        { name: 'counter' },
      ),
    ]);
    const supervised = Agent.of<number>(world.runtime, 'counter');
    await supervised.update((n) => n + 1);
    const first = supervised.pid!;
    await rejectionOf(supervised.get(boom));
    expect(await supervised.get((n) => n)).toBe(1);
    expect(supervised.pid).toMatchObject({ id: first.id, incarnation: 1 });
    await world.stop('root', 'shutdown');
  });

  it('is a destination as clients are', async () => {
    const { self, messages } = await startProbe(world);
    const ref = self.monitor(counter);
    await counter.stop();
    await settle();
    expect(messages).toMatchObject([{ ref, reason: 'normal' }]);
  });

  it('is found by its name, which is free again when it has stopped', async () => {
    const { runtime, localNames } = treeWorld();
    const agent = await Agent.start(runtime, () => new Map<string, string>(), { name: 'agent' });
    expect(localNames.whereis('agent')).toBe(agent.pid);
    const named = Agent.of<ReadonlyMap<string, string>>(runtime, 'agent');
    named.cast((state) => new Map([...state, ['hello', 'world']]));
    expect(await named.get((state) => state.get('hello'))).toBe('world');
    expect(await named.getAndUpdate((state) => [state.get('hello'), new Map<string, string>()])).toBe('world');
    expect(await agent.get((state) => state.size)).toBe(0);
    await named.stop();
    expect([localNames.whereis('agent'), agent.pid, runtime.processCount]).toEqual([undefined, undefined, 0]);
  });
});
