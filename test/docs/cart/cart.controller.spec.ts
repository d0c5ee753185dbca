import { Test } from '@nestjs/testing';
import { GenServerModule, getGenServerToken } from 'nestjs-genserver';
import { expect, it, vi } from 'vitest';
import { CartController } from './cart.controller.js';
import { CartModule } from './cart.module.js';
import { Cart } from './cart.server.js';

it('puts the item of the body into the cart', async () => {
  const add = vi.fn(async () => ({ items: ['tea'], cents: 450 }));
  const app = await Test.createTestingModule({ imports: [GenServerModule.forRoot(), CartModule] })
    .overrideProvider(getGenServerToken(Cart))
    .useValue({ add })
    .compile(); // runs no hooks, so no server starts

  expect(await app.get(CartController).add('tea')).toEqual({ items: ['tea'], cents: 450 });
  expect(add).toHaveBeenCalledWith('tea');
});
