import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CallTimeoutError, ServerExitedError } from '../../lib/gen-server/errors.js';
import { reply } from '../../lib/gen-server/results/callback-result.js';
import { configChange } from '../../lib/gen-server/client/config-change.js';
import { replyStream } from '../../lib/gen-server/streams/reply-stream.js';
import { sys } from '../../lib/gen-server/client/sys.js';
import { excerpt } from '../../lib/observability/excerpt.js';
import { formatReason } from '../../lib/runtime/exits/exit-reason.js';
import { print } from '../../lib/runtime/secrets/print.js';
import { Redaction } from '../../lib/runtime/secrets/redaction.js';
import { Shape } from '../../lib/runtime/secrets/shape.js';
import { settle } from '../support/manual-clock.js';
import { script } from '../support/script.js';
import { testWorld } from '../support/world.js';
import { rejectionOf } from '../support/thrown.js';

const CANARY = 'canary-4111-hunter2';
const form = new FormData();
form.set('field', CANARY);

/** What holds a secret without saying so by the name of a field. */
const CONTAINERS: Readonly<Record<string, () => unknown>> = {
  'a promise': () => Promise.resolve(CANARY),
  'a URL': () => new URL(`https://u:${CANARY}@h/`),
  'the parameters of a URL': () => new URLSearchParams({ q: CANARY }),
  headers: () => new Headers({ 'x-forwarded': CANARY }),
  'a request': () => new Request('https://h/', { headers: { 'x-forwarded': CANARY } }),
  'a form': () => form,
  'an iterator of a map': () => new Map([[CANARY, CANARY]]).entries(),
  'an iterator of a set': () => new Set([CANARY]).values(),
  'a boxed string': () => new String(CANARY),
  'a function with fields': () => Object.assign(() => undefined, { note: CANARY, password: CANARY }),
  'a class with fields': () => Object.assign(class Vault {}, { password: CANARY }),
  'a date with fields': () => Object.assign(new Date(0), { password: CANARY }),
  'a buffer with fields': () => Object.assign(Buffer.from('a'), { password: CANARY }),
  'an expression with fields': () => Object.assign(/a/, { password: CANARY }),
  'an array with fields': () => Object.assign([1], { password: CANARY }),
  'a map with fields': () => Object.assign(new Map([[1, 1]]), { password: CANARY }),
  'an object that prints itself': () => ({ [inspect.custom]: () => CANARY, toJSON: () => CANARY }),
  'an instance that prints itself': () =>
    new (class Purse {
      readonly #number = CANARY;
      toJSON() {
        return this.#number;
      }
      [inspect.custom]() {
        return this.#number;
      }
    })(),
  'a getter': () => Object.defineProperty({}, 'note', { get: () => CANARY, enumerable: true }),
  'a proxy': () => new Proxy({ note: CANARY }, {}),
};

/** Where it stands. */
const PLACES: Readonly<Record<string, (value: unknown) => unknown>> = {
  itself: (value) => value,
  'in an object': (value) => ({ a: { value } }),
  'in an array': (value) => [[value]],
  'in a map': (value) => new Map([['value', value]]),
  'as a key of a map': (value) => new Map([[value, 1]]),
  'in a set': (value) => new Set([value]),
  'in an error': (value) => Object.assign(new Error('refused'), { value }),
  'as the cause of an error': (value) => new Error('refused', { cause: value }),
};

/** All that can be read out of a value by whatever prints or serialises it. */
function readOut(value: unknown): string {
  const printed = inspect(value, { depth: Infinity, showHidden: true, maxArrayLength: null, maxStringLength: null });
  return `${printed}\n${JSON.stringify(value) ?? ''}`;
}

describe.each(Object.entries(CONTAINERS))(
  'what is not known to be harmless shows its class only: %s',
  (_name, make) => {
    it.each(Object.entries(PLACES))('%s', (_place, put) => {
      const value = put(make());
      for (const redaction of [new Redaction(), new Redaction([], false)]) {
        const shown = [
          redaction.withoutSecrets(value),
          redaction.shown(value),
          redaction.reason({ badReturnValue: value }),
        ];
        for (const one of [...shown, redaction.arguments([value], undefined)])
          expect(readOut(one)).not.toContain(CANARY);
        for (const text of [print(value, 9), formatReason(value), excerpt(redaction.shown(value))]) {
          expect(text).not.toContain(CANARY);
        }
      }
    });
  },
);

