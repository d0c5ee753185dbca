import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { startTask } from '../../lib/gen-server/tasks/task.js';
import { isCleanExit, isError, reasonOfThrown } from '../../lib/runtime/exits/exit-reason.js';
import type { Pid } from '../../lib/runtime/pid.js';
import { Process, processOf } from '../../lib/runtime/process.js';
import { settle } from '../support/manual-clock.js';
import { type Script, script } from '../support/script.js';
import { testWorld, type TestWorld } from '../support/world.js';

/** A value that throws another of its kind, whatever is done with it. */
function hostile(): object {
  const refuse = (): never => {
    throw hostile();
  };
  return new Proxy({}, { getPrototypeOf: refuse, has: refuse, get: refuse, ownKeys: refuse });
}

/** A process whose own code fails: where no subclass of the library does, one may one day. */
class FailingProcess extends Process {
  readonly label = 'FailingProcess';

  constructor(
    world: TestWorld,
    private readonly fail: (place: string) => void,
  ) {
    super(world.runtime, world.runtime.nextProcessId(), 0, null);
    this.status = 'running';
    this.hasContinuation = false;
    world.runtime.add(this);
  }

  protected receive(): void {
    this.fail('receive');
  }

  protected runContinuation(): void {}

  protected discard(): void {}

  protected onEnd(): void {}

  protected override onCrash(thrown: unknown): void {
    this.fail('onCrash');
    super.onCrash(thrown);
  }
}

let world: TestWorld;
let bystander: Pid;

beforeEach(async () => {
  world = testWorld();
  bystander = await world.start(script());
});

const isAlive = (pid: Pid): boolean => processOf(pid) !== undefined;

/** Starts a server, and gives its pid also when the start fails. */
async function spawned(server: Script, options = {}): Promise<Pid> {
  let pid: Pid | undefined;
  const { init } = server;
  server.init = (args, self) => ((pid = self.pid), init!(args, self));
  await world.start(server, options).catch(() => undefined);
  return pid!;
}

describe('what a process throws in the loop ends that process, and no other waits for it', () => {
  afterEach(async () => {
    expect(await world.call(bystander, () => reply('alive'))).toBe('alive');
  });

  const notText = Object.create(null) as never;
  const throws = (): never => {
    throw hostile();
  };
  const rejects = (): Promise<never> => Promise.reject(hostile());
  const called = async (run: () => unknown): Promise<Pid> => {
    const pid = await world.start(script());
    world.call(pid, run).catch(() => undefined);
    return pid;
  };

  const places: Record<string, () => Promise<Pid>> = {
    'init returns a continue whose name is no text': () => spawned(script({ init: () => ok(0).continue(notText) })),
    'init throws': () => spawned(script({ init: throws })),
    'init rejects': () => spawned(script({ init: rejects })),
    'a handler throws': () => called(throws),
    'a handler rejects': () => called(rejects),
    'a handler returns a continue whose name is no text': () => called(() => reply(0).continue(notText)),
    'a handler resolves to a continue whose name is no text': () =>
      called(() => Promise.resolve(reply(0).continue(notText))),
    'a handler returns what cannot be looked at': () => called(hostile),
    'a handler resolves to what cannot be looked at': () => called(async () => [hostile()]),
    'the clock throws when the server has nothing left to do after an async handler': async () => {
      const pid = await world.start(script(), { idleMs: 100 });
      const handler = async () => {
        await Promise.resolve();
        vi.spyOn(world.clock, 'now').mockImplementationOnce(throws);
        return reply('answered');
      };
      expect(await world.call(pid, handler)).toBe('answered');
      return pid;
    },
    'terminate throws when the server has been idle': () => idle(script({ terminate: throws })),
    'terminate rejects when the server has been idle': () => idle(script({ terminate: rejects })),
    'a task throws': () => Promise.resolve(startTask(world.runtime, throws, { owner: null }).pid),
    'a task rejects': () => Promise.resolve(startTask(world.runtime, rejects, { owner: null }).pid),
  };

  async function idle(server: Script): Promise<Pid> {
    const pid = await world.start(server, { args: [0], idleMs: 100 });
    await world.clock.advance(100);
    return pid;
  }

  it.each(Object.entries(places))('%s', async (_place, fail) => {
    const pid = await fail();
    await settle();
    expect(isAlive(pid)).toBe(false);
  });

  it.each(['a message', 'a step outside of its turn'])(
    'its own code, in %s, and again while it crashes',
    async (what) => {
      const process = new FailingProcess(world, () => throws());
      if (what === 'a message') process.deliver({ kind: 2 }, undefined);
      else process.inLoop(throws);
      await settle();
      expect(process.isAlive).toBe(false);
    },
  );
});

describe('a reason that throws when it is looked at', () => {
  it('is no error, and no clean exit', () => {
    expect(isError(hostile())).toBe(false);
    expect(isCleanExit(hostile())).toBe(false);
    const thrown = hostile();
    expect((reasonOfThrown(thrown) as { thrown: unknown }).thrown === thrown).toBe(true);
  });
});
