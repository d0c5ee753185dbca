import { Module } from '@nestjs/common';
import { provideGenServer } from 'nestjs-genserver';
import { KVStoreController } from './kv-store.controller.js';
import { KVStore } from './kv-store.server.js';

@Module({
  // One class, two processes: the first is named by the class, the second by what we say.
  providers: [KVStore, provideGenServer(KVStore, { name: 'other' })],
  controllers: [KVStoreController],
})
export class KVStoreModule {}
