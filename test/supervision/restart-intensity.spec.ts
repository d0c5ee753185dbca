import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type RestartBudget, RestartIntensity } from '../../lib/supervision/restart-intensity.js';

/** Which of the incidents at these times are allowed. */
function verdicts(times: number[], budget: RestartBudget): boolean[] {
  const intensity = new RestartIntensity(budget);
  return times.map((now) => intensity.record(now));
}

describe('RestartIntensity', () => {
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
    const intensity = new RestartIntensity({ maxRestarts: 3, withinMs: 1_000 });
    for (let now = 0; now < 100_000; now += 600) {
      intensity.record(now);
      expect(intensity.size).toBeLessThanOrEqual(4); // twice what is in the window
    }
  });

  it('keeps no record with an infinite budget, so that a storm costs no memory', () => {
    const intensity = new RestartIntensity({ maxRestarts: Infinity, withinMs: Infinity });
    expect(intensity.record(1_000)).toBe(true);
    expect(intensity.size).toBe(0);
  });

  it('counts as a plain count of what lies in the window does, whatever the times are [S12]', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 60 }),
        fc.integer({ min: 0, max: 6 }),
        fc.integer({ min: 0, max: 100 }),
        (gaps, maxRestarts, withinMs) => {
          let now = 0;
          const times = gaps.map((gap) => (now += gap));
          const plain = times.map(
            (at, i) => times.slice(0, i + 1).filter((earlier) => at - earlier <= withinMs).length <= maxRestarts,
          );
          expect(verdicts(times, { maxRestarts, withinMs })).toEqual(plain);
        },
      ),
    );
  });
});
