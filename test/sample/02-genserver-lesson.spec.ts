import type { INestApplication } from '@nestjs/common';
import { type GenServerClient, GenServerRuntime, getGenServerToken } from 'nestjs-genserver';
import { describe, expect, it } from 'vitest';
import { AppModule, type LessonOptions } from '../../sample/02-genserver-lesson/src/app.module.js';
import { ShoppingCart } from '../../sample/02-genserver-lesson/src/cart/shopping-cart.server.js';
import { Dictionary } from '../../sample/02-genserver-lesson/src/setup/dictionary.service.js';
import { Printer } from '../../sample/02-genserver-lesson/src/slow/printer.service.js';
import { ManualClock } from '../support/manual-clock.js';
import { bootTimed } from './support/boot.js';
import type { Http } from './support/http.js';
import { SlowDictionary, SlowPrinter } from './support/stand-ins.js';
import { processes } from './support/tree.js';

const MINUTE = 60_000;

/** The lesson, with a clock that stands still and slow services that wait for the test. */
async function lesson(options: LessonOptions = {}) {
  const clock = new ManualClock();
  const dictionary = new SlowDictionary();
  const printer = new SlowPrinter();
  const { app, http } = await bootTimed(
    clock,
    AppModule.with({ clock, ...options }),
    { provider: Dictionary, value: dictionary },
    { provider: Printer, value: printer },
  );
  return { app, http, clock, dictionary, printer };
}

describe('Counter', () => {
  it('counts 0, then 5, then 3: 8', async () => {
    const { http } = await lesson();
    expect((await http('GET', '/counter')).text).toBe('0');
    expect(await http('POST', '/counter/increment', { amount: 5 })).toMatchObject({ status: 202, text: '' });
    await http('POST', '/counter/increment', { amount: 3 });
    expect((await http('GET', '/counter')).text).toBe('8');
  });

  it('counts by one when nobody says by how much, and backwards', async () => {
    const { http } = await lesson();
    await http('POST', '/counter/increment');
    await http('POST', '/counter/increment', {});
    await http('POST', '/counter/increment', { amount: -3 });
    expect((await http('GET', '/counter')).text).toBe('-1');
  });

  it.each([['5'], [1.5], [[1]], [{}], [true]])('refuses %j for an amount', async (amount) => {
    const { http } = await lesson();
    expect((await http('POST', '/counter/increment', { amount })).status).toBe(400);
    expect((await http('GET', '/counter')).text).toBe('0');
  });

  it('ends at exactly 10 000 after 10 000 concurrent increments', async () => {
    const { http } = await lesson();
    const answers = await Promise.all(Array.from({ length: 10_000 }, () => http('POST', '/counter/increment')));
    expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
    expect((await http('GET', '/counter')).text).toBe('10000');
  }, 60_000);
});

describe('deferred setup', () => {
  const words = ['call', 'cast'];

  it('by message: says that it is initializing, and later that it is ready', async () => {
    const { http, dictionary } = await lesson();
    const [load] = [await dictionary.next(), await dictionary.next()];
    expect((await http('GET', '/setup/by-message')).json).toEqual({ status: 'initializing' });
    load.resolve(words);
    expect((await http('GET', '/setup/by-message')).json).toEqual({ status: 'ready', words });
  });

  it('by continue: lets callers wait until it is ready', async () => {
    const { http, dictionary } = await lesson();
    const [, load] = [await dictionary.next(), await dictionary.next()];
    let hasAnswered = false;
    const answer = http('GET', '/setup/by-continue').finally(() => (hasAnswered = true));
    await http('GET', '/counter');
    await queued(http, 'SetupByContinue');
    expect(hasAnswered).toBe(false);
    load.resolve(words);
    expect((await answer).json).toEqual({ status: 'ready', words });
  });

  it('does not keep the application from starting', async () => {
    const { http } = await lesson();
    expect((await http('GET', '/counter')).status).toBe(200);
  });

  it('tries again, as another incarnation, when it failed', async () => {
    const { http, dictionary } = await lesson();
    const [byMessage, byContinue] = [await dictionary.next(), await dictionary.next()];
    byMessage.reject(new Error('the shelf is empty'));
    const secondTry = await dictionary.next();
    expect((await processes(http))['SetupByMessage']).toMatchObject({ incarnation: 1 });
    expect((await http('GET', '/setup/by-message')).json).toEqual({ status: 'initializing' });
    secondTry.resolve(words);
    expect((await http('GET', '/setup/by-message')).json).toEqual({ status: 'ready', words });

    byContinue.reject(new Error('the shelf is empty'));
    (await dictionary.next()).resolve(words);
    expect((await http('GET', '/setup/by-continue')).json).toEqual({ status: 'ready', words });
    expect((await processes(http))['SetupByContinue']).toMatchObject({ incarnation: 1 });
  });

  it('is called off when the application ends', async () => {
    const { app, clock, dictionary } = await lesson();
    const load = await dictionary.next();
    expect(load.signal.aborted).toBe(false);
    await closed(app, clock);
    expect(load.signal.aborted).toBe(true);
  });
});

