import { describe, expect, it } from 'vitest';
import { blueprintOfBehaviour } from '../../lib/gen-server/behaviour.js';
import {
  childSpec,
  type ChildSpec,
  type ChildStart,
  completeChildSpec,
  completeChildSpecs,
} from '../../lib/supervision/child-spec.js';
import { Pid } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { SupervisorConfigError } from '../../lib/supervision/errors.js';
import { blueprintOfSupervisor } from '../../lib/supervision/supervisor.js';
import { thrownBy } from '../support/thrown.js';
import { testWorld } from '../support/world.js';

const start: ChildStart = () => {
  throw new Error('no spec is started here');
};
const source = blueprintOfBehaviour({ label: 'Cart' });

describe('childSpec', () => {
  it('identifies a server by its label, and leaves the rest to the defaults [S1]', () => {
    const { id, start: starts, ...rest } = childSpec(source);
    expect(id).toBe('Cart');
    expect(starts).toBeTypeOf('function');
    expect(rest).toEqual({});
  });

  it('knows the source of a supervisor as such, which has all the time it needs to end [S1]', () => {
    const spec = childSpec(blueprintOfSupervisor({ label: 'sup', children: [] }));
    expect(completeChildSpec(spec, 'root')).toMatchObject({ type: 'supervisor', shutdownMs: Infinity });
  });

  it('starts each incarnation as the first: what is changed in the options afterwards is too late [S23]', async () => {
    const world = testWorld();
    const options = { name: 'first', args: [1] };
    const { start: starts } = childSpec(source, options);
    const parent = processOf(await world.start({}))!;
    await starts(parent, undefined).outcome;
    await world.stop('first');
    options.name = 'second';
    expect((await starts(parent, undefined).outcome).status).toBe('ok');
    expect(world.runtime.localNames.whereis('first')).toBeInstanceOf(Pid);
  });

  it('refuses options that make no sense at every start', async () => {
    const parent = processOf(await testWorld().start({}))!;
    const { start: starts } = childSpec(source, { idleMs: -1 });
    for (let attempt = 1; attempt <= 2; attempt++) {
      expect(() => starts(parent, undefined)).toThrow(/idleMs of Cart must be a number of milliseconds/);
    }
  });

  it('lets everything but the start be overridden', () => {
    const overrides = { id: 'other', restart: 'transient', shutdownMs: 'brutal_kill', type: 'supervisor' } as const;
    expect(childSpec(source, {}, overrides)).toMatchObject(overrides);
  });
});

