import { Module } from '@nestjs/common';
import { provideGenServer } from 'nestjs-genserver';
import { MonitorController } from './monitor.controller.js';
import { Watcher } from './watcher.server.js';
import { Worker, WORKERS } from './worker.server.js';

@Module({
  providers: [Watcher, ...WORKERS.map((name) => provideGenServer(Worker, { name }))],
  controllers: [MonitorController],
})
export class MonitorModule {}
