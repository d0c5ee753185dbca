import { type DynamicModule, Module } from '@nestjs/common';
import { CLEANUP_EVERY_MS } from './cleanup.constants.js';
import { SessionsController } from './sessions.controller.js';
import { Sessions } from './sessions.server.js';

@Module({ providers: [Sessions], controllers: [SessionsController] })
export class CleanupModule {
  static every(ms: number): DynamicModule {
    return { module: CleanupModule, providers: [{ provide: CLEANUP_EVERY_MS, useValue: ms }] };
  }
}
