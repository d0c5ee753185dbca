import { beforeEach, describe, expect, it } from 'vitest';
import { Agent } from '../../lib/gen-server/agent.js';
import { type From } from '../../lib/gen-server/process/from.js';
import { noReply, ok, reply } from '../../lib/gen-server/results/callback-result.js';
import { replyStream } from '../../lib/gen-server/streams/reply-stream.js';
import { Sys } from '../../lib/gen-server/client/sys.js';
import { isolatedCopy } from '../../lib/runtime/isolation/isolated-copy.js';
import { Pid, Ref } from '../../lib/runtime/pid.js';
import { processOf } from '../../lib/runtime/process.js';
import { sendAfter, TimerRef } from '../../lib/runtime/timers.js';
import { Presence } from '../../lib/registry/presence.js';
import { script } from '../support/script.js';
import { testWorld, type TestWorld } from '../support/world.js';

/** Where in a value a handle may lie, and how to find it in a copy. */
const PLACES: readonly (readonly [string, (handle: object) => unknown, (copy: never) => unknown])[] = [
  ['the value itself', (handle) => handle, (copy) => copy],
  ['a field', (handle) => ({ handle }), (copy: { handle: unknown }) => copy.handle],
  ['a field named __proto__', (handle) => own('__proto__', handle), (copy) => own.get(copy, '__proto__')],
  ['an item', (handle) => ['first', handle], (copy: unknown[]) => copy[1]],
  [
    'a field of an array',
    (handle) => Object.assign([{ handle }], { handle }),
    (copy: { handle: unknown }) => copy.handle,
  ],
  [
    'deep in it',
    (handle) => ({ a: [{ b: new Map([['c', { handle }]]) }] }),
    (copy: { a: [{ b: Map<string, { handle: unknown }> }] }) => copy.a[0].b.get('c')!.handle,
  ],
  ['a value of a Map', (handle) => new Map([['key', handle]]), (copy: Map<string, unknown>) => copy.get('key')],
  ['a key of a Map', (handle) => new Map([[handle, 1]]), (copy: Map<unknown, unknown>) => [...copy.keys()][0]],
  ['an item of a Set', (handle) => new Set([handle]), (copy: Set<unknown>) => [...copy][0]],
  ['an object of a class', (handle) => new Holder(handle), (copy: Holder) => copy.handle],
  [
    'the cause of an error',
    (handle) => new TypeError('x', { cause: { handle } }),
    (copy: { cause: { handle: unknown } }) => copy.cause.handle,
  ],
  ['a circle', (handle) => circle(handle), (copy: { self: { self: { handle: unknown } } }) => copy.self.self.handle],
];

class Holder {
  constructor(readonly handle: object) {}
}

function own(key: string, value: unknown): object {
  return Object.defineProperty({}, key, { value, enumerable: true });
}
own.get = (copy: object, key: string): unknown => Object.getOwnPropertyDescriptor(copy, key)?.value;

function circle(handle: object): object {
  const value: Record<string, unknown> = { handle };
  value['self'] = value;
  return value;
}

describe("what isolation: 'clone' copies", () => {
  it.each(PLACES)('keeps a handle, and the rest is a copy: %s', (_where, place, find) => {
    const handle = new Pid(1, 0);
    const value = place(handle);
    const copy = isolatedCopy(value);
    expect(find(copy as never)).toBe(handle);
    if (value !== handle) expect(copy).not.toBe(value);
  });

  it('keeps what is shared and what is circular within the value', () => {
    const shared = { n: 1 };
    const bytes = new Uint8Array([1, 2, 3]);
    const pid = new Pid(1, 0);
    const value = {
      pid,
      first: shared,
      second: [shared, pid],
      bytes,
      view: bytes.subarray(1),
      date: new Date(5),
      me: null as unknown,
    };
    value.me = value;
    const copy = isolatedCopy(value);
    expect(copy.me).toBe(copy);
    expect(copy.second[0]).toBe(copy.first);
    expect(copy.first).not.toBe(shared);
    expect(copy.view.buffer).toBe(copy.bytes.buffer);
    expect(copy.bytes.buffer).not.toBe(bytes.buffer);
    expect(copy.date).toEqual(new Date(5));
    expect(copy.second[1]).toBe(pid);
  });

  it('keeps the order of a Map and a Set, and the class, message and stack of an error', () => {
    const pid = new Pid(1, 0);
    expect([
      ...isolatedCopy(
        new Map<unknown, unknown>([
          ['a', 1],
          [pid, 2],
          ['b', pid],
        ]),
      ),
    ]).toEqual([
      ['a', 1],
      [pid, 2],
      ['b', pid],
    ]);
    expect([...isolatedCopy(new Set(['a', pid, 'b']))]).toEqual(['a', pid, 'b']);
    const error = new RangeError('too far', { cause: pid });
    const copy = isolatedCopy(error);
    expect(copy).toBeInstanceOf(RangeError);
    expect(copy).toMatchObject({ name: 'RangeError', message: 'too far', stack: error.stack });
    expect(copy.cause).toBe(pid);
  });

  it.each([
    ['a function beside a handle', () => [new Pid(1, 0), () => 1]],
    ['a revoked proxy', () => [new Pid(1, 0), revoked()]],
    ['a proxy of a handle', () => new Proxy(new Pid(1, 0), {})],
    ['a promise', () => ({ pid: new Pid(1, 0), promise: Promise.resolve() })],
  ])('refuses what structuredClone refuses: %s', (_what, make) => {
    expect(() => isolatedCopy(make())).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
  });

  it('copies a list that is a hundred thousand items long and one that is deep', () => {
    const long = Array.from({ length: 100_000 }, (_, i) => ({ i }));
    const copied = isolatedCopy([new Pid(1, 0), long])[1] as typeof long;
    expect([copied.length, copied[99_999]]).toEqual([100_000, { i: 99_999 }]);
    let deep: unknown = new Pid(1, 0);
    for (let i = 0; i < 1_000; i++) deep = [deep];
    let copy = isolatedCopy<unknown>(deep);
    while (Array.isArray(copy)) copy = copy[0];
    expect(copy).toBeInstanceOf(Pid);
  });
});

