import { describe, expect, it } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import { DynamicChildPlan } from '../../lib/supervision/dynamic-child.js';
import {
  argumentsOf,
  checkDynamicChild,
  completeDynamicSupervisorOptions,
  type DynamicChildSpec,
  type DynamicSupervisorOptions,
} from '../../lib/supervision/dynamic-child-spec.js';
import { SupervisorConfigError } from '../../lib/supervision/errors.js';
import { thrownBy } from '../support/thrown.js';

const source = blueprintOfBehaviour({ label: 'Room' });

describe('completeDynamicSupervisorOptions', () => {
  const defaults = { maxRestarts: 3, withinMs: 5_000, maxChildren: Infinity, extraArguments: [] };

  it('fills in the defaults: 3 restarts in 5 000 ms, any number of children, no extra arguments [D2] [D7]', () => {
    expect(completeDynamicSupervisorOptions({}, 'rooms')).toStrictEqual(defaults);
    const absent = { maxRestarts: undefined, withinMs: undefined, maxChildren: undefined, extraArguments: undefined };
    expect(completeDynamicSupervisorOptions(absent, 'rooms')).toStrictEqual(defaults);
  });

  it.each<DynamicSupervisorOptions>([
    { maxRestarts: 0, withinMs: 1, maxChildren: 0, extraArguments: [] },
    { maxRestarts: 1_000, withinMs: 5_000, maxChildren: 100_000, extraArguments: [undefined, { a: 1 }] },
    { maxRestarts: Infinity, withinMs: Infinity, maxChildren: Infinity, extraArguments: [[]] },
  ])('keeps %o as it is', (options) => {
    expect(completeDynamicSupervisorOptions(options, 'rooms')).toStrictEqual(options);
  });

  it('takes what all supervisors have in common [D1] [D8]', () => {
    const options = { strategy: 'one_for_one', autoShutdown: 'never' } as DynamicSupervisorOptions;
    expect(completeDynamicSupervisorOptions(options, 'rooms')).toStrictEqual(defaults);
  });

  it.each([
    [
      'invalid_strategy',
      { strategy: 'one_for_all' },
      "a dynamic supervisor knows the strategy 'one_for_one' only, got: 'one_for_all' (dynamic supervisor rooms)",
    ],
    [
      'invalid_auto_shutdown',
      { autoShutdown: 'any_significant' },
      'a dynamic supervisor has no significant children (dynamic supervisor rooms)',
    ],
    [
      'invalid_backoff',
      { restartBackoff: { minMs: 1, maxMs: 2 } },
      'a dynamic supervisor restarts its children at once (dynamic supervisor rooms)',
    ],
    [
      'invalid_extra_arguments',
      { extraArguments: 'a' },
      "extraArguments must be an array, got: 'a' (dynamic supervisor rooms)",
    ],
    [
      'invalid_intensity',
      { maxRestarts: -1 },
      'maxRestarts must be a number of restarts, 0 or more, got: -1 (dynamic supervisor rooms)',
    ],
    [
      'invalid_period',
      { withinMs: 0 },
      'withinMs must be milliseconds, more than 0, got: 0 (dynamic supervisor rooms)',
    ],
  ])('refuses with %s: %o [D8]', (mistake, options, message) => {
    const error = thrownBy(() => completeDynamicSupervisorOptions(options as DynamicSupervisorOptions, 'rooms'));
    expect(error).toBeInstanceOf(SupervisorConfigError);
    expect(error).toMatchObject({ code: 'SUPERVISOR_CONFIG', mistake, message });
  });

  it.each([
    [-1, '-1'],
    [2.5, '2.5'],
    [NaN, 'NaN'],
    ['10', "'10'"],
    [null, 'null'],
  ])('refuses %o for maxChildren [D2]', (maxChildren, printed) => {
    const options = { maxChildren } as DynamicSupervisorOptions;
    expect(thrownBy(() => completeDynamicSupervisorOptions(options, 'rooms'))).toMatchObject({
      mistake: 'invalid_max_children',
      message: `maxChildren must be a whole number of children, 0 or more, or Infinity, got: ${printed} (dynamic supervisor rooms)`,
    });
  });
});

describe('checkDynamicChild', () => {
  it.each<DynamicChildSpec>([
    { source },
    { source, restart: 'temporary', shutdownMs: 0 },
    { source, restart: undefined, shutdownMs: Infinity, options: { name: 'a' } },
    { source, shutdownMs: 'brutal_kill', significant: false } as DynamicChildSpec,
    { source, id: 'ignored' } as DynamicChildSpec,
  ])('takes %o [D1] [D3]', (spec) => {
    expect(() => checkDynamicChild(spec, 'rooms')).not.toThrow();
  });

  it.each([
    [
      'missing_start',
      undefined,
      'source must be what a server is started from, got: undefined (child of dynamic supervisor rooms)',
    ],
    [
      'missing_start',
      null,
      'source must be what a server is started from, got: undefined (child of dynamic supervisor rooms)',
    ],
    [
      'missing_start',
      { source: 'Room' },
      "source must be what a server is started from, got: 'Room' (child of dynamic supervisor rooms)",
    ],
    [
      'invalid_restart_type',
      { source, restart: 'always' },
      "restart must be 'permanent', 'transient' or 'temporary', got: 'always' (child of dynamic supervisor rooms)",
    ],
    [
      'invalid_shutdown',
      { source, shutdownMs: -1 },
      "shutdownMs must be milliseconds, 0 or more, Infinity or 'brutal_kill', got: -1 (child of dynamic supervisor rooms)",
    ],
    [
      'bad_combination',
      { source, restart: 'transient', significant: true },
      'a dynamic supervisor has no significant children (child of dynamic supervisor rooms)',
    ],
  ])('refuses with %s: %o [D3] [D8]', (mistake, spec, message) => {
    const error = thrownBy(() => checkDynamicChild(spec as DynamicChildSpec, 'rooms'));
    expect(error).toBeInstanceOf(SupervisorConfigError);
    expect(error).toMatchObject({ code: 'SUPERVISOR_CONFIG', mistake, message });
  });
});

describe('argumentsOf', () => {
  it('leaves the arguments alone when there are no extra arguments', () => {
    const args = [1];
    expect(argumentsOf(args, [])).toBe(args);
  });

  it.each([
    ['no arguments', undefined, undefined, ['x', 'y']],
    ['arguments', [1, 2], undefined, ['x', 'y', 1, 2]],
    ["the server's own default arguments", undefined, [3], ['x', 'y', 3]],
    ['arguments instead of the defaults', [1], [3], ['x', 'y', 1]],
  ])('puts the extra arguments in front of %s [D2]', (_what, args, defaultArgs, expected) => {
    const { server } = new DynamicChildPlan({
      source: { ...source, defaults: { args: defaultArgs } },
      options: { name: 'a', args },
    });
    expect(argumentsOf(server.args, ['x', 'y'])).toEqual(expected);
  });

  it('puts them in front of arguments that are made anew for each incarnation [D2] [S23]', () => {
    let made = 0;
    const args = argumentsOf(() => [++made], ['x']);
    expect((args as () => unknown[])()).toEqual(['x', 1]);
    expect((args as () => unknown[])()).toEqual(['x', 2]);
  });
});
