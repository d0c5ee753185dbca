import { Controller, Get } from '@nestjs/common';
import { GenServerRuntime } from 'nestjs-genserver';

@Controller('tree')
export class TreeController {
  constructor(private readonly runtime: GenServerRuntime) {}

  @Get()
  tree() {
    return this.runtime.tree();
  }
}
