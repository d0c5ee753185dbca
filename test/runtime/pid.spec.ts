import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { NoProcessError } from '../../lib/gen-server/errors.js';
import { spawn } from '../../lib/gen-server/client/start.js';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { Pid } from '../../lib/runtime/pid.js';
import { rejectionOf } from '../support/thrown.js';
import { script } from '../support/script.js';
import { testWorld } from '../support/world.js';

describe('Pid', () => {
  it('is never reused: the next incarnation has the same id and another incarnation (P7)', async () => {
    const world = testWorld();
    const source = blueprintOfBehaviour({ init: () => ok(null), handleCall: () => reply('hello') });
    const first = spawn(world.runtime, source, { name: 'server' });
    await first.outcome;
    await world.stop('server');
    const second = spawn(world.runtime, source, { name: 'server' }, { predecessor: first.process.pid });
    await second.outcome;

    const [old, now] = [first.process.pid, second.process.pid];
    expect([now.id, now.incarnation]).toEqual([old.id, old.incarnation + 1]);
    expect(now.equals(old)).toBe(false);
    expect(now).not.toBe(old);
  });

  it('leads to its own incarnation only, while a name follows its holder (P7)', async () => {
    const world = testWorld();
    const old = await world.start(script(), { name: 'server' });
    await world.stop('server');
    await world.start(script(), { name: 'server' });
    expect(await rejectionOf(world.call(old, () => reply(1)))).toBeInstanceOf(NoProcessError);
    expect(await world.call('server', () => reply(1))).toBe(1);
  });

  it('prints as Erlang prints it, wherever it is printed', () => {
    const pid = new Pid(42, 3);
    expect([String(pid), inspect(pid), JSON.stringify({ pid })]).toEqual([
      '<0.42.3>',
      '#PID<0.42.3>',
      '{"pid":"<0.42.3>"}',
    ]);
  });

  it('never shows the process behind it', async () => {
    const pid = await testWorld().start(script(), { args: ['secret'] });
    expect(inspect(pid, { showHidden: true, depth: 9 })).not.toContain('secret');
    expect(Object.keys(pid)).toEqual(['id', 'incarnation']);
  });
});
