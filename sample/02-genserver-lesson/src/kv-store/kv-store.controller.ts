import { Body, Controller, Delete, Get, HttpCode, NotFoundException, Param, Put, Query } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { ValuePipe } from '../common/value.pipe.js';
import { KVStore } from './kv-store.server.js';

@Controller('kv')
export class KVStoreController {
  constructor(
    @InjectGenServer(KVStore) private readonly kvStore: GenServerClient<KVStore>,
    @InjectGenServer(KVStore, 'other') private readonly other: GenServerClient<KVStore>,
  ) {}

  @Get()
  keys(@Query('store') store?: string) {
    return this.storeNamed(store).keys();
  }

  @Get(':key')
  async get(@Param('key') key: string, @Query('store') store?: string) {
    return { value: await this.storeNamed(store).get(key) };
  }

  @Put(':key')
  put(@Param('key') key: string, @Body(ValuePipe) value: unknown, @Query('store') store?: string) {
    return this.storeNamed(store).put(key, value);
  }

  @Delete(':key')
  @HttpCode(202)
  delete(@Param('key') key: string, @Query('store') store?: string) {
    this.storeNamed(store).delete(key);
  }

  private storeNamed(store: string | undefined): GenServerClient<KVStore> {
    if (store === undefined) return this.kvStore;
    if (store === 'other') return this.other;
    throw new NotFoundException('There are two stores: the default one, and ?store=other');
  }
}
