import { describe, expect, it } from 'vitest';
import { INFO_ENVELOPE, TERMINATE_ENVELOPE } from '../../lib/runtime/mailbox/envelope.js';
import { Ref } from '../../lib/runtime/pid.js';
import { seededRandom } from '../../lib/testing/seeded-random.js';
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

  describe('withdraw', () => {
    it.each([0, 1, 2, 3])('takes out the message with the envelope, wherever it stands: in place %d', (place) => {
      const mailbox = mailboxOf(...range(0, place));
      const envelope = { kind: INFO_ENVELOPE.kind };
      mailbox.push(envelope, 'withdrawn');
      for (const payload of range(place, 3)) mailbox.push(INFO_ENVELOPE, payload);
      expect(mailbox.withdraw(envelope)).toBe(true);
      expect([mailbox.length, mailbox.withdraw(envelope)]).toEqual([3, false]);
      expect(drain(mailbox)).toEqual([0, 1, 2]);
    });

    it('answers false when there is none, and for an empty mailbox', () => {
      expect(mailboxOf(1).withdraw(TERMINATE_ENVELOPE)).toBe(false);
      expect(mailboxOf().withdraw(TERMINATE_ENVELOPE)).toBe(false);
    });
  });

  describe('removeByRef', () => {
    interface Mail {
      readonly ref: Ref;
      readonly kind: string;
    }
    const refs = range(0, 3_000).map((id) => new Ref(id));
    const mail = (id: number, kind = 'down'): Mail => ({ ref: refs[id]!, kind });
    const refOf = (payload: unknown) => (payload as Partial<Mail>).ref;
    const always = () => true;
    const remove = (mailbox: Mailbox, id: number, matches: (payload: unknown) => boolean = always) =>
      mailbox.removeByRef(INFO_ENVELOPE, refs[id]!, refOf, matches);
    const idsOf = (payloads: unknown[]) => payloads.map((payload) => (payload as Mail).ref.id);

    it.each([
      ['the first', 0, [1, 2, 3]],
      ['one in the middle', 2, [0, 1, 3]],
      ['the last', 3, [0, 1, 2]],
    ])('takes %s out and keeps the order of the others', (_which, victim, rest) => {
      const mailbox = mailboxOf(...range(0, 4).map((id) => mail(id)));
      expect(remove(mailbox, victim)).toBe(true);
      expect(mailbox.length).toBe(3);
      expect(idsOf(drain(mailbox))).toEqual(rest);
    });

    it('takes only the oldest that matches', () => {
      const mailbox = mailboxOf(mail(1, 'result'), mail(1), mail(2), mail(1));
      expect(remove(mailbox, 1, (payload) => (payload as Mail).kind === 'down')).toBe(true);
      expect(drain(mailbox)).toEqual([mail(1, 'result'), mail(2), mail(1)]);
    });

    it('looks at messages of the given envelope only, and answers false when none matches', () => {
      const mailbox = new Mailbox();
      expect(remove(mailbox, 1)).toBe(false);
      mailbox.push(TERMINATE_ENVELOPE, mail(1));
      expect(remove(mailbox, 1)).toBe(false);
      expect(mailbox.length).toBe(1);
    });

    it('finds what came after it has looked, and nothing that was taken meanwhile', () => {
      const mailbox = mailboxOf(mail(0), mail(1));
      expect(remove(mailbox, 2)).toBe(false);
      mailbox.take();
      mailbox.push(INFO_ENVELOPE, mail(2));
      expect([remove(mailbox, 0), remove(mailbox, 2)]).toEqual([false, true]);
      expect(idsOf(drain(mailbox))).toEqual([1]);
    });

    it('looks at each message once, in whatever order a long queue is emptied', () => {
      const mailbox = mailboxOf(...refs.map(({ id }) => mail(id)));
      let looks = 0;
      const count = (payload: unknown) => {
        looks++;
        return refOf(payload);
      };
      for (let step = 0; step < refs.length; step++) {
        const id = (step * 1_009) % refs.length;
        expect(mailbox.removeByRef(INFO_ENVELOPE, refs[id]!, count, always)).toBe(true);
      }
      expect(mailbox.isEmpty).toBe(true);
      // Once to find it, once to take it.
      expect(looks).toBe(2 * refs.length);
    });

    it('agrees with an array, whatever is pushed, taken and removed', () => {
      const random = seededRandom(7);
      const pick = (below: number) => Math.floor(random() * below);
      for (let round = 0; round < 200; round++) {
        const mailbox = new Mailbox();
        const expected: Mail[] = [];
        for (let step = 0; step < 300; step++) {
          const action = pick(round % 2 === 0 ? 3 : 5);
          if (action === 0 && expected.length > 0) expect(mailbox.take()).toBe(expected.shift());
          else if (action === 1) {
            const id = pick(20);
            const at = expected.findIndex(({ ref }) => ref.id === id);
            expect(remove(mailbox, id)).toBe(at !== -1);
            if (at !== -1) expected.splice(at, 1);
          } else {
            const item = mail(pick(20));
            expected.push(item);
            mailbox.push(INFO_ENVELOPE, item);
          }
          expect([mailbox.length, mailbox.isEmpty]).toEqual([expected.length, expected.length === 0]);
        }
        const left: unknown[] = [];
        mailbox.forEach((_envelope, payload) => left.push(payload));
        expect([left, drain(mailbox)]).toEqual([expected, expected]);
      }
    });
  });
});
