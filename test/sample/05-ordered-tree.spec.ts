import { Test } from '@nestjs/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AppModule } from '../../sample/05-ordered-tree/src/app.module.js';
import { ShutdownReport } from '../../sample/05-ordered-tree/src/health/shutdown-report.js';
import { listenEarly } from '../../sample/05-ordered-tree/src/listen-early.js';
import { Warehouse } from '../../sample/05-ordered-tree/src/warehouse/warehouse.service.js';
import { ManualClock } from '../support/manual-clock.js';
import { bootTimed } from './support/boot.js';
import { type Http, http as httpTo } from './support/http.js';
import { SlowWarehouse } from './support/stand-ins.js';
import { processes } from './support/tree.js';

/** The shop, with a clock that stands still and a warehouse that packs when the test says so. */
async function shop() {
  const clock = new ManualClock();
  const warehouse = new SlowWarehouse();
  const { app, http } = await bootTimed(clock, AppModule.with({ clock }), { provider: Warehouse, value: warehouse });
  return { app, http, clock, warehouse };
}

/** The shop as main.ts starts it, with the port open and a warehouse that has not answered yet. */
async function shopThatStarts() {
  const warehouse = new SlowWarehouse();
  warehouse.isSlow = true;
  const module = Test.createTestingModule({ imports: [AppModule.with({ clock: new ManualClock() })] });
  module.overrideProvider(Warehouse).useValue(warehouse);
  const app = (await module.compile()).createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  const { url, started } = await listenEarly(app, 0);
  return { app, http: httpTo(url), started, session: await warehouse.sessions.next() };
}

/** Which servers `POST /crash/:server` started again, by its own account. */
async function crash(http: Http, server: string): Promise<readonly string[]> {
  const { status, json } = await http('POST', `/crash/${server}`);
  expect(status).toBe(201);
  const rows = json as readonly { server: string; before: string; after: string; restarted: boolean }[];
  expect(rows.map((row) => row.server)).toEqual(['Link', 'Stock', 'Orders']);
  for (const { before, after, restarted } of rows) expect(before !== after).toBe(restarted);
  return rows.filter(({ restarted }) => restarted).map((row) => row.server);
}

describe('readiness', () => {
  it('is 200 when the tree is up', async () => {
    const { http } = await shop();
    expect(await http('GET', '/ready')).toMatchObject({ status: 200, json: { status: 'running' } });
  });

  it('is 503 until the last server has finished its init, and so is everything else', async () => {
    const { http, started, session } = await shopThatStarts();
    expect(await http('GET', '/ready')).toMatchObject({ status: 503, json: { status: 'starting' } });
    expect((await http('GET', '/orders')).status).toBe(503);
    session.resolve(1);
    await started;
    expect((await http('GET', '/ready')).status).toBe(200);
    expect((await http('GET', '/orders')).json).toEqual({ sold: [], left: 10 });
  });

  it('is 503 when the tree has given up, and the Node process lives to say so', async () => {
    const { http } = await shop();
    // Three restarts of the module's supervisor for each of the three of the one above, which bears them all but the last.
    for (let time = 0; time < 16; time++) await http('POST', '/crash/orders');
    expect(await http('GET', '/ready')).toMatchObject({ status: 503, json: { status: 'gave_up' } });
    expect((await http('GET', '/orders')).status).toBe(503);
    expect((await http('POST', '/crash/orders')).status).toBe(503);
  });

  it('stays 200 while a server is started again', async () => {
    const { http, warehouse } = await shop();
    warehouse.isSlow = true;
    const crashed = crash(http, 'link');
    const session = await warehouse.sessions.next();
    expect((await http('GET', '/ready')).status).toBe(200);
    expect((await http('POST', '/crash/link')).status).toBe(503);
    expect((await http('GET', '/orders')).status).toBe(503);
    session.resolve(2);
    expect(await crashed).toEqual(['Link', 'Stock', 'Orders']);
    expect((await http('GET', '/orders')).json).toEqual({ sold: [], left: 10 });
  });
});

