import { describe, expect, it } from 'vitest';
import { backoffMs } from '../../lib/supervision/restart-backoff.js';

describe('backoffMs', () => {
  it.each([
    { minMs: 100, maxMs: 1_000, waits: [100, 200, 400, 800, 1_000, 1_000] },
    { minMs: 100, maxMs: 100, waits: [100, 100, 100] },
    { minMs: 0.5, maxMs: 3, waits: [0.5, 1, 2, 3, 3] },
    { minMs: 700, maxMs: 1_000, waits: [700, 1_000, 1_000] },
  ])('doubles from $minMs and stops at $maxMs', ({ minMs, maxMs, waits }) => {
    expect(waits.map((_, at) => backoffMs({ minMs, maxMs }, at + 1))).toEqual(waits);
  });

  it('stays finite, however often it has failed', () => {
    expect(backoffMs({ minMs: 1, maxMs: 86_400_000 }, 1_000_000)).toBe(86_400_000);
  });
});
