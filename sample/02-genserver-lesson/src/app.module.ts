import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type Clock, GenServerExceptionFilter, GenServerModule } from 'nestjs-genserver';
import { CacheModule } from './cache/cache.module.js';
import { CartModule } from './cart/cart.module.js';
import { CleanupModule } from './cleanup/cleanup.module.js';
import { CounterModule } from './counter/counter.module.js';
import { KVStoreModule } from './kv-store/kv-store.module.js';
import { MonitorModule } from './monitor/monitor.module.js';
import { NamingModule } from './naming/naming.module.js';
import { SetupModule } from './setup/setup.module.js';
import { SlowModule } from './slow/slow.module.js';
import { TreeController } from './tree.controller.js';

export interface LessonOptions {
  /** After how many minutes without a change a cart is emptied. Default: 30. */
  readonly cartIdleMinutes?: number;
  /** How often unused sessions are swept out, in milliseconds. Default: 60 000. */
  readonly cleanupEveryMs?: number;
  /** Tests turn it by hand. Default: the clock of the Node process. */
  readonly clock?: Clock;
}

/** Every area is a module, and every module that lists servers has a supervisor of its own. */
@Module({
  providers: [{ provide: APP_FILTER, useClass: GenServerExceptionFilter }],
  controllers: [TreeController],
})
export class AppModule {
  static with({ cartIdleMinutes = 30, cleanupEveryMs = 60_000, clock }: LessonOptions = {}): DynamicModule {
    return {
      module: AppModule,
      imports: [
        GenServerModule.forRoot({ clock }),
        CounterModule,
        SetupModule,
        SlowModule,
        KVStoreModule,
        CacheModule,
        CleanupModule.every(cleanupEveryMs),
        MonitorModule,
        CartModule.emptiedAfter(cartIdleMinutes),
        NamingModule,
      ],
    };
  }
}
