import { describe, expect, it } from 'vitest';
import type { Behaviour } from '../../lib/gen-server/behaviour.js';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import type { From } from '../../lib/gen-server/process/from.js';
import { GenServer } from '../../lib/gen-server/gen-server.js';
import { processOf } from '../../lib/runtime/process.js';
import { startProbe } from '../support/probe.js';
import { testWorld } from '../support/world.js';

/** OTP's first example. */
const stack: Behaviour = {
  label: 'Stack',
  init: ([elements]: [string[]]) => ok(elements),
  handleCall: (request, from: From<unknown>, elements: string[]) => {
    if (request === 'pop') return reply(elements[0], elements.slice(1));
    GenServer.reply(from, elements.length);
    return noReply();
  },
  handleCast: (element: string, elements: string[]) => noReply([element, ...elements]),
};

describe('GenServer', () => {
  it('speaks plain OTP: start, call, cast, reply and stop (I1, C1, C8, C9, C15)', async () => {
    const { runtime } = testWorld();
    const pid = await GenServer.start(runtime, stack, { args: [['hello', 'world']] });
    expect(await GenServer.call(runtime, pid, 'pop')).toBe('hello');
    GenServer.cast(runtime, pid, 'elixir');
    expect(await GenServer.call(runtime, pid, 'size', { timeoutMs: 100 })).toBe(2);
    expect(await GenServer.call(runtime, pid, 'pop')).toBe('elixir');
    await GenServer.stop(runtime, pid, 'shutdown', 1_000);
    expect(processOf(pid)).toBeUndefined();
  });

  it('startLink makes the process whose self is given the parent (I1)', async () => {
    const world = testWorld();
    const parent = await startProbe(world);
    const child = await GenServer.startLink(parent.self, stack, { args: [[]], name: 'stack' });
    expect(processOf(child)!.parent).toBe(processOf(parent.pid));
    world.exit(parent.pid, 'kill');
    await GenServer.call(world.runtime, 'stack', 'size').catch(() => undefined);
    expect(world.runtime.processCount).toBe(0);
  });
});
