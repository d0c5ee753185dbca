import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type Clock, GenServerExceptionFilter, GenServerModule } from 'nestjs-genserver';
import { CartModule } from './cart/cart.module.js';

export interface CartAppOptions {
  /** After how many minutes without a request the process of a cart ends. Default: 30. */
  readonly cartIdleMinutes?: number;
  /** The most carts in memory at a time. Default: 100 000. */
  readonly maxCarts?: number;
  /** Tests turn it by hand. Default: the clock of the Node process. */
  readonly clock?: Clock;
}

@Module({ providers: [{ provide: APP_FILTER, useClass: GenServerExceptionFilter }] })
export class AppModule {
  static with({ cartIdleMinutes = 30, maxCarts = 100_000, clock }: CartAppOptions = {}): DynamicModule {
    return {
      module: AppModule,
      imports: [GenServerModule.forRoot({ clock }), CartModule.with({ idleMinutes: cartIdleMinutes, maxCarts })],
    };
  }
}
