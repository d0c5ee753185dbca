import { Body, Controller, Get, HttpCode, Param, Put } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { ValuePipe } from '../common/value.pipe.js';
import { Cache } from './cache.server.js';

@Controller('cache')
export class CacheController {
  constructor(@InjectGenServer(Cache) private readonly cache: GenServerClient<Cache>) {}

  @Get(':key')
  async get(@Param('key') key: string) {
    return { value: await this.cache.get(key) };
  }

  @Put(':key')
  @HttpCode(202)
  put(@Param('key') key: string, @Body(ValuePipe) value: unknown) {
    this.cache.put(key, value);
  }
}
