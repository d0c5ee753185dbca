import { describe, expect, it } from 'vitest';
import { noReply, reply } from '../../lib/gen-server/results/callback-result.js';
import { call } from '../../lib/gen-server/client/client.js';
import { completeLimits, LimitExceededError } from '../../lib/runtime/limits.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { pendingCallsOf } from '../../lib/runtime/relations/relations.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { script } from '../support/script.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

describe('the length of a name', () => {
  const limits = { nameLength: 5 };
  const via = () => ({
    registerName: () => true,
    unregisterName: () => undefined,
    whereisName: () => undefined,
    send: () => undefined,
  });

  it.each<[string, (name: string) => never]>([
    ['a local name', (name) => name as never],
    ['a { global } name', (name) => ({ global: name }) as never],
    ['a key of a registry', (name) => ({ via: via(), key: name }) as never],
  ])('is limited: %s', async (_what, nameOf) => {
    const world = testWorld({ limits });
    await world.start(script(), { name: nameOf('12345') });
    const before = world.runtime.processCount;
    const refused = await rejectionOf(world.start(script(), { name: nameOf('123456') }));
    expect(refused).toBeInstanceOf(LimitExceededError);
    expect(refused).toMatchObject({ code: 'LIMIT_EXCEEDED', limit: 'nameLength', max: 5 });
    expect(world.runtime.processCount).toBe(before);
  });

  it('is limited where a process registers itself', async () => {
    const world = testWorld({ limits });
    const registry = world.registries.create('names', { keys: 'unique' });
    const probe = await startProbe(world);
    registry.register(probe.self, '12345');
    expect(thrownBy(() => registry.register(probe.self, '123456'))).toMatchObject({
      limit: 'nameLength',
      server: 'Probe',
    });
    expect(registry.lookup('123456')).toEqual([]);
  });

  it('is 1 000 characters unless said otherwise, and no matter for what is no text', async () => {
    const world = testWorld();
    await world.start(script(), { name: 'a'.repeat(1_000) });
    await world.start(script(), { name: Symbol('a'.repeat(1_001)) });
    expect(await rejectionOf(world.start(script(), { name: 'a'.repeat(1_001) }))).toMatchObject({ max: 1_000 });
  });
});

describe('the monitors of a process', () => {
  it('are limited, and one that has ended or reported makes room', async () => {
    const world = testWorld({ limits: { monitors: 2 } });
    const { self, messages } = await startProbe(world);
    const targets = await Promise.all([script(), script(), script()].map((behaviour) => world.start(behaviour)));
    const first = self.monitor(targets[0]!);
    self.monitor(targets[1]!);
    expect(thrownBy(() => self.monitor(targets[2]!))).toMatchObject({
      code: 'LIMIT_EXCEEDED',
      limit: 'monitors',
      message:
        'Probe may not keep more than 2 monitors. Demonitor processes that you no longer need to watch, or raise limits.monitors.',
    });
    self.demonitor(first);
    self.monitor(targets[2]!);
    await world.stop(targets[1]!);
    await settle();
    expect(messages).toHaveLength(1);
    self.monitor(targets[0]!);
  });
});

describe('the calls that a process waits for', () => {
  const hang = script({ handleCall: () => noReply() });
  const answer = script({ handleCall: () => reply('answer') });
  const caller = async (world: TestWorld, calls: () => Promise<unknown>[]) => {
    const outcomes: unknown[] = [];
    const pid = await world.start(script());
    world.cast(pid, () => {
      for (const made of calls())
        void made.then((value) => outcomes.push(value)).catch((error: unknown) => outcomes.push(error));
      return noReply();
    });
    await settle();
    return { pid, outcomes };
  };

  it.each([[false], [true]])(
    'are limited; the one too many rejects at once and is not sent (tracking: %s)',
    async (tracking) => {
      const world = testWorld({ limits: { pendingCalls: 2 }, tracking });
      const asked: unknown[] = [];
      const server = await world.start(script({ handleCall: (request) => (asked.push(request), noReply()) }));
      const { outcomes } = await caller(world, () => [1, 2, 3].map((n) => world.call(server, n)));
      expect(outcomes).toEqual([expect.objectContaining({ code: 'LIMIT_EXCEEDED', limit: 'pendingCalls', max: 2 })]);
      expect(asked).toEqual([1, 2]);
    },
  );

  it.each<[string, (world: TestWorld, server: Pid) => unknown]>([
    ['answered', () => undefined],
    ['timed out', (world) => world.clock.advance(5_000)],
    ['rejected with the server', (world, server) => world.exit(server, 'kill')],
  ])('are counted until they are settled: %s', async (how, settleThem) => {
    const world = testWorld({ limits: { pendingCalls: 2 } });
    const server = await world.start(how === 'answered' ? answer : hang);
    const { pid, outcomes } = await caller(world, () => [1, 2].map((n) => world.call(server, n)));
    await settleThem(world, server);
    await settle();
    expect(outcomes).toHaveLength(2);
    const other = await world.start(answer);
    const again = await rejectionOrValue(world.call(pid, async () => reply(await world.call(other, 3))));
    expect(again).toBe('answer');
    expect(pendingCallsOf(processOf(pid)!)).toBe(0);
  });

  it('count no more when it has ended, whatever becomes of them', async () => {
    const world = testWorld();
    const server = await world.start(hang);
    const { pid } = await caller(world, () => [world.call(server, 1)]);
    const process = processOf(pid)!;
    expect(pendingCallsOf(process)).toBe(1);
    world.exit(pid, 'kill');
    await settle();
    world.exit(server, 'kill');
    await settle();
    expect(pendingCallsOf(process)).toBe(0);
  });

  it('are known after an await with tracking', async () => {
    const world = testWorld({ limits: { pendingCalls: 1 }, tracking: true });
    const server = await world.start(hang);
    const refused = world.call(await world.start(script()), async () => {
      await settle();
      void world.call(server, 1).catch(() => undefined);
      return reply(await rejectionOf(world.call(server, 2)));
    });
    expect(await refused).toMatchObject({ limit: 'pendingCalls' });
  });

  it('have no limit outside of processes', async () => {
    const world = testWorld({ limits: { pendingCalls: 1 } });
    const server = await world.start(answer);
    expect(await Promise.all([1, 2, 3].map((n) => call(world.runtime, server, n)))).toEqual(Array(3).fill('answer'));
  });

  it('of one process are not those of another', async () => {
    const world = testWorld({ limits: { pendingCalls: 1 } });
    const server = await world.start(hang);
    const first = await caller(world, () => [world.call(server, 1)]);
    const second = await caller(world, () => [world.call(server, 2)]);
    expect([...first.outcomes, ...second.outcomes]).toEqual([]);
  });
});

describe('limits that make no sense', () => {
  it.each([[{ monitors: 0 }], [{ monitors: 1.5 }], [{ pendingCalls: NaN }], [{ nameLength: '5' }], [{ names: 5 }]])(
    '%j is refused',
    (limits) => {
      expect(thrownBy(() => completeLimits(limits as never))).toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );

  it('Infinity makes sense, and what is left out has its default', () => {
    expect(completeLimits({ monitors: Infinity })).toEqual({
      nameLength: 1_000,
      monitors: Infinity,
      pendingCalls: 100_000,
    });
  });
});

async function rejectionOrValue(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => error);
}
