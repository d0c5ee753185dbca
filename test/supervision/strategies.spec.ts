import { describe, expect, it } from 'vitest';
import { childrenToRestart, type StartOrder, type Strategy } from '../../lib/supervision/strategies.js';

function orderOf(count: number): StartOrder<number> {
  const children = Array.from({ length: count }, (_, i) => i);
  return { all: () => children, from: (child) => children.slice(child) };
}

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
    expect(childrenToRestart(row.strategy, row.failed, orderOf(row.count))).toEqual(row.expected);
  });

  it.each<{ strategy: Strategy; looksAt: string }>([
    { strategy: 'one_for_one', looksAt: 'no other child' },
    { strategy: 'rest_for_one', looksAt: 'the failed child and those behind it' },
    { strategy: 'one_for_all', looksAt: 'all children' },
  ])('$strategy looks at $looksAt', ({ strategy, looksAt }) => {
    const asked: string[] = [];
    childrenToRestart(strategy, 2, {
      all: () => (asked.push('all children'), []),
      from: () => (asked.push('the failed child and those behind it'), []),
    });
    expect(asked[0] ?? 'no other child').toBe(looksAt);
  });
});
