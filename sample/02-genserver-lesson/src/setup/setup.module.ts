import { Module } from '@nestjs/common';
import { Dictionary } from './dictionary.service.js';
import { SetupByContinue } from './setup-by-continue.server.js';
import { SetupByMessage } from './setup-by-message.server.js';
import { SetupController } from './setup.controller.js';

@Module({
  providers: [Dictionary, SetupByMessage, SetupByContinue],
  controllers: [SetupController],
})
export class SetupModule {}
