import { Controller, Get, HttpCode, NotFoundException, Param, Post } from '@nestjs/common';
import { GenServerClient, GenServerRuntime, InjectGenServer } from 'nestjs-genserver';
import { Watcher } from './watcher.server.js';
import { type Worker, WORKERS } from './worker.server.js';

@Controller('monitor')
export class MonitorController {
  constructor(
    @InjectGenServer(Watcher) private readonly watcher: GenServerClient<Watcher>,
    private readonly runtime: GenServerRuntime,
  ) {}

  @Get()
  watched() {
    return this.watcher.watched();
  }

  @Post(':worker')
  async watch(@Param('worker') name: string) {
    const pid = this.runtime.whereis(this.checked(name));
    if (pid === undefined) throw new NotFoundException(`${name} does not live at the moment`);
    await this.watcher.watch(name, pid);
    return { watching: pid };
  }

  @Post(':worker/crash')
  @HttpCode(202)
  crash(@Param('worker') name: string) {
    this.runtime.client<Worker>(this.checked(name)).crash();
  }

  private checked(name: string): string {
    if (WORKERS.includes(name)) return name;
    throw new NotFoundException(`There is no worker ${name}, only ${WORKERS.join(' and ')}`);
  }
}
