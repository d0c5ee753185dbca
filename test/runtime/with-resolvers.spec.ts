import { describe, expect, it } from 'vitest';
import { withResolvers } from '../../lib/runtime/with-resolvers.js';

describe('withResolvers', () => {
  it('gives each promise its own two functions', async () => {
    const first = withResolvers<number>();
    const second = withResolvers<number>();
    second.reject('no');
    first.resolve(1);
    expect(await Promise.allSettled([first.promise, second.promise])).toEqual([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: 'no' },
    ]);
  });
});