describe('an answer that comes later', () => {
  it('comes when the work is done, while the mailbox goes on', async () => {
    const { http, printer } = await lesson();
    const [first, second] = [http('POST', '/slow'), http('POST', '/slow')];
    const [one, two] = [await printer.next(), await printer.next()];
    expect((await http('GET', '/slow')).json).toEqual({ ordered: 2 });
    two.resolve('the second');
    one.resolve('the first');
    const texts = (await Promise.all([first, second])).map(({ text }) => text);
    expect(texts.sort()).toEqual(['the first', 'the second']);
  });

  it('may be an error, and the server lives', async () => {
    const { http, printer } = await lesson();
    const answer = http('POST', '/slow');
    (await printer.next()).reject(new Error('out of paper'));
    expect((await answer).status).toBe(500);
    expect((await processes(http))['Reports']).toMatchObject({ incarnation: 0 });
  });

  it('is given up after five seconds with 504; what comes then is dropped', async () => {
    const { http, clock, printer } = await lesson();
    const answer = http('POST', '/slow');
    const work = await printer.next();
    await clock.advance(5_000);
    expect(await answer).toMatchObject({ status: 504, json: { error: 'CALL_TIMEOUT' } });
    work.resolve('too late');
    expect((await http('GET', '/slow')).json).toEqual({ ordered: 1 });
  });
});

describe('KVStore', () => {
  it('puts, gets, lists and deletes', async () => {
    const { http } = await lesson();
    expect((await http('GET', '/kv')).json).toEqual([]);
    expect(await http('PUT', '/kv/name', { value: 'Nest' })).toMatchObject({ status: 200, text: 'ok' });
    await http('PUT', '/kv/version', { value: '12' });
    expect((await http('GET', '/kv')).json).toEqual(['name', 'version']);
    expect((await http('GET', '/kv/name')).json).toEqual({ value: 'Nest' });
    expect(await http('DELETE', '/kv/version')).toMatchObject({ status: 202, text: '' });
    expect((await http('GET', '/kv')).json).toEqual(['name']);
    expect((await http('GET', '/kv/version')).json).toEqual({ value: null });
  });

  it('has a second instance, which shares nothing with the first', async () => {
    const { http } = await lesson();
    await http('PUT', '/kv/a', { value: 'here' });
    await http('PUT', '/kv/a?store=other', { value: 'there' });
    await http('PUT', '/kv/b?store=other', { value: 'there' });
    expect((await http('GET', '/kv/a')).json).toEqual({ value: 'here' });
    expect((await http('GET', '/kv/a?store=other')).json).toEqual({ value: 'there' });
    expect((await http('GET', '/kv')).json).toEqual(['a']);
    await http('DELETE', '/kv/a?store=other');
    expect((await http('GET', '/kv?store=other')).json).toEqual(['b']);
    expect((await http('GET', '/kv/a')).json).toEqual({ value: 'here' });
    const tree = await processes(http);
    expect(tree["KVStore 'other'"]!.pid).not.toBe(tree['KVStore']!.pid);
  });

  it('refuses bodies without a value and stores that do not exist', async () => {
    const { http } = await lesson();
    expect((await http('PUT', '/kv/name', { valeu: 1 })).status).toBe(400);
    expect((await http('GET', '/kv?store=third')).status).toBe(404);
    expect((await http('PUT', '/kv/a?store=third', { value: 1 })).status).toBe(404);
    expect((await http('DELETE', '/kv/a?store=third')).status).toBe(404);
  });

  it.each(['__proto__', 'constructor', 'ключ', 'a/b'])('takes %j for a key like any other', async (key) => {
    const { http } = await lesson();
    const path = `/kv/${encodeURIComponent(key)}`;
    expect((await http('GET', path)).json).toEqual({ value: null });
    await http('PUT', path, { value: 1 });
    expect((await http('GET', path)).json).toEqual({ value: 1 });
    expect((await http('GET', '/kv')).json).toEqual([key]);
  });
});

