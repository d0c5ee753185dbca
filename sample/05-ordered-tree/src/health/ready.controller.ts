import { Controller, Get, ServiceUnavailableException } from '@nestjs/common';
import { GenServerRuntime } from 'nestjs-genserver';

/** For the probe of whoever sends the traffic. It asks no server, so it answers while they are busy, too. */
@Controller('ready')
export class ReadyController {
  constructor(private readonly runtime: GenServerRuntime) {}

  @Get()
  ready() {
    const { isReady, status } = this.runtime;
    if (!isReady) throw new ServiceUnavailableException({ status });
    return { status };
  }
}
