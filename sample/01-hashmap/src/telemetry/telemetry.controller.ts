import { Controller, Get } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { Telemetry } from './telemetry.server.js';

@Controller('telemetry')
export class TelemetryController {
  constructor(@InjectGenServer(Telemetry) private readonly telemetry: GenServerClient<Telemetry>) {}

  @Get()
  counts() {
    return this.telemetry.counts();
  }
}
