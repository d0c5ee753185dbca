import { describe, expect, it } from 'vitest';
import { childrenToRestart, type Strategy } from '../../lib/supervision/strategies.js';

describe('childrenToRestart', () => {
  it.each<{ strategy: Strategy; failed: number; count: number; expected: number[] }>([
    { strategy: 'one_for_one', failed: 0, count: 1, expected: [0] },
    { strategy: 'one_for_one', failed: 0, count: 4, expected: [0] },
    { strategy: 'one_for_one', failed: 2, count: 4, expected: [2] },
    { strategy: 'one_for_one', failed: 3, count: 4, expected: [3] },
    { strategy: 'one_for_all', failed: 0, count: 1, expected: [0] },
    { strategy: 'one_for_all', failed: 0, count: 4, expected: [0, 1, 2, 3] },
    { strategy: 'one_for_all', failed: 2, count: 4, expected: [0, 1, 2, 3] },
    { strategy: 'one_for_all', failed: 3, count: 4, expected: [0, 1, 2, 3] },
    { strategy: 'rest_for_one', failed: 0, count: 1, expected: [0] },
    { strategy: 'rest_for_one', failed: 0, count: 4, expected: [0, 1, 2, 3] },
    { strategy: 'rest_for_one', failed: 2, count: 4, expected: [2, 3] },
    { strategy: 'rest_for_one', failed: 3, count: 4, expected: [3] },
  ])('$strategy with child $failed of $count failed starts $expected anew, in start order', (row) => {
    expect(childrenToRestart(row.strategy, row.failed, row.count)).toEqual(row.expected);
  });
});