describe('completeChildSpec', () => {
  it('makes a worker permanent with 5 000 ms to end [S1]', () => {
    expect(completeChildSpec({ id: 'a', start }, 'root')).toEqual({
      id: 'a',
      start,
      restart: 'permanent',
      shutdownMs: 5_000,
      type: 'worker',
      significant: false,
    });
  });

  it.each([
    ['transient', 'any_significant'],
    ['transient', 'all_significant'],
    ['temporary', 'any_significant'],
    ['temporary', 'all_significant'],
  ] as const)('takes a significant %s child where autoShutdown is %s [S20]', (restart, autoShutdown) => {
    const spec = { id: 'a', start, restart, significant: true };
    expect(completeChildSpec(spec, 'root', autoShutdown)).toMatchObject({ significant: true, restart });
  });

  it.each([
    [
      'permanent',
      'any_significant',
      true,
      "a significant child must be transient or temporary: a permanent one never ends for good (child 'a' of supervisor root)",
    ],
    [
      'transient',
      'never',
      true,
      "a significant child needs a supervisor with autoShutdown 'any_significant' or 'all_significant' (child 'a' of supervisor root)",
    ],
    [
      'transient',
      'any_significant',
      'yes',
      "significant must be true or false, got: 'yes' (child 'a' of supervisor root)",
    ],
  ] as const)('refuses a %s child where autoShutdown is %s and significant is %o [S20]', (...row) => {
    const [restart, autoShutdown, significant, message] = row;
    const spec = { id: 'a', start, restart, significant } as ChildSpec;
    const error = thrownBy(() => completeChildSpec(spec, 'root', autoShutdown));
    expect(error).toMatchObject({ code: 'SUPERVISOR_CONFIG', mistake: 'bad_combination', message });
  });

  it('gives a supervisor all the time it needs [S1]', () => {
    expect(completeChildSpec({ id: 'a', start, type: 'supervisor' }, 'root').shutdownMs).toBe(Infinity);
  });

  it.each([0, 0.5, Infinity, 'brutal_kill'] as const)(
    'takes %s for shutdownMs, also of a supervisor [S1]',
    (shutdownMs) => {
      expect(completeChildSpec({ id: 'a', start, shutdownMs }, 'root').shutdownMs).toBe(shutdownMs);
      expect(completeChildSpec({ id: 'a', start, shutdownMs, type: 'supervisor' }, 'root').shutdownMs).toBe(shutdownMs);
    },
  );

  it.each([
    ['missing_id', { start }, 'A child of supervisor root has no id: { start: [Function: start] }'],
    ['missing_id', { id: null, start }, 'A child of supervisor root has no id: { id: null, start: [Function: start] }'],
    ['missing_id', undefined, 'A child of supervisor root has no id: undefined'],
    ['missing_id', null, 'A child of supervisor root has no id: null'],
    [
      'missing_start',
      { id: 'a' },
      "start must be a function that starts the child, got: undefined (child 'a' of supervisor root)",
    ],
    [
      'missing_start',
      { id: 'a', start: 'go' },
      "start must be a function that starts the child, got: 'go' (child 'a' of supervisor root)",
    ],
    [
      'invalid_restart_type',
      { id: 'mailer', start, restart: 'always' },
      "restart must be 'permanent', 'transient' or 'temporary', got: 'always' (child 'mailer' of supervisor root)",
    ],
    [
      'invalid_restart_type',
      { id: 'mailer', start, restart: null },
      "restart must be 'permanent', 'transient' or 'temporary', got: null (child 'mailer' of supervisor root)",
    ],
    [
      'invalid_shutdown',
      { id: 'a', start, shutdownMs: -1 },
      "shutdownMs must be milliseconds, 0 or more, Infinity or 'brutal_kill', got: -1 (child 'a' of supervisor root)",
    ],
    [
      'invalid_shutdown',
      { id: 'a', start, shutdownMs: NaN },
      "shutdownMs must be milliseconds, 0 or more, Infinity or 'brutal_kill', got: NaN (child 'a' of supervisor root)",
    ],
    [
      'invalid_shutdown',
      { id: 'a', start, shutdownMs: 'infinity' },
      "shutdownMs must be milliseconds, 0 or more, Infinity or 'brutal_kill', got: 'infinity' (child 'a' of supervisor root)",
    ],
    [
      'invalid_child_type',
      { id: Symbol('a'), start, type: 'job' },
      "type must be 'worker' or 'supervisor', got: 'job' (child Symbol(a) of supervisor root)",
    ],
  ])('refuses with %s: %o [S2]', (mistake, spec, message) => {
    const error = thrownBy(() => completeChildSpec(spec as ChildSpec, 'root'));
    expect(error).toBeInstanceOf(SupervisorConfigError);
    expect(error).toMatchObject({ name: 'SupervisorConfigError', code: 'SUPERVISOR_CONFIG', mistake, message });
  });
});

describe('completeChildSpecs', () => {
  it('keeps the order', () => {
    const specs = ['b', 'a', 'c'].map((id) => ({ id, start }));
    expect(completeChildSpecs(specs, 'root').map(({ id }) => id)).toEqual(['b', 'a', 'c']);
  });

  it('takes a string, a symbol and a class of one name for three ids', () => {
    class Cart {}
    const specs = ['Cart', Symbol('Cart'), Cart].map((id) => ({ id, start }));
    expect(completeChildSpecs(specs, 'root')).toHaveLength(3);
  });

  it('refuses two children with one id [S2]', () => {
    const error = thrownBy(() =>
      completeChildSpecs(
        [
          { id: 'a', start },
          { id: 'b', start },
          { id: 'a', start },
        ],
        'root',
      ),
    );
    expect(error).toBeInstanceOf(SupervisorConfigError);
    expect(error).toMatchObject({
      code: 'SUPERVISOR_CONFIG',
      mistake: 'duplicate_child_name',
      message: "Two children of supervisor root have the id 'a'; give one of them another.",
    });
  });
});