describe('what a value costs to show does not grow with it', () => {
  /** Counts the parts of it that are looked at, by the keys that are asked for their kind. */
  function counted(size: number) {
    const counts = { parts: 0 };
    const counting = (at: number) => ({
      get count() {
        return counts.parts++;
      },
      at,
    });
    return { counts, items: Array.from({ length: size }, (_, at) => counting(at)) };
  }
  const dictionary = (size: number) =>
    Object.fromEntries(Array.from({ length: size }, (_, at) => [`key${at}`, { at }]));
  const nested = (depth: number): unknown => (depth === 0 ? 'leaf' : { a: nested(depth - 1), b: nested(depth - 1) });

  const HUGE: Readonly<Record<string, () => unknown>> = {
    'an array': () => Array.from({ length: 50_000 }, (_, at) => ({ at })),
    'a sparse array': () => new Array(4_000_000_000),
    'a map': () => new Map(Array.from({ length: 50_000 }, (_, at) => [`key${at}`, { at }])),
    'a set': () => new Set(Array.from({ length: 50_000 }, (_, at) => `item${at}`)),
    'a dictionary': () => dictionary(50_000),
    'a dictionary of a thousand': () => dictionary(1_000),
    'an instance': () => Object.assign(new (class Many {})(), dictionary(10_000)),
    'a tree': () => nested(14),
    'a long text': () => 'x'.repeat(5_000_000),
    'long keys': () => ({ ['k'.repeat(1_000_000)]: 1 }),
    'long texts': () => Array.from({ length: 1_000 }, () => 'x'.repeat(10_000)),
    'a long number': () => 2n ** 1_000_000n,
    'a long symbol': () => Symbol('x'.repeat(1_000_000)),
    'a long name of a class': () => Object.defineProperty(class {}, 'name', { value: 'x'.repeat(1_000_000) }),
    'an error with a long message': () => new Error('x'.repeat(5_000_000)),
    'an error with many fields': () => Object.assign(new Error('x'), dictionary(10_000)),
    bytes: () => Buffer.alloc(5_000_000),
  };

  /** The parts of what is shown. */
  function partsOf(value: unknown, seen = new Set<unknown>()): number {
    if (typeof value !== 'object' || value === null || seen.has(value) || value instanceof Shape) return 1;
    seen.add(value);
    if (value instanceof Map) return [...value].flat().reduce<number>((sum, part) => sum + partsOf(part, seen), 1);
    if (value instanceof Set) return [...value].reduce<number>((sum, part) => sum + partsOf(part, seen), 1);
    return Object.values(value).reduce<number>((sum, part) => sum + partsOf(part, seen), 1);
  }

  it.each(Object.entries(HUGE))('%s', (_name, make) => {
    const value = make();
    for (const redaction of [new Redaction(), new Redaction([], false)]) {
      const args = redaction.arguments([value, value, value], undefined);
      if (typeof value === 'object' && value !== null) expect(partsOf(args)).toBeLessThan(1_000);
      const request = { handler: 'place', args };
      const reason = redaction.reason({ shutdown: value });
      expect(new CallTimeoutError('Shop', request, 5, 'waiting', 1).message.length).toBeLessThan(10_000);
      expect(new ServerExitedError('Shop', request, reason, reason).message.length).toBeLessThan(10_000);
    }
    for (const text of [
      print(value),
      print(value, 9),
      formatReason(value),
      excerpt(value),
      Shape.of(value).toString(),
    ]) {
      expect(text.length).toBeLessThan(5_000);
    }
  });

  it('nor with the number of arguments', () => {
    const args = Array.from({ length: 100_000 }, (_, at) => at);
    const request = { handler: 'place', args: new Redaction().arguments(args, undefined) };
    expect(request.args.length).toBeLessThan(1_000);
    expect(new CallTimeoutError('Shop', request, 5, 'waiting', 1).message.length).toBeLessThan(10_000);
  });

  it('and runs no code of its parts', () => {
    const { counts, items } = counted(10_000);
    new Redaction().withoutSecrets(items);
    print(items, 3);
    expect(counts.parts).toBe(0);
  });

  it('and what is small is shown as it is', () => {
    const order = { id: 7, items: [{ sku: 'a', quantity: 2 }], at: new Date(0), tags: new Set(['x']), by: undefined };
    expect(new Redaction().withoutSecrets(order)).toBe(order);
    expect(print(order, 2)).toBe(inspect(order, { depth: 2, breakLength: Infinity }));
  });
});

describe('a crash', () => {
  it('is put into words once, however many wait', async () => {
    const world = testWorld();
    const pid = await world.start(script({ handleCall: (_request, from) => from.later() }));
    const looked = { count: 0 };
    const reason = Object.defineProperty(new Error('boom'), 'message', {
      get: () => `looked at ${++looked.count} times`,
    });
    const waiting = Array.from({ length: 1_000 }, () => rejectionOf(world.call(pid, 'a')));
    await settle();
    world.exit(pid, reason);
    const messages = new Set((await Promise.all(waiting)).map((refused) => (refused as Error).message));
    expect(messages.size).toBe(1);
    expect(looked.count).toBeLessThan(10);
  });
});

describe('a secret of the configuration', () => {
  it.each([true, false])('is not in a trace (showValues: %s)', async (showValues) => {
    const world = testWorld({ showValues });
    const pid = await world.start({ ...script(), handleConfigChange: (_change, state) => reply(state) });
    const trace = await sys.trace(world.runtime, pid, 'on');
    configChange(world.runtime, { changed: { dbPassword: CANARY, url: `postgres://u:${CANARY}@h` } });
    await settle();
    expect(readOut(trace.entries())).not.toContain(CANARY);
    if (showValues) expect(readOut(trace.entries())).toContain('dbPassword');
  });
});

describe('what is no source of a stream', () => {
  it.each([CANARY, { note: CANARY }, new Map([[1, CANARY]]).size])('is not repeated: %o', (source) => {
    expect(() => replyStream(source as never)).toThrow(/got: (string|number|\{ note: string \})\./);
  });
});
