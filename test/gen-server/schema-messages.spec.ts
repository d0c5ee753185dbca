import { describe, expect, it } from 'vitest';
import { MessageCleaner } from '../../lib/gen-server/schema/without-values.js';

const CARD = 'card-4111111111111111';
const UNSAID = 'it is not what the schema allows';

describe('what a schema says', () => {
  it.each<[string, string, unknown, string]>([
    ['a value', `received "${CARD}"`, CARD, 'received "…"'],
    ['a key of what it is about', `Unrecognized key: "${CARD}"`, { [CARD]: 1 }, 'Unrecognized key: "…"'],
    ['a key further in', `no ${CARD} here`, { a: [new Map([[CARD, 1]])] }, 'no … here'],
    ['a short value that stands alone', 'expected 12 or less, got 7', 7, 'expected 12 or less, got …'],
    ['nothing of it', 'must be a number', CARD, 'must be a number'],
  ])('is shown without %s', (_what, message, about, expected) => {
    expect(new MessageCleaner().clean(message, about)).toBe(expected);
  });

  it.each<[string, unknown, unknown]>([
    ['repeats the beginning of a long text', `received "${CARD.repeat(10).slice(0, 60)}…"`, CARD.repeat(10)],
    ['is too long to be compared', 'x'.repeat(501), 1],
    [
      'is about more than it can be compared with',
      'bad',
      Object.fromEntries(Array.from({ length: 9_000 }, (_, at) => [at, at])),
    ],
    ['is about what cannot be looked at', 'bad', new Proxy({}, {})],
    ['is no text', { toString: () => CARD }, 1],
  ])('is not shown when it %s', (_why, message, about) => {
    expect(new MessageCleaner().clean(message, about)).toBe(UNSAID);
  });

  it('is compared with so many values in all, however many issues there are', () => {
    const cleaner = new MessageCleaner();
    const about = Array.from({ length: 90 }, (_, at) => at);
    const said = Array.from({ length: 5 }, () => cleaner.clean('is bad', about));
    expect(said).toEqual(['is bad', 'is bad', UNSAID, UNSAID, UNSAID]);
  });

  it.each<[unknown, string | number]>([
    ['amount', 'amount'],
    [3, 3],
    [CARD, '…'],
    ['ann@example.org', '…'],
    ['x'.repeat(41), '…'],
    [{}, '…'],
  ])('points at %o as %o', (key, expected) => {
    expect(new MessageCleaner().cleanKey(key)).toBe(expected);
  });
});
