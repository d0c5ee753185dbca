import { EventEmitter } from 'node:events';

/** A value that is no fun to look at, and how to make another. */
export interface HostileValue {
  readonly name: string;
  readonly make: () => unknown;
}

const explode = (): never => {
  throw new Error('looked at');
};

const TRAPS = Object.getOwnPropertyNames(Reflect) as readonly (keyof ProxyHandler<object>)[];
const EVERY_TRAP: ProxyHandler<object> = Object.fromEntries(TRAPS.map((trap) => [trap, explode]));

const revoked = (target: object): unknown => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

const withGetter = (key: PropertyKey, on: object = {}): object =>
  Object.defineProperty(on, key, { get: explode, enumerable: true, configurable: true });

const GETTERS: readonly PropertyKey[] = [
  ...['then', 'message', 'stack', 'name', 'cause', 'constructor', 'toString', 'toJSON', 'type', 'code', 'shutdown'],
  ...[
    'via',
    'global',
    'server',
    'key',
    'kind',
    'value',
    'issues',
    'length',
    'size',
    '~standard',
    'process',
    'badReturnValue',
  ],
  ...[Symbol.toPrimitive, Symbol.toStringTag, Symbol.iterator, Symbol.for('nodejs.util.inspect.custom')],
];

class Touchy extends Error {
  override get message(): string {
    return explode();
  }
  override get name(): string {
    return explode();
  }
  override get cause(): unknown {
    return explode();
  }
  override get stack(): string {
    return explode();
  }
}

/** One of each kind of value that throws, or answers something strange, when it is looked at. */
export const HOSTILE_VALUES: readonly HostileValue[] = [
  { name: 'a revoked proxy of an object', make: () => revoked({}) },
  { name: 'a revoked proxy of an array', make: () => revoked([]) },
  { name: 'a revoked proxy of a function', make: () => revoked(() => undefined) },
  { name: 'a revoked proxy of an error', make: () => revoked(new Error('x')) },
  { name: 'an object behind a revoked proxy', make: () => Object.setPrototypeOf({}, revoked({}) as object) as unknown },
  {
    name: 'an error behind a revoked proxy',
    make: () => Object.setPrototypeOf(new Error('x'), revoked({}) as object) as unknown,
  },
  { name: 'a proxy all of whose traps throw', make: () => new Proxy({}, EVERY_TRAP) },
  { name: 'a proxy of an error all of whose traps throw', make: () => new Proxy(new Error('x'), EVERY_TRAP) },
  { name: 'a proxy of a function all of whose traps throw', make: () => new Proxy(() => undefined, EVERY_TRAP) },
  ...TRAPS.flatMap((trap) => [
    { name: `a proxy whose ${trap} throws`, make: () => new Proxy({ a: 1 }, { [trap]: explode }) },
    { name: `a proxy of an error whose ${trap} throws`, make: () => new Proxy(new Error('x'), { [trap]: explode }) },
  ]),
  ...GETTERS.flatMap((key) => [
    { name: `an object whose ${String(key)} throws`, make: () => withGetter(key) },
    { name: `an error whose ${String(key)} throws`, make: () => withGetter(key, new Error('x')) },
  ]),
  { name: 'an array with an item that throws', make: () => withGetter('0', []) },
  {
    name: 'a map that cannot be walked',
    make: () => Object.assign(new Map([[1, 1]]), { entries: explode, [Symbol.iterator]: explode }),
  },
  { name: 'an error of a class whose accessors throw', make: () => new Touchy() },
  { name: 'an object without a prototype', make: () => Object.create(null) as unknown },
  {
    name: 'an object that prints itself badly',
    make: () => ({ [Symbol.for('nodejs.util.inspect.custom')]: explode, toString: explode, toJSON: explode }),
  },
  { name: 'a thenable that throws', make: () => ({ then: explode }) },
  { name: 'a promise whose constructor throws', make: () => withGetter('constructor', Promise.resolve(1)) },
  {
    name: 'a class of its own kind of instances',
    make: () =>
      class {
        static [Symbol.hasInstance] = explode;
      },
  },
  {
    name: 'an object that holds itself',
    make: () => {
      const circle: Record<string, unknown> = {};
      circle['self'] = [circle, new Map([[circle, circle]])];
      return circle;
    },
  },
  {
    name: 'a chain of a thousand prototypes',
    make: () => {
      let value: object = {};
      for (let at = 0; at < 1_000; at++) value = Object.create(value) as object;
      return value;
    },
  },
  {
    name: 'an object ten thousand deep',
    make: () => {
      let value: unknown = 1;
      for (let at = 0; at < 10_000; at++) value = { value };
      return value;
    },
  },
  { name: 'a URL', make: () => new URL('https://u:p@h/') },
  { name: 'headers', make: () => new Headers({ a: 'b' }) },
  { name: 'an emitter', make: () => new EventEmitter() },
  { name: 'an iterator', make: () => new Map([[1, 2]]).entries() },
  { name: 'a weak map', make: () => new WeakMap() },
  { name: 'the global object', make: () => globalThis },
  { name: 'a bigint of a million digits', make: () => 2n ** 3_000_000n },
];
