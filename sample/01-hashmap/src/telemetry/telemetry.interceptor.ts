import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { GenServerClient, InjectGenServer } from 'nestjs-genserver';
import { Telemetry } from './telemetry.server.js';

/** Reports each request. A cast: no request waits for being counted. */
@Injectable()
export class TelemetryInterceptor implements NestInterceptor {
  constructor(@InjectGenServer(Telemetry) private readonly telemetry: GenServerClient<Telemetry>) {}

  intercept(context: ExecutionContext, next: CallHandler) {
    this.telemetry.executed(`${context.getClass().name}.${context.getHandler().name}`);
    return next.handle();
  }
}
