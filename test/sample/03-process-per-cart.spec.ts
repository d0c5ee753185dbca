import type { ProcessTree } from 'nestjs-genserver';
import { describe, expect, it } from 'vitest';
import { AppModule, type CartAppOptions } from '../../sample/03-process-per-cart/src/app.module.js';
import { CartRepository } from '../../sample/03-process-per-cart/src/cart/cart.repository.js';
import { PriceService } from '../../sample/03-process-per-cart/src/cart/price.service.js';
import { ManualClock, settle } from '../support/manual-clock.js';
import { bootTimed } from './support/boot.js';
import type { Http } from './support/http.js';
import { SlowPrices } from './support/stand-ins.js';

const MINUTE = 60_000;
const tea = { item: 'tea', quantity: 1 };
const mug = { item: 'mug', quantity: 1 };

/** The shop, with a clock that stands still and prices that the test gives. */
async function shop(options: CartAppOptions = {}) {
  const clock = new ManualClock();
  const prices = new SlowPrices();
  const { app, http } = await bootTimed(clock, AppModule.with({ clock, ...options }), {
    provider: PriceService,
    value: prices,
  });
  return { app, http, clock, prices };
}

interface Overview {
  readonly counts: { readonly active: number };
  readonly tree: ProcessTree;
}

async function overview(http: Http): Promise<Overview> {
  return (await http('GET', '/carts')).json as Overview;
}

/** The supervisor of the carts, as the tree shows it. */
async function supervisor(http: Http): Promise<ProcessTree> {
  const { tree } = await overview(http);
  return tree.children[0]!.children[0]!;
}

async function items(http: Http, owner: string): Promise<unknown> {
  return (await http('GET', `/carts/${owner}`)).json;
}

describe('a cart', () => {
  it('keeps what was added, in the order it came, and counts pieces of one kind together', async () => {
    const { http } = await shop();
    expect(await http('POST', '/carts/ada', tea)).toMatchObject({ status: 201, json: [tea] });
    await http('POST', '/carts/ada', { item: 'mug' });
    expect((await http('POST', '/carts/ada', { item: 'tea', quantity: 3 })).json).toEqual([
      { item: 'tea', quantity: 4 },
      mug,
    ]);
    expect(await items(http, 'ada')).toEqual([{ item: 'tea', quantity: 4 }, mug]);
  });

  it('says what it costs', async () => {
    const { http, prices } = await shop();
    await http('POST', '/carts/ada', tea);
    const total = http('GET', '/carts/ada/total');
    (await prices.next()).resolve(450);
    expect((await total).json).toEqual({ total: 450 });
  });

  it('is emptied by a cast', async () => {
    const { http } = await shop();
    await http('POST', '/carts/ada', tea);
    expect(await http('DELETE', '/carts/ada')).toMatchObject({ status: 202, text: '' });
    expect(await items(http, 'ada')).toEqual([]);
  });

  it('is nobody else’s', async () => {
    const { http } = await shop();
    await http('POST', '/carts/ada', tea);
    await http('POST', '/carts/grace', mug);
    expect(await items(http, 'ada')).toEqual([tea]);
    expect(await items(http, 'grace')).toEqual([mug]);
  });

  it.each(['__proto__', 'constructor', 'ключ', ' ', 'a/b'])('may belong to %j', async (owner) => {
    const { http } = await shop();
    const path = `/carts/${encodeURIComponent(owner)}`;
    expect((await http('GET', path)).json).toEqual([]);
    await http('POST', path, tea);
    expect((await http('GET', path)).json).toEqual([tea]);
  });

  it.each([
    [{}],
    [{ item: '' }],
    [{ item: 5 }],
    [{ item: 'tea', quantity: 0 }],
    [{ item: 'tea', quantity: 1.5 }],
    [{ item: 'tea', quantity: '1' }],
  ])('refuses %j, and no process is started for it', async (body) => {
    const { http } = await shop();
    expect((await http('POST', '/carts/ada', body)).status).toBe(400);
    expect((await overview(http)).counts.active).toBe(0);
  });
});

