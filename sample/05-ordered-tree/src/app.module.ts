import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type Clock, GenServerExceptionFilter, GenServerModule } from 'nestjs-genserver';
import { HealthModule } from './health/health.module.js';
import { WarehouseModule } from './warehouse/warehouse.module.js';

export interface OrderedTreeOptions {
  /** Tests turn it by hand. Default: the clock of the Node process. */
  readonly clock?: Clock;
}

@Module({ providers: [{ provide: APP_FILTER, useClass: GenServerExceptionFilter }] })
export class AppModule {
  static with({ clock }: OrderedTreeOptions = {}): DynamicModule {
    return {
      module: AppModule,
      imports: [
        // 'keep' lets the readiness route say that the tree has given up. The default, 'shutdown', ends the Node process.
        GenServerModule.forRoot({ onTreeExit: 'keep', clock }),
        WarehouseModule,
        HealthModule,
      ],
    };
  }
}
