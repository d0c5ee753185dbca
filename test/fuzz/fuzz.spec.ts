import { describe, expect, it } from 'vitest';
import { fuzz } from './fuzz.js';
import { PrototypeWatch } from './prototypes.js';

describe('ten thousand arbitrary requests', () => {
  it.each([1, 2])(
    'crash nothing, change no prototype and invoke no method that is not decorated (seed %i)',
    async (seed) => {
      expect(await fuzz(5_000, seed)).toEqual({
        requests: 5_000,
        overHttp: 250,
        crashes: 0,
        prototypeChanges: 0,
        undecorated: 0,
        surprises: [],
      });
    },
    60_000,
  );
});

describe('the watch over prototypes', () => {
  it.each<[string, () => object, (shared: Record<string, unknown>) => unknown]>([
    ['a field more', () => ({}), (shared) => (shared['polluted'] = true)],
    ['another value', () => ({ a: 1 }), (shared) => (shared['a'] = 2)],
    ['a field less', () => ({ a: 1 }), (shared) => delete shared['a']],
    ['another prototype', () => ({}), (shared) => Object.setPrototypeOf(shared, null) as unknown],
  ])('notices %s, once', (_what, make, change) => {
    const shared = make();
    const watch = new PrototypeWatch([shared]);
    expect(watch.changes()).toBe(0);
    change(shared as Record<string, unknown>);
    expect([watch.changes(), watch.changes()]).toEqual([1, 0]);
  });

  it('knows the prototype of every object', () => {
    const watch = new PrototypeWatch([]);
    Object.defineProperty(Object.prototype, 'polluted', { value: true, configurable: true });
    try {
      expect(watch.changes()).toBe(1);
    } finally {
      delete (Object.prototype as { polluted?: boolean }).polluted;
    }
  });
});
