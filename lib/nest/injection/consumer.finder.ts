import type { ModulesContainer } from '@nestjs/core';
import type { InjectionRequest } from './injection-requests.js';

/** Describes the consumer in this application that requested something by a decorator; undefined when only other applications did. */
export function findConsumer(
  modules: ModulesContainer,
  { token, aliases = [], consumers }: InjectionRequest & { readonly aliases?: readonly symbol[] },
): string | undefined {
  const tokens: readonly unknown[] = [token, ...aliases];
  for (const module of modules.values()) {
    for (const wrappers of [module.providers, module.controllers, module.injectables, module.middlewares]) {
      for (const wrapper of wrappers.values()) {
        const { metatype } = wrapper;
        if (!wrapper.isAlias && wrapper.inject?.some((injected) => tokens.includes(injected)))
          return `A factory in ${module.name}`;
        if (typeof metatype !== 'function' || wrapper.inject != null) continue;
        const consumer = consumers.find(
          (known) => (metatype === known.target || metatype.prototype instanceof known.target) && !known.isOptional(),
        );
        if (consumer !== undefined) return `${consumer.where} of ${metatype.name} in ${module.name}`;
      }
    }
  }
  return undefined;
}
