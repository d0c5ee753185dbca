import { beforeEach, describe, expect, it } from 'vitest';
import { AlreadyTrackedError, NoPresenceError } from '../../lib/registry/errors.js';
import { Presence, PresenceDiff, type PresenceDiffs } from '../../lib/registry/presence.js';
import { InvalidArgumentError } from '../../lib/runtime/errors.js';
import { settle } from '../support/manual-clock.js';
import { type Probe, startProbe } from '../support/probe.js';
import { thrownBy } from '../support/thrown.js';
import { testWorld, type TestWorld } from '../support/world.js';

describe('presence', () => {
  let world: TestWorld;
  let presence: Presence;
  let phone: Probe;
  let laptop: Probe;
  let observer: Probe;
  let diffs: PresenceDiffs[];

  beforeEach(async () => {
    world = testWorld();
    presence = new Presence(world.pubsub);
    [phone, laptop, observer] = [await startProbe(world), await startProbe(world), await startProbe(world)];
    observer.self.subscribe('room');
    diffs = [];
    presence.listen((news) => diffs.push(news));
  });

  /** What the observer was told, since the last time. */
  const told = async (): Promise<unknown[]> => {
    await settle();
    return observer.messages.splice(0);
  };

  it('lists who is there, by key, with a state for each process (B5)', () => {
    const first = presence.track(phone.pid, 'room', 'ann', { device: 'phone' });
    const second = presence.track(laptop.pid, 'room', 'ann', { device: 'laptop' });
    const third = presence.track(laptop.pid, 'room', 'bob', {});
    presence.track(phone.pid, 'hall', 'ann', {});
    const ofPhone = { ref: first, previousRef: undefined, pid: phone.pid, meta: { device: 'phone' } };
    const ofLaptop = { ref: second, previousRef: undefined, pid: laptop.pid, meta: { device: 'laptop' } };
    expect(presence.list('room')).toEqual({
      ann: { metas: [ofPhone, ofLaptop] },
      bob: { metas: [{ ref: third, previousRef: undefined, pid: laptop.pid, meta: {} }] },
    });
    expect(presence.getByKey('room', 'ann')).toEqual([ofPhone, ofLaptop]);
    expect([presence.getByKey('room', 'carol'), presence.list('cellar')]).toEqual([[], {}]);
    expect(first).not.toEqual(second);
  });

  it('tells subscribers of the topic and listeners what has changed (B5)', async () => {
    const ref = presence.track(phone.pid, 'room', 'ann', 1);
    const joins = { ann: { metas: [{ ref, previousRef: undefined, pid: phone.pid, meta: 1 }] } };
    expect(await told()).toEqual([new PresenceDiff('room', joins, {})]);
    presence.untrack(phone.pid, 'room', 'ann');
    expect(await told()).toEqual([new PresenceDiff('room', {}, joins)]);
    expect(diffs).toEqual([
      { room: new PresenceDiff('room', joins, {}) },
      { room: new PresenceDiff('room', {}, joins) },
    ]);
  });

  it('refuses to track twice, and changes nothing then (B5)', async () => {
    presence.track(phone.pid, 'room', 'ann', 1);
    await told();
    const error = thrownBy(() => presence.track(phone.pid, 'room', 'ann', 2));
    expect(error).toBeInstanceOf(AlreadyTrackedError);
    expect(error).toMatchObject({
      name: 'AlreadyTrackedError',
      code: 'ALREADY_TRACKED',
      pid: phone.pid,
      topic: 'room',
      key: 'ann',
      message:
        `${phone.pid.toString()} is already tracked on topic 'room' under the key 'ann'. ` +
        'Change what is known of it with update.',
    });
    expect(presence.getByKey('room', 'ann').map(({ meta }) => meta)).toEqual([1]);
    expect(await told()).toEqual([]);
  });

  it('updates with a new ref that knows the previous one: a leave of what was, a join of what is (B5)', async () => {
    const first = presence.track(phone.pid, 'room', 'ann', { typing: false });
    await told();
    const second = presence.update(phone.pid, 'room', 'ann', { typing: true });
    const before = { ref: first, previousRef: undefined, pid: phone.pid, meta: { typing: false } };
    const after = { ref: second, previousRef: first, pid: phone.pid, meta: { typing: true } };
    expect(await told()).toEqual([new PresenceDiff('room', { ann: { metas: [after] } }, { ann: { metas: [before] } })]);
    const third = presence.update(phone.pid, 'room', 'ann', (meta) => ({ ...(meta as object), idle: true }));
    expect(presence.getByKey('room', 'ann')).toEqual([
      { ref: third, previousRef: second, pid: phone.pid, meta: { typing: true, idle: true } },
    ]);
    const fail = (): never => {
      throw new Error('boom');
    };
    expect(() => presence.update(phone.pid, 'room', 'ann', fail)).toThrow('boom');
    expect(presence.getByKey('room', 'ann')[0]!.ref).toBe(third);
  });

  it('has nothing to update where nobody is (B5)', async () => {
    const error = thrownBy(() => presence.update(phone.pid, 'room', 'ann', 1));
    expect(error).toBeInstanceOf(NoPresenceError);
    expect(error).toMatchObject({
      name: 'NoPresenceError',
      code: 'NO_PRESENCE',
      pid: phone.pid,
      topic: 'room',
      key: 'ann',
      message: `${phone.pid.toString()} is not tracked on topic 'room' under the key 'ann'. Call track first.`,
    });
    presence.track(phone.pid, 'room', 'ann', 1);
    expect(() => presence.update(laptop.pid, 'room', 'ann', 2)).toThrow(NoPresenceError);
    await world.stop(phone.pid);
    expect(() => presence.update(phone.pid, 'room', 'ann', 2)).toThrow(NoPresenceError);
  });

  it('ends where it is asked to, or everywhere, and twice is harmless (B5)', async () => {
    presence.track(phone.pid, 'room', 'ann', 1);
    presence.track(phone.pid, 'room', 'bob', 2);
    presence.track(phone.pid, 'hall', 'ann', 3);
    presence.track(laptop.pid, 'room', 'ann', 4);
    presence.untrack(phone.pid, 'room', 'ann');
    presence.untrack(phone.pid, 'room', 'ann');
    expect(presence.getByKey('room', 'ann').map(({ meta }) => meta)).toEqual([4]);
    diffs.length = 0;
    presence.untrack(phone.pid);
    presence.untrack(phone.pid);
    expect(diffs.map((each) => Object.keys(each))).toEqual([['room', 'hall']]);
    expect([Object.keys(presence.list('room')), Object.keys(presence.list('hall'))]).toEqual([['ann'], []]);
  });

  it('leaves with its process, all topics in one go and in the turn of the exit (B5)', async () => {
    const [a, b, c] = [
      presence.track(phone.pid, 'room', 'ann', 1),
      presence.track(phone.pid, 'room', 'bob', 2),
      presence.track(phone.pid, 'hall', 'ann', 3),
    ];
    await told();
    diffs.length = 0;
    let seen: unknown;
    world.events.on('process.exited', () => (seen = [presence.list('room'), presence.list('hall'), diffs.length]));
    world.exit(phone.pid, 'kill');
    await settle();
    expect(seen).toEqual([{}, {}, 1]);
    const meta = (ref: unknown, value: unknown) => ({
      metas: [{ ref, previousRef: undefined, pid: phone.pid, meta: value }],
    });
    const room = new PresenceDiff('room', {}, { ann: meta(a, 1), bob: meta(b, 2) } as never);
    const hall = new PresenceDiff('hall', {}, { ann: meta(c, 3) } as never);
    expect(diffs).toEqual([{ room, hall }]);
    expect(await told()).toEqual([room]);
    expect(tablesOf(presence)).toEqual([0, 0, 0]);
  });

  it('of a process that is dead already is a join and then a leave (B5)', async () => {
    await world.stop(phone.pid);
    const ref = presence.track(phone.pid, 'room', 'ann', 1);
    const joins = { ann: { metas: [{ ref, previousRef: undefined, pid: phone.pid, meta: 1 }] } };
    expect(await told()).toEqual([new PresenceDiff('room', joins, {}), new PresenceDiff('room', {}, joins)]);
    expect(presence.list('room')).toEqual({});
    expect(tablesOf(presence)).toEqual([0, 0, 0]);
    expect(() => presence.untrack(phone.pid, 'room', 'ann')).not.toThrow();
  });

  it('takes any string as a key, and can be sent as JSON', () => {
    for (const key of ['__proto__', 'constructor', '']) presence.track(phone.pid, 'room', key, key);
    expect(Object.keys(presence.list('room'))).toEqual(['__proto__', 'constructor', '']);
    const { constructor: sent } = JSON.parse(JSON.stringify(presence.list('room'))) as Record<string, unknown>;
    const { ref } = presence.getByKey('room', 'constructor')[0]!;
    expect(sent).toEqual({ metas: [{ ref: String(ref), pid: phone.pid.toString(), meta: 'constructor' }] });
    expect(() => presence.track(phone.pid, 'room', 1 as never, {})).toThrow(InvalidArgumentError);
    expect(() => presence.track('phone' as never, 'room', 'ann', {})).toThrow(InvalidArgumentError);
  });

  it('is not disturbed by a listener that throws, not even in the turn of an exit', async () => {
    presence.track(phone.pid, 'room', 'ann', 1);
    presence.listen(() => {
      throw new Error('boom');
    });
    const down = world.stop(phone.pid);
    await expect(down).resolves.toBeUndefined();
    expect(presence.list('room')).toEqual({});
    expect(world.seen.filter(({ type }) => type === 'registry.listener_detached')).toHaveLength(1);
  });

  // Whoever is told first may end what was just said to be there, in the same turn.
  it.each<[string, (end: () => void) => void]>([
    ['a listener of the topic', (end) => void world.pubsub.listen('room', end)],
    ['a listener of the presence', (end) => void presence.listen(end)],
    [
      'a listener of the topic that untracks',
      () => void world.pubsub.listen('room', () => presence.untrack(phone.pid)),
    ],
    ['an event of its end', (end) => void world.pubsub.listen('room', () => (world.events.onAny(end), end()))],
  ])('is heard of in the order in which it changes, by everybody, when it ends by %s', async (_what, add) => {
    presence.close();
    presence = new Presence(world.pubsub);
    diffs.length = 0;
    add(() => world.exit(phone.pid, 'kill'));
    const byTopic: unknown[] = [];
    world.pubsub.listen('room', (diff) => byTopic.push(diff));
    presence.listen((news) => diffs.push(news));
    presence.track(phone.pid, 'room', 'ann', 1);
    const messages = await told();
    const kinds = (all: unknown[]) => all.map((diff) => ('ann' in (diff as PresenceDiff).joins ? 'join' : 'leave'));
    expect(kinds(diffs.map(({ room }) => room))).toEqual(['join', 'leave']);
    expect(kinds(byTopic)).toEqual(['join', 'leave']);
    expect(kinds(messages)).toEqual(['join', 'leave']);
    expect(presence.list('room')).toEqual({});
  });

  it('is told of by nobody when it is closed', async () => {
    presence.track(phone.pid, 'room', 'ann', 1);
    await told();
    diffs.length = 0;
    presence.close();
    await world.stop(phone.pid);
    expect([await told(), diffs, presence.list('room'), tablesOf(presence)]).toEqual([[], [], {}, [0, 0, 0]]);
  });
});

function tablesOf(presence: Presence): number[] {
  const { present } = presence as unknown as {
    present: {
      topics: Map<unknown, unknown>;
      entries: { byKey: Map<unknown, unknown>; owners: Map<unknown, unknown> };
    };
  };
  const { topics, entries } = present;
  return [topics.size, entries.byKey.size, entries.owners.size];
}
