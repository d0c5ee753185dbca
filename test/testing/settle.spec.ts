import { describe, expect, it, onTestFinished } from 'vitest';
import { noReply } from '../../lib/gen-server/results/callback-result.js';
import { settle, UnsettledError } from '../../lib/testing/index.js';
import { script } from '../support/script.js';
import { rejectionOf } from '../support/thrown.js';
import { testWorld } from '../support/world.js';

describe('settle', () => {
  it('waits for promises, however many hang on each other', async () => {
    let isDone = false;
    void (async () => {
      for (let at = 0; at < 10_000; at++) await Promise.resolve();
      isDone = true;
    })();
    await settle();
    expect(isDone).toBe(true);
  });

  it('waits for immediates, however many arm the next', async () => {
    let left = 100;
    const next = (): void => {
      if (--left > 0) setImmediate(next);
    };
    next();
    await settle();
    expect(left).toBe(0);
  });

  it('waits for process.nextTick and for messages between ports', async () => {
    const done: string[] = [];
    process.nextTick(() => setImmediate(() => process.nextTick(() => done.push('tick'))));
    const { port1, port2 } = new MessageChannel();
    onTestFinished(() => port1.close());
    port2.onmessage = () => done.push('message');
    port1.postMessage(null);
    await settle();
    expect(done.sort()).toEqual(['message', 'tick']);
  });

  it('waits for all that processes have to do for each other', async () => {
    const world = testWorld();
    let count = 0;
    const pid = await world.start(
      script({
        handleInfo: (left, _state, self) => {
          count++;
          if ((left as number) > 0) self.send(self.pid, (left as number) - 1);
          return noReply();
        },
      }),
    );
    world.send(pid, 9_999);
    await settle();
    expect(count).toBe(10_000);
  });

  it('does not wait for time', async () => {
    let hasFired = false;
    const timer = setTimeout(() => (hasFired = true), 60_000);
    onTestFinished(() => clearTimeout(timer));
    await settle();
    expect(hasFired).toBe(false);
  });

  it('rejects when something never comes to rest', async () => {
    let armed = setImmediate(again);
    onTestFinished(() => clearImmediate(armed));
    function again(): void {
      armed = setImmediate(again);
    }
    const error = await rejectionOf(settle());
    expect(error).toBeInstanceOf(UnsettledError);
    expect(error).toMatchObject({ code: 'UNSETTLED', turns: 10_000, message: expect.stringContaining('setImmediate') });
  });
});
