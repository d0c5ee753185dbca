import { Test } from '@nestjs/testing';
import { closeWith, ManualClock, withManualClock } from 'nestjs-genserver/testing';
import { expect, it, onTestFinished } from 'vitest';
import { AppModule } from './app.module.js';
import { ABANDONED_MS } from './cart.server.js';

async function serve() {
  const clock = new ManualClock();
  const builder = Test.createTestingModule({ imports: [AppModule] });
  const module = await withManualClock(builder, clock).compile();
  const app = module.createNestApplication({ logger: false });
  onTestFinished(() => closeWith(clock, app));
  await app.listen(0);
  const url = `${await app.getUrl()}/cart`;
  const post = (item: string) =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ item }) });
  return { clock, post, contents: async () => (await fetch(url)).json() };
}

it('answers 404 for an item that is not sold', async () => {
  const { post } = await serve();
  expect((await post('gold')).status).toBe(404);
});

it('empties an abandoned cart', async () => {
  const { clock, post, contents } = await serve();
  expect((await post('tea')).status).toBe(201);
  await clock.advance(ABANDONED_MS);
  expect(await contents()).toEqual({ items: [], cents: 0 });
});
