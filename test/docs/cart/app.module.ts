import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { GenServerExceptionFilter, GenServerModule } from 'nestjs-genserver';
import { CartModule } from './cart.module.js';

@Module({
  imports: [GenServerModule.forRoot(), CartModule],
  providers: [{ provide: APP_FILTER, useClass: GenServerExceptionFilter }],
})
export class AppModule {}
