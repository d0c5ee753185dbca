import { ConfigurableModuleBuilder, type DynamicModule, Module, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { clientTokens } from './injection/inject-gen-server.js';
import { GENSERVER_MODULE_OPTIONS, GENSERVER_OPTION_OVERRIDES } from './gen-server.constants.js';
import { refuseRepeats } from './discovery/gen-server.explorer.js';
import { GenServerFeatureModule } from './gen-server-feature.module.js';
import * as messages from './gen-server.messages.js';
import type { GenServerModuleOptions, GenServerOptions } from './gen-server.options.js';
import { GenServerRuntime } from './gen-server-runtime.js';
import { GenServerLifecycleModule } from './tree/lifecycle.module.js';
import { provideGenServer } from './providers/provide-gen-server.js';
import { clientProviders, dynamicSupervisorProviders } from './providers/injected.providers.js';
import { registryProviders } from './providers/provide-registry.js';
import { GenServerOrchestrator } from './tree/gen-server.orchestrator.js';
import { TaskSupervisor } from './tree/task-supervisor.js';

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<GenServerModuleOptions>({
  optionsInjectionToken: GENSERVER_MODULE_OPTIONS,
})
  .setClassMethodName('forRoot')
  .build();

type AsyncOptions = Parameters<(typeof ConfigurableModuleClass)['forRootAsync']>[0];

/**
 * Gives an application its processes. Import `forRoot()` once, in the root module; everything else needs no import: servers are
 * listed as providers, clients are injected with `@InjectGenServer`.
 *
 * @publicApi
 */
@Module({})
export class GenServerModule extends ConfigurableModuleClass {
  constructor(modules: ModulesContainer) {
    super();
    const roots = [...modules.values()].filter(({ metatype }) => metatype === GenServerModule);
    if (roots.length > 1) throw messages.twoRoots();
    if (!roots[0]?.providers.has(GenServerOrchestrator)) throw messages.noRoot();
  }

  static override forRoot(options: GenServerModuleOptions = {}): DynamicModule {
    return live(super.forRoot(options));
  }

  static override forRootAsync(options: AsyncOptions): DynamicModule {
    return live(super.forRootAsync(options));
  }

  /**
   * Shorthand for `provideGenServer` in `providers`: the servers belong to the importing module, after its own.
   * The clients are exported, so that the importing module can inject them.
   */
  static forFeature(servers: readonly (Type | { server: Type; options?: GenServerOptions })[]): DynamicModule {
    const providers = servers.map((entry) =>
      typeof entry === 'function' ? provideGenServer(entry) : provideGenServer(entry.server, entry.options),
    );
    refuseRepeats(providers, 'GenServerModule.forFeature()');
    return { module: GenServerFeatureModule, providers, exports: providers.map(({ provide }) => provide) };
  }
}

/**
 * The module as it is when Nest reads it, not when `forRoot()` was called: decorators of classes that are loaded in between may
 * request further clients.
 */
function live(definition: DynamicModule): DynamicModule {
  const own = [GenServerOrchestrator, GenServerRuntime, TaskSupervisor];
  return {
    ...definition,
    global: true,
    get imports() {
      return [...(definition.imports ?? []), GenServerLifecycleModule];
    },
    get providers() {
      return [
        ...(definition.providers ?? []),
        ...own,
        { provide: GENSERVER_OPTION_OVERRIDES, useValue: {} },
        ...clientProviders(),
        ...dynamicSupervisorProviders(),
        ...registryProviders(),
      ];
    },
    get exports() {
      return [
        ...(definition.exports ?? []),
        ...own,
        ...clientTokens(),
        ...dynamicSupervisorProviders().map(({ provide }) => provide),
        ...registryProviders().map(({ provide }) => provide),
      ];
    },
  };
}