describe('checkout', () => {
  it('sells everything and leaves the cart empty', async () => {
    const { http, prices } = await shop();
    await http('POST', '/carts/ada', tea);
    const checkout = http('POST', '/carts/ada/checkout');
    (await prices.next()).resolve(450);
    expect(await checkout).toMatchObject({ status: 201, json: { items: [tea], total: 450 } });
    expect(await items(http, 'ada')).toEqual([]);
  });

  it('of an empty cart is a conflict, and nothing crashes', async () => {
    const { http } = await shop();
    expect((await http('POST', '/carts/ada/checkout')).status).toBe(409);
    expect((await supervisor(http)).children).toMatchObject([{ incarnation: 0 }]);
  });

  it('sells once, however many ask for it while the price is on its way', async () => {
    const { http, prices } = await shop();
    await http('POST', '/carts/ada', tea);
    const checkouts = Array.from({ length: 10 }, () => http('POST', '/carts/ada/checkout'));
    (await prices.next()).resolve(450);
    const statuses = (await Promise.all(checkouts)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(9);
  });

  it('does not throw away what is added while the price is on its way', async () => {
    const { http, prices } = await shop();
    await http('POST', '/carts/ada', tea);
    const checkout = http('POST', '/carts/ada/checkout');
    const price = await prices.next();
    const added = http('POST', '/carts/ada', mug);
    await http('GET', '/carts');
    price.resolve(450);
    expect((await checkout).json).toEqual({ items: [tea], total: 450 });
    expect((await added).json).toEqual([mug]);
    expect(await items(http, 'ada')).toEqual([mug]);
  });

  it('of one cart does not keep others waiting', async () => {
    const { http, prices } = await shop();
    await http('POST', '/carts/ada', tea);
    const checkout = http('POST', '/carts/ada/checkout');
    const price = await prices.next();
    expect((await http('POST', '/carts/grace', mug)).json).toEqual([mug]);
    price.resolve(450);
    expect((await checkout).status).toBe(201);
  });

  it('crashes with the price service: 500, nothing sold, and the next process has the items', async () => {
    const { http, prices } = await shop();
    await http('POST', '/carts/ada', tea);
    const checkout = http('POST', '/carts/ada/checkout');
    (await prices.next()).reject(new Error('no prices today'));
    expect((await checkout).status).toBe(500);
    expect(await items(http, 'ada')).toEqual([tea]);
    expect((await supervisor(http)).children).toMatchObject([{ incarnation: 1 }]);
  });

  it('is given up after five seconds with 504, and the price service hears when the application ends', async () => {
    const { app, http, clock, prices } = await shop();
    await http('POST', '/carts/ada', tea);
    const checkout = http('POST', '/carts/ada/checkout');
    const price = await prices.next();
    await clock.advance(5_000);
    expect(await checkout).toMatchObject({ status: 504, json: { error: 'CALL_TIMEOUT' } });
    // It waits for its price while it is told to stop, and is killed when its five seconds are over.
    const closed = app.close();
    await clock.advance(5_000);
    await closed;
    expect(price.signal.aborted).toBe(true);
  });
});

describe('processes', () => {
  it('are started on demand, by any request, one per owner', async () => {
    const { http } = await shop();
    expect((await overview(http)).counts).toMatchObject({ active: 0, workers: 0 });
    await Promise.all(Array.from({ length: 200 }, (_, at) => http('POST', `/carts/owner-${at % 2}`, tea)));
    expect((await overview(http)).counts).toMatchObject({ active: 2, workers: 2 });
    expect(await items(http, 'owner-0')).toEqual([{ item: 'tea', quantity: 100 }]);
    expect(await items(http, 'owner-1')).toEqual([{ item: 'tea', quantity: 100 }]);
  });

  it('stand in the tree below a dynamic supervisor, which stands there from the start', async () => {
    const { http } = await shop();
    expect(await supervisor(http)).toMatchObject({
      label: 'DynamicSupervisor(Cart)',
      type: 'supervisor',
      children: [],
    });
    await items(http, 'ada');
    expect((await supervisor(http)).children).toMatchObject([{ label: 'Cart', type: 'worker', status: 'running' }]);
  });

  it('are not more than maxCarts: 503, and those that are there answer', async () => {
    const { http } = await shop({ maxCarts: 1 });
    await http('POST', '/carts/ada', tea);
    expect(await http('POST', '/carts/grace', mug)).toMatchObject({
      status: 503,
      json: { message: 'Too many carts are open. Try again later.' },
    });
    expect(await items(http, 'ada')).toEqual([tea]);
  });
});

describe('passivation', () => {
  it('ends a process after 30 minutes without a request, and not before', async () => {
    const { http, clock } = await shop();
    await http('POST', '/carts/ada', tea);
    await clock.advance(30 * MINUTE - 1);
    expect((await overview(http)).counts.active).toBe(1);
    await items(http, 'ada');
    await clock.advance(30 * MINUTE - 1);
    expect((await overview(http)).counts.active).toBe(1);
    await clock.advance(1);
    expect((await overview(http)).counts.active).toBe(0);
  });

  it('comes after as many minutes as one likes', async () => {
    const { http, clock } = await shop({ cartIdleMinutes: 0.2 });
    await items(http, 'ada');
    await clock.advance(0.2 * MINUTE);
    expect((await overview(http)).counts.active).toBe(0);
  });

  it('loses nothing: the next process has what was saved', async () => {
    const { http, clock } = await shop();
    await http('POST', '/carts/ada', tea);
    await http('POST', '/carts/grace', tea);
    await http('DELETE', '/carts/grace');
    await clock.advance(30 * MINUTE);
    expect((await overview(http)).counts.active).toBe(0);
    expect(await items(http, 'ada')).toEqual([tea]);
    expect(await items(http, 'grace')).toEqual([]);
  });

  it('does not bring back a cart whose items cannot be loaded: 500, and the next request tries again', async () => {
    const { app, http } = await shop();
    const repository = app.get(CartRepository);
    const { load } = repository;
    repository.load = () => Promise.reject(new Error('no database today'));
    expect((await http('GET', '/carts/ada')).status).toBe(500);
    expect((await overview(http)).counts.active).toBe(0);
    repository.load = load;
    expect(await items(http, 'ada')).toEqual([]);
  });

  it('does not end a checkout that takes longer', async () => {
    const { http, clock, prices } = await shop({ cartIdleMinutes: 0.01 });
    await http('POST', '/carts/ada', tea);
    const checkout = http('POST', '/carts/ada/checkout');
    const price = await prices.next();
    await clock.advance(4_000);
    price.resolve(450);
    expect((await checkout).status).toBe(201);
  });

  it('2 000 carts at once: all there, all gone, and all back with what was in them', { timeout: 60_000 }, async () => {
    const { http, clock } = await shop();
    const owners = Array.from({ length: 2_000 }, (_, at) => `owner-${at}`);
    const added = await Promise.all(
      owners.map((owner, at) => http('POST', `/carts/${owner}`, { item: 'tea', quantity: at + 1 })),
    );
    expect(added.filter(({ status }) => status !== 201)).toEqual([]);
    expect((await overview(http)).counts).toMatchObject({ active: 2_000, workers: 2_000 });
    expect(await supervisor(http)).toMatchObject({ children: { length: 100 }, childrenNotShown: 1_900 });

    clock.jump(30 * MINUTE); // all of them in one go
    await settle();
    expect((await overview(http)).counts).toMatchObject({ active: 0 });
    expect(clock.pendingTimers).toBe(0);

    const back = await Promise.all(owners.map((owner) => items(http, owner)));
    expect(back).toEqual(owners.map((_, at) => [{ item: 'tea', quantity: at + 1 }]));
    expect((await overview(http)).counts).toMatchObject({ active: 2_000 });
  });
});
