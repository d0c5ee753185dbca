import { beforeEach, describe, expect, it } from 'vitest';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { AlreadyStartedError } from '../../lib/runtime/errors.js';
import { Exit } from '../../lib/runtime/exits/messages.js';
import type { Pid } from '../../lib/runtime/pid.js';
import type { ViaRegistry } from '../../lib/runtime/ports.js';
import { settle } from '../support/manual-clock.js';
import { startProbe } from '../support/probe.js';
import { type Context, script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

/** A registry of the user's own: what is registered, and a log of everything it was asked. */
class Directory implements ViaRegistry {
  readonly log: string[] = [];
  private readonly pids = new Map<unknown, Pid>();

  constructor(private readonly world: TestWorld) {}

  registerName(key: unknown, pid: Pid): boolean {
    this.log.push(`register ${String(key)}`);
    if (this.pids.has(key)) return false;
    this.pids.set(key, pid);
    return true;
  }

  unregisterName(key: unknown): void {
    this.log.push(`unregister ${String(key)}`);
    this.pids.delete(key);
  }

  whereisName(key: unknown): Pid | undefined {
    return this.pids.get(key);
  }

  send(key: unknown, message: unknown): void {
    const pid = this.pids.get(key);
    if (pid === undefined) throw new Error(`no ${String(key)}`);
    this.world.send(pid, message);
  }
}

describe('{ via: registry, key }', () => {
  let world: TestWorld;
  let via: Directory;

  beforeEach(() => {
    world = testWorld();
    via = new Directory(world);
  });

  it('registers before init, leads to the process, and is given back once at its end (N1, N6)', async () => {
    const name = { via, key: 'user:42' };
    let isKnownInInit = false;
    await world.start(
      script({
        init: (_args, self) => {
          isKnownInInit = via.whereisName('user:42') === self.pid;
          return ok(null);
        },
      }),
      { name },
    );
    expect(isKnownInInit).toBe(true);
    expect(await world.call(name, () => reply('hello'))).toBe('hello');
    await world.stop(name);
    expect(via.log).toEqual(['register user:42', 'unregister user:42']);
    expect(await rejectionOf(world.call(name, () => reply(1)))).toBeInstanceOf(NoProcessError);
  });

  it('sends through the registry, whose refusal the sender sees (N6)', async () => {
    const log: string[] = [];
    await world.start(script(), { name: { via, key: 'k' } });
    world.send({ via, key: 'k' }, () => (log.push('handled'), noReply()));
    await settle();
    expect(log).toEqual(['handled']);
    expect(() => world.send({ via, key: 'other' }, 'hello')).toThrow('no other');
  });

  it('that is taken names the holder, and gives nothing back that it did not get (N2)', async () => {
    const holder = await world.start(script(), { name: { via, key: 'k' } });
    const refused = rejectionOf(world.start(script(), { name: { via, key: 'k' } }));
    expect(await refused).toBeInstanceOf(AlreadyStartedError);
    expect(await refused).toMatchObject({ serverName: "{ via: Directory, key: 'k' }", holder: holder.toString() });
    expect(via.log).toEqual(['register k', 'register k']);
    expect(via.whereisName('k')).toBe(holder);
  });

  it('is given back before anybody is told of the exit (N3, E13)', async () => {
    const pid = await world.start(script(), { name: { via, key: 'k' } });
    const found: unknown[] = [];
    await world.start(
      script({
        init: (_args, self) => {
          self.link(pid);
          return ok(null);
        },
        handleInfo: (message) => (found.push(message instanceof Exit, via.whereisName('k')), noReply()),
      }),
      { trapExit: true },
    );
    world.exit(pid, 'kill');
    await settle();
    expect(found).toEqual([true, undefined]);
  });

  it('may tell the process something while it registers it, which the process handles after init', async () => {
    const log: string[] = [];
    const registerName = (key: unknown, pid: Pid): boolean => {
      world.send(pid, () => (log.push('welcome'), noReply()));
      return Directory.prototype.registerName.call(via, key, pid);
    };
    const welcoming: ViaRegistry = Object.assign(Object.create(via) as Directory, { registerName });
    const pid = await world.start(script(), { name: { via: welcoming, key: 'k' } });
    expect(await world.call(pid, () => reply('running'))).toBe('running');
    expect(log).toEqual(['welcome']);
  });

  describe('whose callbacks throw', () => {
    const down = new Error('the registry is down');
    const failing = (...methods: (keyof ViaRegistry)[]): ViaRegistry => {
      const broken = Object.create(via) as Directory;
      for (const method of methods) Object.assign(broken, { [method]: () => thrower(down) });
      return broken;
    };

    it('in registerName fails the start, and leaves nothing behind', async () => {
      expect(await rejectionOf(world.start(script(), { name: { via: failing('registerName'), key: 'k' } }))).toBe(down);
      expect(world.runtime.processCount).toBe(0);
    });

    it('in whereisName rejects the caller, and a cast is dropped', async () => {
      const name = { via: failing('whereisName'), key: 'k' };
      expect(await rejectionOf(world.call(name, () => reply(1)))).toBe(down);
      expect(() => world.cast(name, 'x')).not.toThrow();
    });

    it('in unregisterName disturbs nobody: the process ends, everybody is told, and the failure is reported', async () => {
      const pid = await world.start(script(), { name: { via: failing('unregisterName'), key: 'k' } });
      const probe = await startProbe(world, { trapExit: true });
      probe.self.link(pid);
      const ref = probe.self.monitor(pid);
      const caller = rejectionOf(world.call(pid, ({ from }: Context) => from.later()));
      await settle();
      world.exit(pid, 'kill');
      expect(await caller).toMatchObject({ code: 'SERVER_EXITED', reason: 'killed' });
      await settle();
      expect(probe.messages).toMatchObject([{ reason: 'killed' }, { ref, reason: 'killed' }]);
      expect(world.runtime.processCount).toBe(1);
      expect(world.seen).toContainEqual({
        type: 'process.name_not_released',
        pid,
        label: 'behaviour',
        name: "{ via: Directory, key: 'k' }",
        error: down,
      });
      expect(await world.call(await world.start(script()), () => reply('goes on'))).toBe('goes on');
    });
  });
});

function thrower(thrown: unknown): never {
  throw thrown;
}
