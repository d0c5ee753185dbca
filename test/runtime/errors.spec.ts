import { afterEach, describe, expect, it } from 'vitest';
import { withoutFrames } from '../../lib/runtime/errors.js';

describe('withoutFrames', () => {
  const { stackTraceLimit } = Error;
  afterEach(() => {
    Error.stackTraceLimit = stackTraceLimit;
  });

  it('makes an error whose stack is its name and message, since frames of the loop would tell its receiver nothing', () => {
    expect(withoutFrames(() => new RangeError('too far')).stack).toBe('RangeError: too far');
  });

  it('leaves the stacks of all other errors as the application wants them', () => {
    Error.stackTraceLimit = 3;
    withoutFrames(() => new Error());
    expect(Error.stackTraceLimit).toBe(3);
    expect(new Error().stack).toMatch(/\n {4}at /);
  });

  it('makes one with frames where the built-in classes are frozen', () => {
    const original = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit')!;
    Object.defineProperty(Error, 'stackTraceLimit', { ...original, writable: false });
    try {
      expect(withoutFrames(() => new RangeError('too far')).stack).toMatch(/^RangeError: too far\n {4}at /);
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', original);
    }
  });

  it('does so also when the error cannot be made', () => {
    const make = (): never => {
      throw new TypeError('a message that cannot be printed');
    };
    expect(() => withoutFrames(make)).toThrow(TypeError);
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });
});
