import { Injectable, Module, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { GenServerOrchestrator } from './gen-server.orchestrator.js';

/**
 * Starts the servers after every other provider is initialised, and stops them before any provider is destroyed: databases are open for
 * as long as a process lives, regardless of the hook that opens or closes them.
 *
 * Nest orders its hooks by a module's distance from the root: the deepest is initialised first and destroyed last. A distance
 * below the root's puts this module at the very end of the start and the very beginning of the stop. The distance has a public
 * setter but no documentation, so a test pins the order on every supported Nest.
 */
@Injectable()
class GenServerLifecycle implements OnModuleInit, OnModuleDestroy {
  constructor(
    private readonly orchestrator: GenServerOrchestrator,
    modules: ModulesContainer,
  ) {
    for (const module of modules.values()) if (module.metatype === GenServerLifecycleModule) module.distance = -1;
  }

  onModuleInit(): Promise<void> {
    return this.orchestrator.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.orchestrator.stop();
  }
}

/** Must not be global: global modules are initialised first and destroyed last. */
@Module({ providers: [GenServerLifecycle] })
export class GenServerLifecycleModule {}
