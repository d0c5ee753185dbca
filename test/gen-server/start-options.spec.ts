import { describe, expect, it } from 'vitest';
import { assertStartOptions, findOptionFault } from '../../lib/gen-server/definition/start-options.js';
import { checkServerOptions } from '../../lib/nest/discovery/options.validator.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import { thrownBy } from '../support/thrown.js';

const TIMEOUT = 'a number of milliseconds, 0 or more (Infinity waits for ever)';
const IDLE = 'a number of milliseconds, more than 0 (Infinity: it does not end by itself)';
const MAILBOX =
  "{ limit, overflow } with a whole number of messages, 1 or more, and 'reject', 'drop_newest' or 'drop_oldest'";

const REFUSED: readonly (readonly [option: string, value: unknown, expected: string, printed: string])[] = [
  ['args', 1, 'an array of the arguments of init, or a function that returns one', '1'],
  ['args', null, 'an array of the arguments of init, or a function that returns one', 'null'],
  ['startTimeoutMs', -1, TIMEOUT, '-1'],
  ['startTimeoutMs', NaN, TIMEOUT, 'NaN'],
  ['startTimeoutMs', '5s', TIMEOUT, "'5s'"],
  ['trapExit', 'yes', 'true or false', "'yes'"],
  ['drain', 0, 'true or false', '0'],
  ['isolation', 'deep', "'none' or 'clone'", "'deep'"],
  ['idleMs', 0, IDLE, '0'],
  ['idleMs', -1, IDLE, '-1'],
  ['idleMs', NaN, IDLE, 'NaN'],
  ['maxMailbox', { limit: 0, overflow: 'reject' }, MAILBOX, "{ limit: 0, overflow: 'reject' }"],
];

describe('the options of a start', () => {
  it.each(REFUSED)('refuse %s: %o', (option, value, expected, printed) => {
    const error = thrownBy(() => assertStartOptions({ [option]: value }, 'Cart'));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect((error as Error).message).toBe(`${option} of Cart must be ${expected}, got: ${printed}`);
  });

  it.each(REFUSED)('refuse %s: %o in the same words in @GenServer', (option, value) => {
    const started = thrownBy(() => assertStartOptions({ [option]: value }, 'Cart')) as Error;
    const declared = thrownBy(() => checkServerOptions('Cart', { [option]: value }));
    expect(declared).toMatchObject({ mistake: 'invalid_option', message: started.message });
  });

  it.each([
    {},
    { args: [], startTimeoutMs: 0, trapExit: false, drain: true, isolation: 'none', idleMs: 1 },
    { args: () => [], startTimeoutMs: Infinity, isolation: 'clone', idleMs: Infinity },
    { maxMailbox: { limit: 1, overflow: 'drop_oldest' } },
    { args: undefined, startTimeoutMs: undefined, trapExit: undefined, drain: undefined, idleMs: undefined },
  ] as const)('take %o', (options) => {
    expect(findOptionFault(options)).toBeUndefined();
  });
});
