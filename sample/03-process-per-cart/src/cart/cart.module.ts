import { type DynamicModule, Module } from '@nestjs/common';
import { provideGenServer } from 'nestjs-genserver';
import { CartController } from './cart.controller.js';
import { CartRepository } from './cart.repository.js';
import { Cart } from './cart.server.js';
import { PriceService } from './price.service.js';

export interface CartOptions {
  readonly idleMinutes: number;
  readonly maxCarts: number;
}

@Module({ providers: [CartRepository, PriceService], controllers: [CartController] })
export class CartModule {
  static with({ idleMinutes, maxCarts }: CartOptions): DynamicModule {
    return {
      module: CartModule,
      providers: [
        // Listed like any other server, but what stands in the tree from the start is the supervisor of the carts to come.
        provideGenServer(Cart, {
          idleMs: idleMinutes * 60_000,
          // The budget counts the crashes of all carts together: three, the default, is nothing for thousands.
          supervisor: { maxChildren: maxCarts, maxRestarts: 1_000, withinMs: 5_000 },
        }),
      ],
    };
  }
}
