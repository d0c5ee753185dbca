import { describe, expect, it } from 'vitest';
import { recordRestart, type RestartBudget } from '../../lib/supervision/restart-intensity.js';

/** Which of the incidents at these times are allowed, up to the first that is not. */
function verdicts(times: number[], budget: RestartBudget): boolean[] {
  let earlier: readonly number[] = [];
  return times.map((now) => {
    const { isAllowed, recorded } = recordRestart(earlier, now, budget);
    earlier = recorded;
    return isAllowed;
  });
}

describe('recordRestart', () => {
  it.each([
    { what: 'the first, with a budget of 0', times: [0], budget: [0, 5_000], expected: [false] },
    {
      what: '3 at once in a budget of 3, not the 4th',
      times: [7, 7, 7, 7],
      budget: [3, 5_000],
      expected: [true, true, true, false],
    },
    { what: 'no 2nd at the very end of the window', times: [0, 5_000], budget: [1, 5_000], expected: [true, false] },
    { what: 'a 2nd just after the window', times: [0, 5_000.001], budget: [1, 5_000], expected: [true, true] },
    { what: 'no 2nd one millisecond before the end', times: [0, 4_999], budget: [1, 5_000], expected: [true, false] },
    {
      what: 'a steady 1 per window',
      times: [0, 1_001, 2_002, 3_003],
      budget: [1, 1_000],
      expected: [true, true, true, true],
    },
    {
      what: 'a 4th once the 1st has left the window',
      times: [0, 100, 200, 5_001],
      budget: [3, 5_000],
      expected: [true, true, true, true],
    },
    {
      what: 'no 5th while three are in the window',
      times: [0, 100, 200, 5_001, 5_100],
      budget: [3, 5_000],
      expected: [true, true, true, true, false],
    },
    // Real OTP counts whole seconds and refuses the third of these; here the first has left a window of exactly 2 s.
    {
      what: 'crashes at 0, 1.9 and 2.2 s with 2 in 2 s, to the exact millisecond',
      times: [0, 1_900, 2_200],
      budget: [2, 2_000],
      expected: [true, true, true],
    },
    {
      what: 'but not at 0, 1.9 and 2.0 s',
      times: [0, 1_900, 2_000],
      budget: [2, 2_000],
      expected: [true, true, false],
    },
    {
      what: 'any number with an infinite budget',
      times: [0, 0, 0, 0, 0],
      budget: [Infinity, 5_000],
      expected: [true, true, true, true, true],
    },
    {
      what: 'no more than so many ever with an infinite window',
      times: [0, 1e9, 2e9],
      budget: [2, Infinity],
      expected: [true, true, false],
    },
  ])('allows $what [S12]', ({ times, budget, expected }) => {
    expect(verdicts(times, { maxRestarts: budget[0]!, withinMs: budget[1]! })).toEqual(expected);
  });

  it('forgets what has left the window, so that a long life costs no memory', () => {
    const budget = { maxRestarts: 3, withinMs: 1_000 };
    let recorded: readonly number[] = [];
    for (let now = 0; now < 100_000; now += 600) recorded = recordRestart(recorded, now, budget).recorded;
    expect(recorded).toHaveLength(2);
  });

  it('keeps no record with an infinite budget, so that a storm costs no memory', () => {
    expect(recordRestart([], 1_000, { maxRestarts: Infinity, withinMs: Infinity })).toEqual({
      isAllowed: true,
      recorded: [],
    });
  });

  it('does not change the earlier record', () => {
    const earlier = Object.freeze([1, 2, 3]);
    recordRestart(earlier, 4, { maxRestarts: 3, withinMs: 5_000 });
    expect(earlier).toEqual([1, 2, 3]);
  });
});
