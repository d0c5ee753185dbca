import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { type Clock, GenServerExceptionFilter, GenServerModule } from 'nestjs-genserver';
import { ChatModule } from './chat/chat.module.js';

export interface ChatAppOptions {
  /** After how many minutes without a request the process of a conversation ends. Default: 15. */
  readonly chatIdleMinutes?: number;
  /** The most conversations in memory at a time. Default: 10 000. */
  readonly maxChats?: number;
  /** Tests turn it by hand. Default: the clock of the Node process. */
  readonly clock?: Clock;
}

@Module({ providers: [{ provide: APP_FILTER, useClass: GenServerExceptionFilter }] })
export class AppModule {
  static with({ chatIdleMinutes = 15, maxChats = 10_000, clock }: ChatAppOptions = {}): DynamicModule {
    return {
      module: AppModule,
      imports: [
        GenServerModule.forRoot(clock === undefined ? {} : { clock }),
        ChatModule.with({ idleMinutes: chatIdleMinutes, maxChats }),
      ],
    };
  }
}
