import { describe, expect, it } from 'vitest';
import { INFO_ENVELOPE, TERMINATE_ENVELOPE } from '../../lib/runtime/mailbox/envelope.js';
import { Mailbox } from '../../lib/runtime/mailbox/mailbox.js';

function mailboxOf(...payloads: unknown[]): Mailbox {
  const mailbox = new Mailbox();
  for (const payload of payloads) mailbox.push(INFO_ENVELOPE, payload);
  return mailbox;
}

function drain(mailbox: Mailbox): unknown[] {
  const taken: unknown[] = [];
  while (!mailbox.isEmpty) taken.push(mailbox.take());
  return taken;
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

describe('Mailbox', () => {
  it('gives messages back in the order they came', () => {
    expect(drain(mailboxOf(1, 2, 3))).toEqual([1, 2, 3]);
  });

  it('shows the envelope of the oldest message and leaves it where it is', () => {
    const mailbox = new Mailbox();
    mailbox.push(TERMINATE_ENVELOPE, 'shutdown');
    mailbox.push(INFO_ENVELOPE, 'late');
    expect(mailbox.peek()).toBe(TERMINATE_ENVELOPE);
    expect(mailbox.length).toBe(2);
  });

  it('counts messages, not slots', () => {
    const mailbox = mailboxOf(1, 2, 3);
    mailbox.take();
    expect(mailbox.length).toBe(2);
    expect(mailbox.isEmpty).toBe(false);
  });

  it('takes undefined for a message like any other', () => {
    const mailbox = mailboxOf(undefined, null);
    expect(mailbox.length).toBe(2);
    expect(drain(mailbox)).toEqual([undefined, null]);
  });

  it.each([7, 8, 9, 1_000, 2_048, 2_049, 20_000, 140_000])(
    'keeps the order when %i messages wrap around the end of the ring',
    (count) => {
      const mailbox = mailboxOf(...range(0, 5));
      for (let i = 0; i < 5; i++) mailbox.take();
      for (const payload of range(0, count)) mailbox.push(INFO_ENVELOPE, payload);
      expect(drain(mailbox)).toEqual(range(0, count));
    },
  );

  it('keeps the order while a steady stream goes round many times', () => {
    const mailbox = new Mailbox();
    const taken: unknown[] = [];
    for (let i = 0; i < 10_000; i++) {
      mailbox.push(INFO_ENVELOPE, i);
      if (i % 3 !== 0) taken.push(mailbox.take());
    }
    expect([...taken, ...drain(mailbox)]).toEqual(range(0, 10_000));
  });

  it('goes on as new after a burst has made it large and it was emptied', () => {
    const mailbox = mailboxOf(...range(0, 20_000));
    drain(mailbox);
    mailbox.push(INFO_ENVELOPE, 'again');
    expect(mailbox.length).toBe(1);
    expect(drain(mailbox)).toEqual(['again']);
  });

  describe('forEach', () => {
    it('visits what waits, oldest first, and takes nothing', () => {
      const mailbox = mailboxOf(1, 2, 3);
      mailbox.take();
      const visited: unknown[] = [];
      mailbox.forEach((envelope, payload) => visited.push([envelope, payload]));
      expect(visited).toEqual([
        [INFO_ENVELOPE, 2],
        [INFO_ENVELOPE, 3],
      ]);
      expect(mailbox.length).toBe(2);
    });
  });

  describe('remove', () => {
    it.each([
      ['the first', 1, [2, 3, 4]],
      ['one in the middle', 3, [1, 2, 4]],
      ['the last', 4, [1, 2, 3]],
    ])('takes %s out and keeps the order of the others', (_which, victim, rest) => {
      const mailbox = mailboxOf(1, 2, 3, 4);
      expect(mailbox.remove(INFO_ENVELOPE, (payload) => payload === victim)).toBe(true);
      expect(mailbox.length).toBe(3);
      expect(drain(mailbox)).toEqual(rest);
    });

    it('takes only the first that matches', () => {
      const mailbox = mailboxOf('a', 'b', 'a');
      mailbox.remove(INFO_ENVELOPE, (payload) => payload === 'a');
      expect(drain(mailbox)).toEqual(['b', 'a']);
    });

    it('looks at messages of the given envelope only, and answers false when none matches', () => {
      const mailbox = new Mailbox();
      mailbox.push(TERMINATE_ENVELOPE, 'x');
      expect(mailbox.remove(INFO_ENVELOPE, () => true)).toBe(false);
      expect(mailbox.length).toBe(1);
    });

    it('works across the end of the ring', () => {
      const mailbox = mailboxOf(...range(0, 7));
      for (let i = 0; i < 6; i++) mailbox.take();
      for (const payload of range(7, 12)) mailbox.push(INFO_ENVELOPE, payload);
      mailbox.remove(INFO_ENVELOPE, (payload) => payload === 10);
      expect(drain(mailbox)).toEqual([6, 7, 8, 9, 11]);
    });
  });
});
