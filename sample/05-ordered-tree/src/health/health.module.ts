import { Module } from '@nestjs/common';
import { ReadyController } from './ready.controller.js';
import { ShutdownReport } from './shutdown-report.js';
import { TreeController } from './tree.controller.js';

@Module({ providers: [ShutdownReport], controllers: [ReadyController, TreeController] })
export class HealthModule {}
