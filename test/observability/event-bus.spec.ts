import { describe, expect, it } from 'vitest';
import { EventBus } from '../../lib/observability/event-bus.js';
import type { GenServerEvent } from '../../lib/observability/events.js';
import type { RuntimeEvent } from '../../lib/runtime/ports.js';
import { settle } from '../support/manual-clock.js';
import { Boom } from '../support/tree.js';

const HIBERNATED = { type: 'gen_server.hibernated', label: 'Cart' } as unknown as RuntimeEvent;
const DROPPED = { type: 'gen_server.cast_dropped', destination: 'cart' } as unknown as RuntimeEvent;

/** A bus and a list of who heard what. */
function busAndList() {
  const bus = new EventBus();
  const heard: string[] = [];
  const listener = (who: string) => (event: GenServerEvent) => {
    heard.push(`${who} ${event.type}`);
  };
  return { bus, heard, listener };
}

describe('EventBus', () => {
  it('tells those who listen to the type, then those who listen to everything, in order of subscription', () => {
    const { bus, heard, listener } = busAndList();
    bus.onAny(listener('any 1'));
    bus.on('gen_server.hibernated', listener('one 1'));
    bus.on('gen_server.cast_dropped', listener('other'));
    bus.on('gen_server.hibernated', listener('one 2'));
    bus.onAny(listener('any 2'));
    bus.emit(HIBERNATED);
    expect(heard).toEqual(['one 1', 'one 2', 'any 1', 'any 2'].map((who) => `${who} gen_server.hibernated`));
  });

  it('tells them before emit returns, and hands over the event itself', () => {
    const { bus } = busAndList();
    let given: unknown;
    bus.onAny((event) => (given = event));
    bus.emit(HIBERNATED);
    expect(given).toBe(HIBERNATED);
  });

  it('does not tell a listener that is asleep, and tells one that cannot say', () => {
    const { bus, heard, listener } = busAndList();
    bus.on('gen_server.hibernated', listener('asleep'), () => false);
    bus.on('gen_server.hibernated', listener('cannot say'), () => {
      throw new Boom('asleep or not?');
    });
    expect(bus.wants('gen_server.hibernated')).toBe(true);
    bus.emit(HIBERNATED);
    expect(heard).toEqual(['cannot say gen_server.hibernated']);
  });

  describe('wants', () => {
    it('is false when nobody listens, so that nobody builds the event', () => {
      expect(new EventBus().wants('gen_server.hibernated')).toBe(false);
    });

    it('is true for the type that somebody listens to, and false again afterwards', () => {
      const { bus, listener } = busAndList();
      const unsubscribe = bus.on('gen_server.hibernated', listener('one'));
      expect(bus.wants('gen_server.hibernated')).toBe(true);
      expect(bus.wants('gen_server.cast_dropped')).toBe(false);
      unsubscribe();
      expect(bus.wants('gen_server.hibernated')).toBe(false);
    });

    it('is false while all who listen to the type are asleep', () => {
      const { bus, listener } = busAndList();
      let isAwake = false;
      bus.on('gen_server.hibernated', listener('one'), () => isAwake);
      bus.onTrouble('gen_server.hibernated', listener('two'), () => isAwake);
      expect(bus.wants('gen_server.hibernated')).toBe(false);
      isAwake = true;
      expect(bus.wants('gen_server.hibernated')).toBe(true);
    });

    it('is true when one of them is awake', () => {
      const { bus, listener } = busAndList();
      bus.on('gen_server.hibernated', listener('one'), () => false);
      bus.on('gen_server.hibernated', listener('two'));
      expect(bus.wants('gen_server.hibernated')).toBe(true);
    });

    it('is true for every type while somebody listens to everything', () => {
      const { bus, listener } = busAndList();
      const unsubscribe = bus.onAny(listener('any'));
      expect(bus.wants('whatever')).toBe(true);
      unsubscribe();
      expect(bus.wants('whatever')).toBe(false);
    });
  });

  describe('onTrouble', () => {
    const exited = (isClean: boolean) => ({ type: 'process.exited', isClean }) as unknown as RuntimeEvent;
    const stopped = (isUnexpected: boolean) =>
      ({ type: 'supervisor.child_stopped', isUnexpected }) as unknown as RuntimeEvent;

    it('hears of exits that are not clean, stops that are not as they should be, and of nothing that went well', () => {
      const { bus, heard, listener } = busAndList();
      bus.onTrouble('process.exited', listener('trouble'));
      bus.onTrouble('supervisor.child_stopped', listener('trouble'));
      for (const event of [exited(true), stopped(false)]) bus.emit(event);
      expect(heard).toEqual([]);
      for (const event of [exited(false), stopped(true)]) bus.emit(event);
      expect(heard).toEqual(['trouble process.exited', 'trouble supervisor.child_stopped']);
    });

    it('comes after who listens to the type and before who listens to everything', () => {
      const { bus, heard, listener } = busAndList();
      bus.onAny(listener('any'));
      bus.onTrouble('process.exited', listener('trouble'));
      bus.on('process.exited', listener('one'));
      bus.emit(exited(false));
      expect(heard).toEqual(['one', 'trouble', 'any'].map((who) => `${who} process.exited`));
    });

    it('does not make anybody build an event of what went well, unlike others', () => {
      const { bus, listener } = busAndList();
      const unsubscribe = bus.onTrouble('process.exited', listener('trouble'));
      expect([bus.wants('process.exited', true), bus.wants('process.exited')]).toEqual([false, true]);
      bus.on('process.exited', listener('one'));
      expect(bus.wants('process.exited', true)).toBe(true);
      unsubscribe();
      unsubscribe();
      expect([bus.wants('process.exited', true), bus.wants('supervisor.child_exited')]).toEqual([true, false]);
    });
  });

  describe('unsubscribing', () => {
    it('ends one subscription, also when the same listener has two', () => {
      const { bus, heard, listener } = busAndList();
      const twice = listener('twice');
      const unsubscribe = bus.on('gen_server.hibernated', twice);
      bus.on('gen_server.hibernated', twice);
      bus.emit(HIBERNATED);
      unsubscribe();
      unsubscribe();
      bus.emit(HIBERNATED);
      expect(heard).toHaveLength(3);
    });

    it('works during emit: who is unsubscribed hears no more, who subscribes hears the next', () => {
      const { bus, heard, listener } = busAndList();
      const unsubscribeFirst = bus.on('gen_server.hibernated', (event) => {
        listener('first')(event);
        unsubscribeFirst();
        unsubscribeSecond();
        bus.on('gen_server.hibernated', listener('third'));
      });
      const unsubscribeSecond = bus.on('gen_server.hibernated', listener('second'));
      bus.emit(HIBERNATED);
      expect(heard).toEqual(['first gen_server.hibernated']);
      bus.emit(HIBERNATED);
      expect(heard).toEqual(['first gen_server.hibernated', 'third gen_server.hibernated']);
    });
  });

  describe('a listener that throws', () => {
    const boom = new Boom('in a listener');
    const throwing = () => {
      throw boom;
    };

    it('breaks neither the emitter nor the others', () => {
      const { bus, heard, listener } = busAndList();
      bus.on('gen_server.hibernated', throwing);
      bus.on('gen_server.hibernated', listener('next'));
      bus.emit(HIBERNATED);
      expect(heard).toEqual(['next gen_server.hibernated']);
    });

    it('is detached, which is an event', () => {
      const { bus } = busAndList();
      const events: GenServerEvent[] = [];
      bus.on('observability.listener_detached', (event) => events.push(event));
      bus.on('gen_server.hibernated', throwing);
      bus.emit(HIBERNATED);
      bus.emit(HIBERNATED);
      expect(events).toEqual([
        { type: 'observability.listener_detached', during: 'gen_server.hibernated', error: boom },
      ]);
      expect(bus.wants('gen_server.hibernated')).toBe(false);
    });

    it('is detached when it listens to the detaching itself, without going round in circles', () => {
      const { bus, heard, listener } = busAndList();
      bus.on('observability.listener_detached', throwing);
      bus.onAny(throwing);
      bus.onAny(listener('any'));
      bus.emit(HIBERNATED);
      bus.emit(DROPPED);
      expect(heard.at(-1)).toBe('any gen_server.cast_dropped');
      expect(bus.wants('observability.listener_detached')).toBe(true);
      expect(heard.filter((line) => line === 'any observability.listener_detached')).toHaveLength(2);
    });

    it('is detached when it rejects, and nothing is left unhandled', async () => {
      const { bus } = busAndList();
      const events: unknown[] = [];
      bus.on('observability.listener_detached', ({ error }) => events.push(error));
      // eslint-disable-next-line @typescript-eslint/no-misused-promises -- what a user may well do
      bus.on('gen_server.hibernated', () => Promise.reject(boom));
      bus.emit(HIBERNATED);
      bus.emit(HIBERNATED);
      await settle();
      expect(events).toEqual([boom]);
      expect(bus.wants('gen_server.hibernated')).toBe(false);
    });
  });

  describe('what it hands out', () => {
    const emitted = (...events: readonly object[]): readonly Record<string, unknown>[] => {
      const bus = new EventBus();
      const seen: Record<string, unknown>[] = [];
      bus.onAny((event) => seen.push(event as never));
      for (const event of events) bus.emit(event as never);
      return seen;
    };

    it('is the event itself when it holds no secret', () => {
      const event = {
        type: 'process.exited',
        reason: new Error('boom'),
        cause: { a: 1 },
        message: ['text'],
        error: 'text',
      };
      expect(emitted(event)[0]).toBe(event);
    });

    it.each(['reason', 'cause', 'error', 'message'])('is without the secrets in its %s', (field) => {
      const event = {
        type: 'any',
        [field]: { password: 'hunter2', owner: 'ann' },
        state: { password: 'seen to already' },
      };
      expect(emitted(event)[0]).toEqual({ ...event, [field]: { password: '[redacted]', owner: 'ann' } });
      expect(event[field]).toEqual({ password: 'hunter2', owner: 'ann' });
    });

    it('has one copy of one reason, so that a reader who has seen it recognises it', () => {
      const reason = { password: 'hunter2' };
      const [crashed, exited] = emitted({ type: 'a', reason, cause: reason }, { type: 'b', reason });
      expect(crashed!['cause']).toBe(crashed!['reason']);
      expect(exited!['reason']).toBe(crashed!['reason']);
    });
  });
});
