import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { print } from '../../lib/runtime/secrets/print.js';
import { Redaction, REDACTED } from '../../lib/runtime/secrets/redaction.js';
import { markSecretField } from '../../lib/runtime/secrets/secret-fields.js';
import { Shape } from '../../lib/runtime/secrets/shape.js';

const CANARY = 'canary-4111';
const redaction = new Redaction();
const visible = (value: unknown, by = redaction): string =>
  inspect(by.withoutSecrets(value), { depth: Infinity, showHidden: true });

describe('names', () => {
  it.each([
    ...['password', 'PASSWORD', 'newPassword', 'password_hash', 'db-passwd', 'passphrase', 'pwd', 'pass'],
    ...['secret', 'clientSecret', 'secret_key', 'credentials', 'authorization', 'Authorization', 'proxy-authorization'],
    ...['token', 'accessToken', 'refresh_token', 'X-CSRF-Token', 'tokens', 'apiKey', 'API_KEY', 'x-api-key'],
    ...[
      'privateKey',
      'accessKeyId',
      'signing_key',
      'cookie',
      'Set-Cookie',
      'cookies',
      'sessionId',
      'auth',
      'jwt',
      'cvv',
    ],
  ])('%s is that of a secret', (name) => {
    expect(visible({ [name]: CANARY })).not.toContain(CANARY);
    expect(visible(new Map([[name, CANARY]]))).not.toContain(CANARY);
    expect(visible({ [Symbol(name)]: CANARY })).not.toContain(CANARY);
  });

  it.each(['name', 'passenger', 'compass', 'author', 'tokenizer', 'key', 'keyboard', 'monkey', 'session', 'bypass'])(
    '%s is not',
    (name) => {
      const value = { [name]: CANARY };
      expect(redaction.withoutSecrets(value)).toBe(value);
    },
  );

  it('are also those that the application gives, however they are spelt, and patterns as they are', () => {
    const own = new Redaction(['ibanNumber', /^pin\d$/g]);
    expect(visible({ 'IBAN-number': CANARY, pin1: CANARY, pin2: CANARY }, own)).not.toContain(CANARY);
    expect(visible({ Pin1: CANARY }, own)).toContain(CANARY);
    expect(visible({ password: CANARY }, own)).not.toContain(CANARY);
  });

  it('are known after any number of others', () => {
    const strict = new Redaction();
    for (let at = 0; at < 3_000; at++) strict.withoutSecrets({ [`name${at}`]: at });
    expect(visible({ name1: 'in sight', password: CANARY }, strict)).toMatch(/in sight/);
    expect(visible({ name1: 1, password: CANARY }, strict)).not.toContain(CANARY);
    expect(visible(new Map([['password', CANARY]]), strict)).not.toContain(CANARY);
  });

  it('say nothing of what is not there, or is only yes or no', () => {
    const value = { password: null, secret: undefined, hasToken: true, token: false };
    expect(redaction.withoutSecrets(value)).toBe(value);
  });
});

