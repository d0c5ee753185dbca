/** Makes what a stranger might send, or a bug of one's own: the same for the same random numbers. */
export class Arbitrary {
  constructor(private readonly random: () => number) {}

  chance(share: number): boolean {
    return this.random() < share;
  }

  upTo(most: number): number {
    return Math.floor(this.random() * (most + 1));
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)]!;
  }

  text(): string {
    const length = this.chance(0.002) ? 50_000 : this.upTo(12);
    let text = '';
    while (text.length < length)
      text += this.chance(0.6) ? this.pick(FRAGMENTS) : String.fromCodePoint(this.upTo(0xd7ff));
    return text;
  }

  /** A name for something that is to be invoked. */
  name(): unknown {
    if (this.chance(0.5)) return this.pick(NAMES);
    if (this.chance(0.6)) return `${this.chance(0.5) ? this.pick(NAMES).toString() : ''}${this.text()}`;
    return this.chance(0.5) ? Symbol(this.text()) : this.hostile();
  }

  args(): unknown[] {
    return Array.from({ length: this.upTo(3) }, () => (this.chance(0.5) ? this.json(4) : this.hostile()));
  }

  /** What JSON can say. */
  json(depth: number): unknown {
    const kind = depth === 0 ? this.upTo(3) : this.upTo(5);
    if (kind === 0) return this.text();
    if (kind === 1) return this.pick(NUMBERS);
    if (kind === 2) return this.pick([true, false, null]);
    if (kind === 3) return this.chance(0.01) ? Array.from({ length: 5_000 }, (_, at) => at) : this.upTo(100);
    if (kind === 4) return Array.from({ length: this.upTo(4) }, () => this.json(depth - 1));
    // As a parser makes it: `__proto__` is a field of its own.
    const fields = Array.from({ length: this.upTo(4) }, () => [
      this.chance(0.4) ? this.pick(KEYS) : this.text(),
      this.json(depth - 1),
    ]);
    return fields.reduce<object>(
      (made, [key, value]) =>
        Object.defineProperty(made, key as string, { value, enumerable: true, writable: true, configurable: true }),
      {},
    );
  }

  /** What no JSON can say. */
  hostile(): unknown {
    return this.pick(HOSTILE)(this);
  }
}

const NAMES: readonly (string | symbol)[] = [
  ...[
    'constructor',
    '__proto__',
    'prototype',
    'toString',
    'valueOf',
    'hasOwnProperty',
    '__defineGetter__',
    '__lookupSetter__',
  ],
  ...[
    'then',
    'catch',
    'finally',
    'toJSON',
    'call',
    'apply',
    'bind',
    'inspect',
    '$$typeof',
    'asymmetricMatch',
    'nodeType',
  ],
  ...[
    'onModuleInit',
    'onModuleDestroy',
    'onApplicationBootstrap',
    'beforeApplicationShutdown',
    'onApplicationShutdown',
  ],
  ...['init', 'terminate', 'codeChange', 'formatStatus', 'onConfigChange', 'state', 'self', 'from', 'with'],
  ...['take', 'give', 'checked', 'note', 'undecorated', 'hidden', '#private', 'onTick', 'onMore', 'more', 'lever'],
  ...[
    Symbol.iterator,
    Symbol.asyncIterator,
    Symbol.toPrimitive,
    Symbol.toStringTag,
    Symbol.for('nodejs.util.inspect.custom'),
  ],
];

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toJSON',
  'then',
  'type',
  'length',
  'value',
  'polluted',
  '0',
  '',
];
const FRAGMENTS = [
  'a',
  '0',
  '.',
  '/',
  '%',
  '\0',
  '\n',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  '__proto__',
  '\u202E',
  '🐝',
  ' ',
  '$',
];
const NUMBERS = [0, -0, 1, -1, 1.5, NaN, Infinity, -Infinity, Number.MAX_SAFE_INTEGER + 2, 5e-324, 2 ** 31, 2 ** 32];

const boom = (): never => {
  throw new Error('a trap');
};
/** Every trap of a proxy throws. */
const EVERY_TRAP: ProxyHandler<object> = Object.fromEntries(
  Object.getOwnPropertyNames(Reflect).map((trap) => [trap, boom]),
);

type Make = (of: Arbitrary) => unknown;

const HOSTILE: readonly Make[] = [
  () => undefined,
  () => Symbol('a'),
  () => 10n ** 40n,
  () => () => 'called',
  () => class Anything {},
  () => Object.create(null) as object,
  () => new Date(NaN),
  () => /(a+)+$/,
  () => Buffer.alloc(64),
  () => new Uint32Array(8),
  () => new Map<unknown, unknown>([['__proto__', 1]]),
  () => new Set([NaN]),
  () => Object.assign(Object.create({ inherited: 1 }) as object, { own: 2 }),
  (of) => ({ type: of.name() }),
  (of) => of.name(),
  (of) => Object.freeze([of.json(2)]),
  () => new Error('sent'),
  () => new WeakMap(),
  () => Promise.resolve(1),
  () => JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}') as unknown,
  () => {
    const circle: Record<string, unknown> = {};
    circle['circle'] = [circle];
    return circle;
  },
  () => {
    let deep: unknown = 0;
    for (let at = 0; at < 2_000; at++) deep = [deep];
    return deep;
  },
  () => Object.defineProperty({}, 'then', { get: boom, enumerable: true }),
  () => Object.defineProperty({}, 'type', { get: boom, enumerable: true }),
  () => Object.defineProperty([], '0', { get: boom, enumerable: true }),
  () => ({ then: (resolve: (value: unknown) => void) => resolve('fooled') }),
  () => ({ then: boom }),
  () => ({ toString: boom, valueOf: boom, toJSON: boom, [Symbol.toPrimitive]: boom, [Symbol.iterator]: boom }),
  () => ({ [Symbol.for('nodejs.util.inspect.custom')]: boom }),
  () => new Proxy({}, EVERY_TRAP),
  () => new Proxy(() => undefined, EVERY_TRAP),
  () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  () => Object.setPrototypeOf({}, new Proxy({}, EVERY_TRAP)) as unknown,
  () => 'x'.repeat(10_000),
  () => new Array(100_000) as unknown[],
];