describe('Cache', () => {
  it('puts by a cast and gets by a call, in the order they were sent', async () => {
    const { http } = await lesson();
    expect((await http('GET', '/cache/answer')).json).toEqual({ value: null });
    expect(await http('PUT', '/cache/answer', { value: 41 })).toMatchObject({ status: 202, text: '' });
    await http('PUT', '/cache/answer', { value: 42 });
    expect((await http('GET', '/cache/answer')).json).toEqual({ value: 42 });
    expect((await http('PUT', '/cache/answer')).status).toBe(400);
  });
});

describe('periodic cleanup', () => {
  it('drops what was not used between two cleanups, every 60 seconds, again and again', async () => {
    const { http, clock } = await lesson();
    const list = async () => (await http('GET', '/sessions')).json;
    expect(await http('POST', '/sessions/ada')).toMatchObject({ status: 202, text: '' });
    await clock.advance(59_999);
    await http('POST', '/sessions/bob');
    expect(await list()).toEqual(['ada', 'bob']);
    await clock.advance(1);
    expect(await list()).toEqual(['ada', 'bob']);
    await http('POST', '/sessions/bob');
    await clock.advance(60_000);
    expect(await list()).toEqual(['bob']);
    await clock.advance(60_000);
    expect(await list()).toEqual([]);

    await http('POST', '/sessions/eve');
    await clock.advance(10 * 60_000);
    expect(await list()).toEqual([]);
  });

  it('comes as often as one says', async () => {
    const { http, clock } = await lesson({ cleanupEveryMs: 500 });
    await http('POST', '/sessions/ada');
    await clock.advance(999);
    expect((await http('GET', '/sessions')).json).toEqual(['ada']);
    await clock.advance(1);
    expect((await http('GET', '/sessions')).json).toEqual([]);
  });
});

describe('monitor', () => {
  it('takes the dead off the list, and leaves the living on it', async () => {
    const { http } = await lesson();
    const before = await processes(http);
    const a = before["Worker 'worker:a'"]!.pid;
    const b = before["Worker 'worker:b'"]!.pid;
    expect(await http('POST', '/monitor/worker:a')).toMatchObject({ status: 201, json: { watching: a } });
    await http('POST', '/monitor/worker:a');
    await http('POST', '/monitor/worker:b');
    expect((await http('GET', '/monitor')).json).toEqual([
      { name: 'worker:a', pid: a },
      { name: 'worker:b', pid: b },
    ]);

    expect((await http('POST', '/monitor/worker:a/crash')).status).toBe(202);

    expect((await http('GET', '/monitor')).json).toEqual([{ name: 'worker:b', pid: b }]);
    const after = await processes(http);
    expect(after['Watcher']).toMatchObject({ incarnation: 0 });
    expect(after["Worker 'worker:a'"]).toMatchObject({ incarnation: 1 });
  });

  it('watches an incarnation, not a name: the next one has to be asked for', async () => {
    const { http } = await lesson();
    const { json: first } = await http('POST', '/monitor/worker:a');
    await http('POST', '/monitor/worker:a/crash');
    expect((await http('GET', '/monitor')).json).toEqual([]);
    const { json: second } = await http('POST', '/monitor/worker:a');
    expect(second).not.toEqual(first);
    await http('POST', '/monitor/worker:a/crash');
    expect((await http('GET', '/monitor')).json).toEqual([]);
  });

  it('knows two workers', async () => {
    const { http } = await lesson();
    expect((await http('POST', '/monitor/worker:c')).status).toBe(404);
    expect((await http('POST', '/monitor/other/crash')).status).toBe(404);
  });
});

