import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { formatReason, isCleanExit, reasonOfThrown } from '../../lib/runtime/exits/exit-reason.js';

describe('isCleanExit', () => {
  it.each([
    ["'normal'", 'normal'],
    ["'shutdown'", 'shutdown'],
    ['{ shutdown: info }', { shutdown: 'deploy' }],
    ['{ shutdown: undefined }', { shutdown: undefined }],
  ])('counts %s as clean (E1)', (_name, reason) => {
    expect(isCleanExit(reason)).toBe(true);
  });

  it.each([
    ["'killed'", 'killed'],
    ["'kill'", 'kill'],
    ["'noproc'", 'noproc'],
    ["'timeout'", 'timeout'],
    ['an error', new Error('normal')],
    ['an error with a field shutdown', Object.assign(new Error('x'), { shutdown: 1 })],
    ['{ badReturnValue }', { badReturnValue: 'normal' }],
    ['{ thrown }', { thrown: 'normal' }],
    ['undefined', undefined],
    ['null', null],
    ['0', 0],
    ['a function with a field shutdown', Object.assign(() => undefined, { shutdown: 1 })],
  ])('counts %s as abnormal (E1)', (_name, reason) => {
    expect(isCleanExit(reason)).toBe(false);
  });
});

describe('reasonOfThrown', () => {
  it('lets an error stand for itself (E1)', () => {
    const error = new RangeError('out');
    expect(reasonOfThrown(error)).toBe(error);
  });

  it('knows an error of another realm as one', () => {
    const foreign: unknown = runInNewContext('new TypeError("from elsewhere")');
    expect(reasonOfThrown(foreign)).toBe(foreign);
    expect(formatReason(foreign)).toBe('TypeError: from elsewhere');
  });

  it.each([['normal'], [{ shutdown: 1 }], [undefined], [null], [42]])(
    'wraps %o, so that it never passes for a clean exit (E1)',
    (thrown) => {
      const reason = reasonOfThrown(thrown);
      expect(reason).toEqual({ thrown });
      expect(isCleanExit(reason)).toBe(false);
    },
  );
});

describe('formatReason', () => {
  it.each([
    ['killed', "'killed'"],
    [new RangeError('too far'), 'RangeError: too far'],
    [{ shutdown: { deep: { er: { est: 1 } } } }, '{ shutdown: { deep: { er: [Object] } } }'],
    [{ thrown: undefined }, '{ thrown: undefined }'],
    [undefined, 'undefined'],
  ])('prints %o in one line', (reason, text) => {
    expect(formatReason(reason)).toBe(text);
  });

  it.each([['an error whose message throws', Object.defineProperty(new Error('x'), 'message', { get: explode })]])(
    'never throws: %s',
    (_name, reason) => {
      expect(formatReason(reason)).toMatch(/cannot be printed/);
    },
  );

  it('does not let an object print itself', () => {
    expect(formatReason({ [Symbol.for('nodejs.util.inspect.custom')]: explode, a: 1 })).toBe('{ a: 1 }');
  });
});

function explode(): never {
  throw new Error('boom');
}