describe("a server with isolation: 'clone'", () => {
  let world: TestWorld;

  beforeEach(() => {
    world = testWorld();
  });

  /** Each kind of handle that somebody may send. */
  const HANDLES: readonly (readonly [string, () => Promise<object> | object])[] = [
    ['Pid', () => world.start(script())],
    ['Ref', () => world.runtime.newRef()],
    ['TimerRef', async () => sendAfter(world.runtime, processOf(await world.start(script()))!, 'later', 1_000)],
    ['Agent', () => Agent.start(world.runtime, () => 0)],
    ['Sys', () => new Sys(world.runtime)],
    ['Registry', () => world.registries.create('names', { keys: 'unique' })],
    ['PubSub', () => world.pubsub],
    ['Presence', () => new Presence(world.pubsub)],
    ['ProcessGroups', () => world.groups],
    ['ReplyStream', async () => (await world.call(await world.start(script()), () => replyStream([1]))) as object],
  ];

  it.each(HANDLES)('gets, keeps and gives a %s itself: call, cast, arguments of init', async (_kind, make) => {
    const handle = await make();
    const echo = {
      init: ([given]: [{ handle: object }]) => ok(given.handle),
      handleCall: (request: { given?: object }, _from: unknown, state: object) =>
        reply({ handle: request.given ?? state }),
      handleCast: ({ handle: given }: { handle: object }) => noReply({ cast: given }),
    };
    const pid = await world.start(echo, { isolation: 'clone', args: [{ handle }] });
    expect(await world.call(pid, { given: handle })).toEqual({
      handle: expect.toSatisfy((seen) => seen === handle) as unknown,
    });
    expect(((await world.call(pid, {})) as { handle: unknown }).handle).toBe(handle);
    world.cast(pid, { handle });
    expect(((await world.call(pid, {})) as { handle: { cast: unknown } }).handle.cast).toBe(handle);
  });

  it('answers a caller that lies in its state, which is copied when it is looked at', async () => {
    const waiting = {
      init: () => ok([]),
      handleCall: (request: string, from: From<unknown>, state: { from: From<unknown> }[]) => {
        if (request === 'wait') return from.later([...state, { from }]);
        for (const one of state) one.from.reply(request);
        return reply(state.length, []);
      },
    };
    const pid = await world.start(waiting, { isolation: 'clone' });
    const first = world.call(pid, 'wait');
    const state = await new Sys(world.runtime).getState<{ from: From<unknown> }[]>(pid);
    expect(state).toHaveLength(1);
    expect(await world.call(pid, 'now')).toBe(1);
    expect(await first).toBe('now');
  });

  it('gives handles in the items of a stream', async () => {
    const ref = new Ref(7);
    const pid = await world.start(
      { init: () => ok(null), handleCall: () => replyStream([{ ref }]) },
      { isolation: 'clone' },
    );
    const stream = (await world.call(pid, 'items')) as AsyncIterable<{ ref: Ref }>;
    for await (const item of stream) expect(item.ref).toBe(ref);
    expect(new TimerRef(1)).toBeInstanceOf(Ref);
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