describe('what holds a secret', () => {
  class Account {
    constructor(
      readonly owner: string,
      readonly number: string,
    ) {}
    greeting() {
      return `hello ${this.owner}`;
    }
  }
  markSecretField(Account.prototype, 'number');
  class Savings extends Account {}

  it.each<[string, () => unknown]>([
    ['an object in an array in a map in a set', () => new Set([new Map([['a', [{ password: CANARY }]]])])],
    ['a key of a map', () => new Map([[{ password: CANARY }, 1]])],
    ['an object without a prototype', () => Object.assign(Object.create(null) as object, { password: CANARY })],
    ['a field that does not show', () => Object.defineProperty({}, 'password', { value: CANARY, enumerable: false })],
    ['a field of an error', () => Object.assign(new Error('refused'), { config: { headers: { cookie: CANARY } } })],
    ['the cause of an error', () => new Error('refused', { cause: { password: CANARY } })],
    ['one of many errors', () => new AggregateError([Object.assign(new Error('a'), { token: CANARY })])],
    ['a marked field of a class', () => [new Account('Ann', CANARY)]],
    ['one that a class inherits', () => [new Savings('Ann', CANARY)]],
    ['what is too far in to look', () => nested(5_000, { password: CANARY })],
    ['what comes behind too much of it', () => [Array.from({ length: 20_000 }, (_, at) => at), { password: CANARY }]],
    [
      'a very long map',
      () => new Map(Array.from({ length: 20_000 }, (_, at) => [at, at === 19_999 ? { password: CANARY } : at])),
    ],
    ['a proxy', () => new Proxy({ password: CANARY }, {})],
    ['a proxy in an object', () => ({ proxy: new Proxy({ password: CANARY }, {}) })],
  ])('is shown without it: %s', (_what, make) => {
    const value = make();
    const before = inspect(value, { depth: 5 });
    expect(visible(value)).not.toContain(CANARY);
    expect(print(value, Infinity)).not.toContain(CANARY);
    // The value itself is whose it is.
    expect(inspect(value, { depth: 5 })).toBe(before);
  });

  it('is given back as it is when there is none', () => {
    for (const value of [
      [1, { two: 2 }],
      new Error('plain'),
      new Map([['a', 1]]),
      new Date(0),
      Buffer.from('a'),
      'text',
    ]) {
      expect(redaction.withoutSecrets(value)).toBe(value);
    }
  });

  it('keeps its class, its circles, and the rest of what it holds', () => {
    const account: Account & { self?: unknown; opened: Date } = Object.assign(new Account('Ann', CANARY), {
      opened: new Date(0),
    });
    account.self = account;
    const shown = redaction.withoutSecrets(account);
    expect(shown).toBeInstanceOf(Account);
    expect(shown).toMatchObject({ owner: 'Ann', number: REDACTED, opened: new Date(0) });
    expect(shown.self).toBe(shown);
    expect(shown.greeting()).toBe('hello Ann');
  });

  it('keeps an error an error, with message and stack', () => {
    const error = Object.assign(new RangeError('too much'), { token: CANARY });
    const shown = redaction.withoutSecrets(error);
    expect(shown).toBeInstanceOf(RangeError);
    expect(shown).toMatchObject({ message: 'too much', stack: error.stack, token: REDACTED });
  });

  it('runs no code of its own while it is looked at', () => {
    const calls: unknown[] = [];
    const value = {
      get password() {
        calls.push('getter');
        return CANARY;
      },
      get harmless() {
        calls.push('getter');
        return 1;
      },
      list: new Proxy([], { get: () => calls.push('trap'), ownKeys: () => (calls.push('trap'), []) }),
    };
    expect(visible(value)).not.toContain(CANARY);
    expect(calls).toEqual([]);
  });

  it('takes no longer than a report may, however much it is', () => {
    const reads = { count: 0 };
    const counting = new Set(Array.from({ length: 100_000 }, (_, at) => at));
    counting[Symbol.iterator] = function* () {
      for (let at = 0; at < 100_000; at++) yield ++reads.count;
      return undefined;
    };
    redaction.withoutSecrets({ counting, password: CANARY });
    redaction.withoutSecrets(counting);
    expect(reads.count).toBeLessThan(50_000);
  });
});

describe('a shape', () => {
  class Cart {
    readonly items = [1, 2, 3];
    readonly owner = CANARY;
  }
  it.each<[string, unknown, string]>([
    ['text', CANARY, 'string'],
    ['a number', 4111, 'number'],
    ['null', null, 'null'],
    ['an array', [CANARY], 'Array(1)'],
    ['a map', new Map([[CANARY, CANARY]]), 'Map(1)'],
    [
      'an object',
      { name: CANARY, list: [CANARY], more: { a: 1 } },
      '{ name: string, list: Array(1), more: Object(1) }',
    ],
    ['an object without anything', {}, '{}'],
    ['an instance', new Cart(), 'Cart { items: Array(3), owner: string }'],
    ['a dictionary', Object.fromEntries(Array.from({ length: 11 }, (_, at) => [`${CANARY}${at}`, 1])), 'Object(11)'],
    ['a getter', Object.defineProperty({}, 'a', { get: () => CANARY, enumerable: true }), '{ a: getter }'],
    ['a proxy', new Proxy({ a: CANARY }, {}), 'Proxy'],
  ])('of %s is %s', (_what, value, expected) => {
    const shape = new Redaction([], false).shown(value);
    expect(shape).toBeInstanceOf(Shape);
    expect([String(shape), inspect(shape), JSON.parse(JSON.stringify(shape))]).toEqual([expected, expected, expected]);
  });
});

function nested(depth: number, innermost: unknown): unknown {
  let value = innermost;
  for (let at = 0; at < depth; at++) value = { value };
  return value;
}