describe('rest_for_one', () => {
  it('starts them in the order of the providers', async () => {
    const { http } = await shop();
    const { WarehouseModule } = await processes(http);
    expect(WarehouseModule!.children.map(({ label }) => label)).toEqual(['Link', 'Stock', 'Orders']);
  });

  it.each([
    ['link', ['Link', 'Stock', 'Orders']],
    ['stock', ['Stock', 'Orders']],
    ['orders', ['Orders']],
  ])('a crash of %s takes along who comes after it: %j', async (server, restarted) => {
    const { http } = await shop();
    expect(await crash(http, server)).toEqual(restarted);
    expect((await http('GET', '/orders')).json).toEqual({ sold: [], left: 10 });
  });

  it('leaves nobody with the session of a link that is gone', async () => {
    const { http, warehouse } = await shop();
    await crash(http, 'link');
    const order = http('POST', '/orders', { item: 'tea' });
    (await warehouse.next()).resolve('a parcel');
    expect(await order).toMatchObject({ status: 201, json: { sold: 'a parcel' } });
  });

  it('fails an order that was under way, and the next one goes through', async () => {
    const { http, warehouse } = await shop();
    const order = http('POST', '/orders', { item: 'tea' });
    const parcel = await warehouse.next();
    const crashed = crash(http, 'stock');
    await http('GET', '/ready');
    parcel.resolve('a parcel');
    expect(await crashed).toEqual(['Stock', 'Orders']);
    expect((await order).status).toBe(500);
    const next = http('POST', '/orders', { item: 'tea' });
    (await warehouse.next()).resolve('a second parcel');
    expect((await next).status).toBe(201);
  });

  it('does not count as the end of the application', async () => {
    const { app, http } = await shop();
    await crash(http, 'link');
    expect(app.get(ShutdownReport).lines).toEqual([]);
  });

  it('has three servers to crash, and no more', async () => {
    const { http } = await shop();
    expect((await http('POST', '/crash/warehouse')).status).toBe(404);
  });
});

describe('orders', () => {
  it('are sold one at a time until nothing is left', async () => {
    const { http, warehouse } = await shop();
    const orders = Array.from({ length: 11 }, () => http('POST', '/orders', { item: 'tea' }));
    for (let at = 0; at < 10; at++) (await warehouse.next()).resolve(`parcel ${at}`);
    const statuses = (await Promise.all(orders)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([...Array.from({ length: 10 }, () => 201), 409]);
    expect((await http('GET', '/orders')).json).toEqual({
      sold: Array.from({ length: 10 }, (_, at) => `parcel ${at}`),
      left: 0,
    });
  });

  it.each([[{}], [{ item: '' }], [{ item: 5 }]])('refuses %j', async (body) => {
    const { http } = await shop();
    expect((await http('POST', '/orders', body)).status).toBe(400);
  });
});

describe('the end', () => {
  it('stops them from last to first, and reports it', async () => {
    const { app } = await shop();
    await app.close();
    expect(app.get(ShutdownReport).lines).toEqual([
      '  Orders after 0 ms: shutdown',
      '  Stock after 0 ms: shutdown',
      '  Link after 0 ms: shutdown',
    ]);
  });

  it('waits for the orders that are queued, each is answered, and the probe hears of it', async () => {
    const { app, http, clock, warehouse } = await shop();
    const orders = [http('POST', '/orders', { item: 'tea' }), http('POST', '/orders', { item: 'mug' })];
    const first = await warehouse.next();
    await http('GET', '/ready'); // the second is on its way
    expect((await processes(http))['Orders']!.queueLength).toBe(1);

    const closed = app.close();
    expect(await http('GET', '/ready')).toMatchObject({ status: 503, json: { status: 'stopping' } });
    await clock.advance(1_000);
    first.resolve('tea');
    (await warehouse.next()).resolve('mug');
    expect((await Promise.all(orders)).map(({ status }) => status)).toEqual([201, 201]);

    await closed;
    expect(app.get(ShutdownReport).lines[0]).toBe('  Orders after 1000 ms: shutdown');
  });

  it('does not wait for ever: who takes too long is killed, and the report says what was lost', async () => {
    const { app, http, clock, warehouse } = await shop();
    const order = http('POST', '/orders', { item: 'tea' });
    const { signal } = await warehouse.next();
    const closed = app.close();
    await clock.advance(20_000);
    await closed;
    expect((await order).status).toBeGreaterThanOrEqual(500);
    expect(signal.aborted).toBe(true);
    expect(app.get(ShutdownReport).lines.join()).toContain('NOT CLEAN');
  });
});
