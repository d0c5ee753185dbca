import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import { ManualClock, ManualClockError, settle } from '../../lib/testing/index.js';
import { deferred, never } from '../support/deferred.js';
import { rejectionOf, thrownBy } from '../support/thrown.js';

describe('ManualClock', () => {
  /** A clock and what has fired on it, each with the time at which it did. */
  function journal() {
    const clock = new ManualClock();
    const begin = clock.now();
    const fired: string[] = [];
    const arm = (name: string, delayMs: number, then?: () => void) =>
      clock.setTimer(delayMs, () => {
        fired.push(`${name} at ${clock.now() - begin}`);
        then?.();
      });
    return { clock, fired, arm, elapsed: () => clock.now() - begin };
  }

  it('stands still by itself', async () => {
    const { clock, fired, arm, elapsed } = journal();
    arm('a', 1);
    await settle();
    expect([fired, elapsed(), clock.pendingTimers]).toEqual([[], 0, 1]);
  });

  it('begins with the wall-clock time that it is given', () => {
    const startAt = new Date('2026-02-28T23:59:59Z');
    expect(new ManualClock({ startAt }).wallTime()).toBe(startAt.getTime());
  });

  describe('advance', () => {
    it('fires what is due in the order it is due, equal ones in the order they were armed, and nothing else', async () => {
      const { clock, fired, arm, elapsed } = journal();
      arm('late', 30);
      arm('first', 10);
      arm('second', 10);
      arm('later', 31);
      await clock.advance(30);
      expect(fired).toEqual(['first at 10', 'second at 10', 'late at 30']);
      expect([elapsed(), clock.pendingTimers]).toEqual([30, 1]);
    });

    it('lets the world come to rest after each, so that what that arms fires in its place', async () => {
      const { clock, fired, arm } = journal();
      arm('a', 10, () => void settle().then(() => arm('b', 5)));
      arm('c', 20);
      await clock.advance(20);
      expect(fired).toEqual(['a at 10', 'b at 15', 'c at 20']);
    });

    it('by 0 fires what is due now', async () => {
      const { clock, fired, arm } = journal();
      arm('a', 0);
      await clock.advance(0);
      expect(fired).toEqual(['a at 0']);
    });

    it('does not fire what was cancelled, even by one that is due at the same time', async () => {
      const { clock, fired, arm } = journal();
      arm('a', 10, () => b.cancel());
      const b = arm('b', 10);
      await clock.advance(10);
      expect(fired).toEqual(['a at 10']);
    });

    it.each([-1, NaN, Infinity, '5'])('refuses %s', async (ms) => {
      expect(await rejectionOf(new ManualClock().advance(ms as number))).toBeInstanceOf(InvalidArgumentError);
    });

    it('rejects while the clock is being turned, and works again afterwards', async () => {
      const { clock, fired, arm } = journal();
      arm('a', 10);
      const first = clock.advance(10);
      const second = await rejectionOf(clock.advance(10));
      expect(second).toBeInstanceOf(ManualClockError);
      expect(second).toMatchObject({ code: 'MANUAL_CLOCK', message: expect.stringContaining('Await its advance()') });
      await first;
      expect(fired).toEqual(['a at 10']);
      await clock.advance(10);
    });
  });

  describe('advanceToNextTimer', () => {
    it('fires the next timer alone, and says whether there was one', async () => {
      const { clock, fired, arm, elapsed } = journal();
      arm('a', 10);
      arm('b', 10);
      expect([await clock.advanceToNextTimer(), fired]).toEqual([true, ['a at 10']]);
      expect([await clock.advanceToNextTimer(), fired]).toEqual([true, ['a at 10', 'b at 10']]);
      expect([await clock.advanceToNextTimer(), elapsed()]).toEqual([false, 10]);
    });

    it('goes no further than it may', async () => {
      const { clock, fired, arm, elapsed } = journal();
      arm('a', 10);
      expect([await clock.advanceToNextTimer(9), fired, elapsed()]).toEqual([false, [], 9]);
    });
  });

  describe('advanceUntil', () => {
    it('turns as far as it takes, and gives what the work gives', async () => {
      const { clock, arm, elapsed } = journal();
      const work = deferred<string>();
      arm('a', 10, () => arm('b', 10, () => work.resolve('done')));
      arm('c', 1_000);
      expect(await clock.advanceUntil(work.promise)).toBe('done');
      expect(elapsed()).toBe(20);
    });

    it('rejects as the work does', async () => {
      const { clock, arm } = journal();
      const work = deferred();
      arm('a', 10, () => work.reject(new Error('no')));
      expect(await rejectionOf(clock.advanceUntil(work.promise))).toEqual(new Error('no'));
    });

    it('waits for the outside where no timer is left, and goes on with what that arms', async () => {
      const { clock, arm } = journal();
      const [outside, work] = [deferred(), deferred<string>()];
      void outside.promise.then(() => arm('a', 10, () => work.resolve('done')));
      const result = clock.advanceUntil(work.promise);
      await settle();
      outside.resolve();
      expect(await result).toBe('done');
    });

    it('gives up when the time was not enough, and can be turned again', async () => {
      const { clock, arm } = journal();
      const tick = (): void => void arm('tick', 600_000, tick);
      tick();
      const error = await rejectionOf(clock.advanceUntil(never()));
      expect(error).toBeInstanceOf(ManualClockError);
      expect(error).toMatchObject({ message: expect.stringContaining('within 3600000 ms') });
      await clock.advance(1);
    });
  });

  describe('jump', () => {
    it('lets the time pass at once, then fires what is due in order and in one go', () => {
      const { clock, fired, arm, elapsed } = journal();
      arm('b', 20);
      arm('a', 10);
      arm('c', 101);
      clock.jump(100);
      expect([fired, elapsed()]).toEqual([['a at 100', 'b at 100'], 100]);
    });

    it('refuses a time that runs backwards', () => {
      expect(thrownBy(() => new ManualClock().jump(-1))).toBeInstanceOf(InvalidArgumentError);
    });
  });
});
