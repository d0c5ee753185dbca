import { Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR } from '@nestjs/core';
import { GenServerExceptionFilter, GenServerModule, provideGenServer, Supervisor } from 'nestjs-genserver';
import { HashmapController } from './hashmap/hashmap.controller.js';
import { Hashmap } from './hashmap/hashmap.server.js';
import { TelemetryController } from './telemetry/telemetry.controller.js';
import { TelemetryInterceptor } from './telemetry/telemetry.interceptor.js';
import { Telemetry } from './telemetry/telemetry.server.js';
import { TreeController } from './tree/tree.controller.js';

/**
 * What `MyApp.Application` is in Phoenix: `providers` is its list of children, `@Supervisor` its options. The supervisor is
 * called after the module.
 */
@Supervisor({ strategy: 'one_for_one', maxRestarts: 3, withinMs: 5_000 })
@Module({
  imports: [GenServerModule.forRoot()],
  providers: [
    // Servers start from top to bottom, each when the one before it has finished its init, and stop from bottom to top.
    // Telemetry comes first, so that it is there for whoever comes later.
    Telemetry,

    // A repo or another connection is no child here but an ordinary provider: whatever it opens in onModuleInit is open
    // before the first server starts, and is closed when the last one has stopped.

    // The arguments are evaluated here, once. Each incarnation starts from the same ones, so started_at outlives a crash.
    provideGenServer(Hashmap, {
      args: [{ app_name: 'Scuti', version: '1.0.0', started_at: new Date().toISOString() }],
    }),

    // The endpoint, last in a Phoenix list, is Nest itself: it listens when all servers run.
    { provide: APP_INTERCEPTOR, useClass: TelemetryInterceptor },
    { provide: APP_FILTER, useClass: GenServerExceptionFilter },
  ],
  controllers: [HashmapController, TelemetryController, TreeController],
})
export class AppModule {}
