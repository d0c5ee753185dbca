import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Patch,
  Post,
  Put,
  Query,
  UseInterceptors,
} from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { Hashmap } from './hashmap.server.js';
import { JsonInterceptor } from './json.interceptor.js';
import { ValuePipe } from './value.pipe.js';

@Controller('hashmap')
@UseInterceptors(JsonInterceptor)
export class HashmapController {
  constructor(@InjectGenServer(Hashmap) private readonly hashmap: GenServerClient<Hashmap>) {}

  @Get()
  getAll() {
    return this.hashmap.getAll();
  }

  @Get(':key')
  get(@Param('key') key: string, @Query('default') fallback?: string) {
    return this.hashmap.get(key, fallback);
  }

  @Put(':key')
  put(@Param('key') key: string, @Body(ValuePipe) value: unknown) {
    return this.hashmap.put(key, value);
  }

  @Patch(':key')
  update(@Param('key') key: string, @Body(ValuePipe) value: unknown) {
    return this.hashmap.update(key, value);
  }

  @Delete(':key')
  @HttpCode(202)
  delete(@Param('key') key: string) {
    this.hashmap.delete(key);
  }

  @Post('crash')
  crash() {
    return this.hashmap.crash();
  }
}
