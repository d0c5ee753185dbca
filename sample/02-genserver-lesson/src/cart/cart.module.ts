import { type DynamicModule, Module } from '@nestjs/common';
import { CART_IDLE_MINUTES } from './cart.constants.js';
import { CartController } from './cart.controller.js';
import { ShoppingCart } from './shopping-cart.server.js';

@Module({ providers: [ShoppingCart], controllers: [CartController] })
export class CartModule {
  static emptiedAfter(minutes: number): DynamicModule {
    return { module: CartModule, providers: [{ provide: CART_IDLE_MINUTES, useValue: minutes }] };
  }
}
