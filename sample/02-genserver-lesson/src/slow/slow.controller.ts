import { Controller, Get, Post } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { Reports } from './reports.server.js';

@Controller('slow')
export class SlowController {
  constructor(@InjectGenServer(Reports) private readonly reports: GenServerClient<Reports>) {}

  @Post()
  slowOperation() {
    return this.reports.slowOperation();
  }

  @Get()
  async ordered() {
    return { ordered: await this.reports.ordered() };
  }
}
