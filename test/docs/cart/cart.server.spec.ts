import { NotFoundException } from '@nestjs/common';
import { startSupervised, TestWorld } from 'nestjs-genserver/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ABANDONED_MS, Cart } from './cart.server.js';
import { PriceService } from './price.service.js';

describe('Cart', () => {
  let world: TestWorld;
  beforeEach(() => {
    world = new TestWorld();
  });
  afterEach(() => world.stop());

  const open = () => startSupervised(world, Cart, { dependencies: [new PriceService()] });

  it('adds up what is put in', async () => {
    const cart = await open();
    await cart.add('tea');
    expect(await cart.add('mug')).toEqual({ items: ['tea', 'mug'], cents: 1_650 });
  });

  it('refuses what is not sold, and keeps what it has', async () => {
    const cart = await open();
    await cart.add('tea');
    await expect(cart.add('gold')).rejects.toThrow(NotFoundException);
    expect(await cart.contents()).toEqual({ items: ['tea'], cents: 450 });
  });

  it('is emptied when nobody touches it for half an hour', async () => {
    const cart = await open();
    await cart.add('tea');
    await world.clock.advance(ABANDONED_MS); // takes no real time
    expect(await cart.contents()).toEqual({ items: [], cents: 0 });
  });
});