describe('ShoppingCart', () => {
  const tea = { item: 'tea', price: 450 };
  const mug = { item: 'mug', price: 1_200 };
  const items = async (http: Http) => (await http('GET', '/cart')).json;

  it('starts empty; adds, lists and sums up', async () => {
    const { http } = await lesson();
    expect(await items(http)).toEqual([]);
    expect((await http('GET', '/cart/total')).json).toEqual({ total: 0 });
    expect(await http('POST', '/cart', tea)).toMatchObject({ status: 201, text: 'ok' });
    await http('POST', '/cart', mug);
    expect(await items(http)).toEqual([tea, mug]);
    expect((await http('GET', '/cart/total')).json).toEqual({ total: 1_650 });
  });

  it('removes the first match only', async () => {
    const { http } = await lesson();
    for (const item of [mug, tea, { ...tea, price: 500 }, tea]) await http('POST', '/cart', item);
    expect(await http('DELETE', '/cart/tea')).toMatchObject({ status: 200, text: 'ok' });
    expect(await items(http)).toEqual([mug, { ...tea, price: 500 }, tea]);
  });

  it('does not mind removing what is not there', async () => {
    const { http } = await lesson();
    await http('POST', '/cart', tea);
    expect(await http('DELETE', '/cart/mug')).toMatchObject({ status: 200, text: 'ok' });
    expect(await items(http)).toEqual([tea]);
  });

  it('is emptied by a cast', async () => {
    const { http } = await lesson();
    await http('POST', '/cart', tea);
    expect(await http('DELETE', '/cart')).toMatchObject({ status: 202, text: '' });
    expect(await items(http)).toEqual([]);
    expect((await http('GET', '/cart/total')).json).toEqual({ total: 0 });
  });

  it.each([[{}], [{ item: 'tea' }], [{ price: 1 }], [{ item: '', price: 1 }], [{ item: 1, price: 1 }]])(
    'refuses %j',
    async (body) => {
      const { http } = await lesson();
      expect((await http('POST', '/cart', body)).status).toBe(400);
    },
  );

  it.each([[-1], [0.5], ['450'], [null], [1e300]])('refuses %j for a price', async (price) => {
    const { http } = await lesson();
    expect((await http('POST', '/cart', { item: 'tea', price })).status).toBe(400);
    expect(await items(http)).toEqual([]);
  });

  it('is empty after 30 minutes without a change, not a millisecond earlier', async () => {
    const { http, clock } = await lesson();
    await http('POST', '/cart', tea);
    await clock.advance(30 * MINUTE - 1);
    expect(await items(http)).toEqual([tea]);
    await clock.advance(1);
    expect(await items(http)).toEqual([]);
  });

  it('counts the idle time from the last add or remove', async () => {
    const { http, clock } = await lesson();
    await http('POST', '/cart', tea);
    await clock.advance(20 * MINUTE);
    await http('POST', '/cart', mug);
    await clock.advance(20 * MINUTE);
    await http('DELETE', '/cart/tea');
    await clock.advance(30 * MINUTE - 1);
    expect(await items(http)).toEqual([mug]);
    await clock.advance(1);
    expect(await items(http)).toEqual([]);
  });

  it('is not kept by being looked at', async () => {
    const { http, clock } = await lesson();
    await http('POST', '/cart', tea);
    await clock.advance(20 * MINUTE);
    expect(await items(http)).toEqual([tea]);
    await http('GET', '/cart/total');
    await clock.advance(10 * MINUTE);
    expect(await items(http)).toEqual([]);
  });

  it('keeps one timer however often it is changed', async () => {
    const { app, clock } = await lesson();
    const cart = app.get<GenServerClient<ShoppingCart>>(getGenServerToken(ShoppingCart));
    await Promise.all(Array.from({ length: 100 }, (_, price) => cart.addItem('tea', price)));
    // Whatever is due fires before anybody takes a message: a hundred timers would be a hundred ticks.
    clock.jump(30 * MINUTE);
    expect(queueLength(app, 'ShoppingCart')).toBe(1);
  });

  it('survives a tick that already lies in the mailbox when an item is added', async () => {
    const { app, http, clock } = await lesson();
    const cart = app.get<GenServerClient<ShoppingCart>>(getGenServerToken(ShoppingCart));
    await http('POST', '/cart', tea);

    // The call is queued, then the timer fires behind it, and only then the cart takes its next message.
    const added = cart.with({ timeoutMs: Infinity }).addItem('mug', 1_200);
    clock.jump(30 * MINUTE);
    expect(queueLength(app, 'ShoppingCart')).toBe(2);
    await added;

    expect(await items(http)).toEqual([tea, mug]);
    await clock.advance(30 * MINUTE);
    expect(await items(http)).toEqual([]);
  });

  it('waits as many minutes as one says', async () => {
    const { http, clock } = await lesson({ cartIdleMinutes: 0.5 });
    await http('POST', '/cart', tea);
    await clock.advance(29_999);
    expect(await items(http)).toEqual([tea]);
    await clock.advance(1);
    expect(await items(http)).toEqual([]);
  });
});

