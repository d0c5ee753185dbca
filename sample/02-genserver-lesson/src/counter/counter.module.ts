import { Module } from '@nestjs/common';
import { provideGenServer } from 'nestjs-genserver';
import { CounterController } from './counter.controller.js';
import { Counter } from './counter.server.js';

@Module({
  // The start value. Counter alone would do as well: it starts from 0 by default.
  providers: [provideGenServer(Counter, { args: [0] })],
  controllers: [CounterController],
})
export class CounterModule {}
