import {
  ConfigurableModuleBuilder,
  type DynamicModule,
  Logger,
  Module,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common';
import { Presence } from '../registry/presence.js';
import { ProcessGroups } from '../registry/process-groups.js';
import type { PubSubOptions } from '../registry/pub-sub.js';
import { formatReason } from '../runtime/exits/exit-reason.js';
import * as messages from './gen-server.messages.js';
import { PubSub } from './clients/pub-sub.js';
import { GenServerOrchestrator } from './tree/gen-server.orchestrator.js';

/**
 * What `PubSubModule.forRoot()` takes.
 *
 * @publicApi
 */
export type PubSubModuleOptions = PubSubOptions;

/** Injects the options of `PubSubModule.forRoot()`. */
const PUB_SUB_MODULE_OPTIONS = Symbol('GENSERVER_PUB_SUB_MODULE_OPTIONS');

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<PubSubModuleOptions>({
  optionsInjectionToken: PUB_SUB_MODULE_OPTIONS,
})
  .setClassMethodName('forRoot')
  .build();

type AsyncOptions = Parameters<(typeof ConfigurableModuleClass)['forRootAsync']>[0];

/**
 * Makes {@link PubSub}, {@link Presence} and {@link ProcessGroups} injectable everywhere, and connects the PubSub to other nodes.
 * Import `forRoot()` once, beside `GenServerModule.forRoot()`. Servers need it for nothing: `self.subscribe` and `self.broadcast`
 * are there without it, on one node.
 *
 * The connection is up before any `onModuleInit`, and goes down after the last `onModuleDestroy`, when no server runs any more.
 *
 * @publicApi
 */
@Module({})
export class PubSubModule extends ConfigurableModuleClass implements OnApplicationShutdown {
  constructor(
    private readonly pubsub: PubSub,
    private readonly presence: Presence,
  ) {
    super();
  }

  static override forRoot(options: PubSubModuleOptions = {}): DynamicModule {
    return withProviders(super.forRoot(options));
  }

  static override forRootAsync(options: AsyncOptions): DynamicModule {
    return withProviders(super.forRootAsync(options));
  }

  async onApplicationShutdown(): Promise<void> {
    this.presence.close();
    try {
      await this.pubsub.close();
    } catch (error) {
      // The application still shuts down; noticing a node that left without a goodbye is up to the cluster.
      new Logger('GenServer').error(`The PubSub adapter did not disconnect: ${formatReason(error)}`);
    }
  }
}

/** Optional, so that a missing package is reported in our own words. */
const ORCHESTRATOR = { token: GenServerOrchestrator, optional: true };

const PROVIDERS: readonly Provider[] = [
  {
    provide: PubSub,
    inject: [ORCHESTRATOR, PUB_SUB_MODULE_OPTIONS],
    useFactory: async (orchestrator: GenServerOrchestrator | undefined, options: PubSubModuleOptions) => {
      const { pubsub } = known(orchestrator).world;
      await pubsub.connect(options);
      return pubsub;
    },
  },
  { provide: Presence, inject: [PubSub], useFactory: (pubsub: PubSub) => new Presence(pubsub) },
  {
    provide: ProcessGroups,
    inject: [ORCHESTRATOR],
    useFactory: (orchestrator: GenServerOrchestrator | undefined) => known(orchestrator).world.groups,
  },
];

function known(orchestrator: GenServerOrchestrator | undefined): GenServerOrchestrator {
  if (orchestrator === undefined) throw messages.noGenServerModule();
  return orchestrator;
}

function withProviders(definition: DynamicModule): DynamicModule {
  return {
    ...definition,
    global: true,
    providers: [...(definition.providers ?? []), ...PROVIDERS],
    exports: [...(definition.exports ?? []), PubSub, Presence, ProcessGroups],
  };
}