describe('naming', () => {
  it('finds a process by its class, and another of the same class by { global }', async () => {
    const { http } = await lesson();
    const byClass = (await http('GET', '/naming/class')).json as { pid: string };
    const byGlobal = (await http('GET', '/naming/global')).json as { pid: string };
    expect(byClass).toMatchObject({ owner: 'everybody' });
    expect(byGlobal).toMatchObject({ owner: 'every node' });
    expect(byGlobal.pid).not.toBe(byClass.pid);
  });

  it('starts, asks, messages and stops a process under a key of our own registry', async () => {
    const { http } = await lesson();
    const started = await http('POST', '/naming/users/42');
    const { pid } = started.json as { pid: string };
    expect(started).toMatchObject({ status: 201, json: { key: 'user:42', pid } });
    await http('POST', '/naming/users/43');
    expect(await http('PUT', '/naming/users/42/nickname', { value: 'ada' })).toMatchObject({ status: 202, text: '' });
    expect((await http('GET', '/naming/users/42')).json).toEqual({ owner: 'user 42', nickname: 'ada', pid });
    expect((await http('GET', '/naming/users/43')).json).toMatchObject({ owner: 'user 43', nickname: null });
    expect(await http('DELETE', '/naming/users/42')).toMatchObject({ status: 200, text: 'ok' });
    expect((await http('GET', '/naming/users/42')).status).toBe(404);
    expect((await http('GET', '/naming/users/43')).status).toBe(200);
  });

  it('gives a key to one process at a time, and gives it away again', async () => {
    const { http } = await lesson();
    const answers = await Promise.all(Array.from({ length: 10 }, () => http('POST', '/naming/users/42')));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array<number>(9).fill(409)]);
    expect(answers.find(({ status }) => status === 409)!.text).toContain('user:42');
    await http('DELETE', '/naming/users/42');
    expect((await http('POST', '/naming/users/42')).status).toBe(201);
  });

  it('does not know users who were never started', async () => {
    const { http } = await lesson();
    expect((await http('GET', '/naming/users/42')).status).toBe(404);
    expect((await http('DELETE', '/naming/users/42')).status).toBe(404);
    expect((await http('PUT', '/naming/users/42/nickname', { value: 'ada' })).status).toBe(404);
    await http('POST', '/naming/users/42');
    expect((await http('PUT', '/naming/users/42/nickname', { value: 1 })).status).toBe(400);
    expect((await http('PUT', '/naming/users/42/nickname')).status).toBe(400);
  });
});

describe('the application', () => {
  it('has a supervisor per area, in the order of the modules', async () => {
    const { http } = await lesson();
    const { json } = await http('GET', '/tree');
    expect((json as { children: { label: string }[] }).children.map(({ label }) => label)).toEqual([
      'CounterModule',
      'SetupModule',
      'SlowModule',
      'KVStoreModule',
      'CacheModule',
      'CleanupModule',
      'MonitorModule',
      'CartModule',
      'NamingModule',
    ]);
  });

  it('leaves no process and no timer behind, those of the users included', async () => {
    const { app, http, clock } = await lesson();
    const runtime = app.get(GenServerRuntime);
    await http('POST', '/cart', { item: 'tea', price: 450 });
    await http('POST', '/naming/users/42');
    expect(clock.pendingTimers).toBeGreaterThan(0);
    await closed(app, clock);
    expect(clock.pendingTimers).toBe(0);
    expect(runtime.tree()).toBeUndefined();
    expect(runtime.status).toBe('stopped');
  });
});

/** Closes the application, and lets the time pass that a server has which waits for a service that never answers. */
async function closed(app: INestApplication, clock: ManualClock): Promise<void> {
  const closing = app.close();
  await clock.advance(10_000);
  await closing;
}

/** Resolves when a message waits for the server. Each look is a request of its own, so the event loop turns in between. */
async function queued(http: Http, label: string): Promise<void> {
  const tree = await processes(http);
  expect(tree[label]!.queueLength).toBeGreaterThan(0);
}

function queueLength(app: INestApplication, label: string): number {
  const find = (tree = app.get(GenServerRuntime).tree()!): typeof tree | undefined =>
    tree.label === label ? tree : tree.children.map(find).find((found) => found !== undefined);
  return find()!.queueLength;
}
