import { Module } from '@nestjs/common';
import { Printer } from './printer.service.js';
import { Reports } from './reports.server.js';
import { SlowController } from './slow.controller.js';

@Module({ providers: [Printer, Reports], controllers: [SlowController] })
export class SlowModule {}
