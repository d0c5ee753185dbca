import { describe, expect, it } from 'vitest';
import { SupervisorConfigError } from '../../lib/supervision/errors.js';
import { completeSupervisorOptions, type SupervisorOptions } from '../../lib/supervision/supervisor-options.js';
import { thrownBy } from '../support/thrown.js';

describe('completeSupervisorOptions', () => {
  it('fills in the defaults: one_for_one, 3 restarts in 5 000 ms [S2]', () => {
    expect(completeSupervisorOptions({}, 'root')).toEqual({ strategy: 'one_for_one', maxRestarts: 3, withinMs: 5_000 });
  });

  it('takes undefined for absent', () => {
    const options = { strategy: undefined, maxRestarts: undefined, withinMs: undefined };
    expect(completeSupervisorOptions(options, 'root')).toEqual({
      strategy: 'one_for_one',
      maxRestarts: 3,
      withinMs: 5_000,
    });
  });

  it.each<SupervisorOptions>([
    { strategy: 'one_for_one', maxRestarts: 0, withinMs: 1 },
    { strategy: 'one_for_all', maxRestarts: 1_000, withinMs: 0.5 },
    { strategy: 'rest_for_one', maxRestarts: Infinity, withinMs: Infinity },
  ])('keeps %o as it is', (options) => {
    expect(completeSupervisorOptions(options, 'root')).toEqual(options);
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
  ])('refuses with %s: %o [S2]', (mistake, options, message) => {
    const error = thrownBy(() => completeSupervisorOptions(options as SupervisorOptions, 'root'));
    expect(error).toBeInstanceOf(SupervisorConfigError);
    expect(error).toMatchObject({ name: 'SupervisorConfigError', code: 'SUPERVISOR_CONFIG', mistake, message });
  });
});
