import { describe, expect, it } from 'vitest';
import { SupervisorConfigError } from '../../lib/supervision/errors.js';
import { completeSupervisorOptions, type SupervisorOptions } from '../../lib/supervision/supervisor-options.js';
import { thrownBy } from '../support/thrown.js';

describe('completeSupervisorOptions', () => {
  const defaults = {
    strategy: 'one_for_one',
    autoShutdown: 'never',
    maxRestarts: 3,
    withinMs: 5_000,
    restartBackoff: undefined,
  };

  it('fills in the defaults: one_for_one, 3 restarts in 5 000 ms, no auto-shutdown and no back-off [S2]', () => {
    expect(completeSupervisorOptions({}, 'root')).toStrictEqual(defaults);
  });

  it('takes undefined for absent', () => {
    const options = {
      strategy: undefined,
      autoShutdown: undefined,
      maxRestarts: undefined,
      withinMs: undefined,
      restartBackoff: undefined,
    };
    expect(completeSupervisorOptions(options, 'root')).toStrictEqual(defaults);
  });

  it.each<SupervisorOptions>([
    { strategy: 'one_for_one', autoShutdown: 'never', maxRestarts: 0, withinMs: 1, restartBackoff: undefined },
    {
      strategy: 'one_for_all',
      autoShutdown: 'any_significant',
      maxRestarts: 1_000,
      withinMs: 0.5,
      restartBackoff: { minMs: 0.5, maxMs: 0.5 },
    },
    {
      strategy: 'rest_for_one',
      autoShutdown: 'all_significant',
      maxRestarts: Infinity,
      withinMs: Infinity,
      restartBackoff: { minMs: 1, maxMs: 1e9 },
    },
  ])('keeps %o as it is', (options) => {
    expect(completeSupervisorOptions(options, 'root')).toStrictEqual(options);
  });

  it.each([
    [
      'invalid_strategy',
      { strategy: 'one_for_none' },
      "strategy must be 'one_for_one', 'one_for_all' or 'rest_for_one', got: 'one_for_none' (supervisor root)",
    ],
    [
      'invalid_strategy',
      { strategy: null },
      "strategy must be 'one_for_one', 'one_for_all' or 'rest_for_one', got: null (supervisor root)",
    ],
    [
      'invalid_intensity',
      { maxRestarts: -1 },
      'maxRestarts must be a number of restarts, 0 or more, got: -1 (supervisor root)',
    ],
    [
      'invalid_intensity',
      { maxRestarts: NaN },
      'maxRestarts must be a number of restarts, 0 or more, got: NaN (supervisor root)',
    ],
    [
      'invalid_intensity',
      { maxRestarts: '3' },
      "maxRestarts must be a number of restarts, 0 or more, got: '3' (supervisor root)",
    ],
    ['invalid_period', { withinMs: 0 }, 'withinMs must be milliseconds, more than 0, got: 0 (supervisor root)'],
    ['invalid_period', { withinMs: -5 }, 'withinMs must be milliseconds, more than 0, got: -5 (supervisor root)'],
    ['invalid_period', { withinMs: NaN }, 'withinMs must be milliseconds, more than 0, got: NaN (supervisor root)'],
    ['invalid_period', { withinMs: '5s' }, "withinMs must be milliseconds, more than 0, got: '5s' (supervisor root)"],
    [
      'invalid_auto_shutdown',
      { autoShutdown: 'sometimes' },
      "autoShutdown must be 'never', 'any_significant' or 'all_significant', got: 'sometimes' (supervisor root)",
    ],
    [
      'invalid_auto_shutdown',
      { autoShutdown: null },
      "autoShutdown must be 'never', 'any_significant' or 'all_significant', got: null (supervisor root)",
    ],
  ])('refuses with %s: %o [S2]', (mistake, options, message) => {
    const error = thrownBy(() => completeSupervisorOptions(options as SupervisorOptions, 'root'));
    expect(error).toBeInstanceOf(SupervisorConfigError);
    expect(error).toMatchObject({ name: 'SupervisorConfigError', code: 'SUPERVISOR_CONFIG', mistake, message });
  });

  it.each([
    [{ minMs: 0, maxMs: 10 }, '{ minMs: 0, maxMs: 10 }'],
    [{ minMs: 10, maxMs: 5 }, '{ minMs: 10, maxMs: 5 }'],
    [{ minMs: 10, maxMs: Infinity }, '{ minMs: 10, maxMs: Infinity }'],
    [{ minMs: NaN, maxMs: 10 }, '{ minMs: NaN, maxMs: 10 }'],
    [{ minMs: '1s', maxMs: 10 }, "{ minMs: '1s', maxMs: 10 }"],
    [{ minMs: 10 }, '{ minMs: 10 }'],
    [1_000, '1000'],
    [null, 'null'],
  ])('refuses %o for restartBackoff', (restartBackoff, printed) => {
    const options = { restartBackoff } as SupervisorOptions;
    expect(thrownBy(() => completeSupervisorOptions(options, 'root'))).toMatchObject({
      mistake: 'invalid_backoff',
      message: `restartBackoff must be { minMs, maxMs } in milliseconds with 0 < minMs <= maxMs, got: ${printed} (supervisor root)`,
    });
  });
});
