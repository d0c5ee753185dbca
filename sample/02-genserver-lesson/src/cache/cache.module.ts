import { Module } from '@nestjs/common';
import { CacheController } from './cache.controller.js';
import { Cache } from './cache.server.js';

@Module({ providers: [Cache], controllers: [CacheController] })
export class CacheModule {}
