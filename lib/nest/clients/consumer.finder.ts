import type { ModulesContainer } from '@nestjs/core';
import type { ClientRequest } from './client-injection.js';

/** Who in this application asked for a client, in words; undefined when only other applications did. */
export function findConsumer(modules: ModulesContainer, request: ClientRequest): string | undefined {
  for (const module of modules.values()) {
    for (const wrappers of [module.providers, module.controllers, module.injectables]) {
      for (const wrapper of wrappers.values()) {
        const { metatype } = wrapper;
        const tokens = [request.token, ...request.aliases];
        if (!wrapper.isAlias && wrapper.inject?.some((token) => tokens.includes(token as symbol)))
          return `A factory in ${module.name}`;
        if (typeof metatype !== 'function' || wrapper.inject != null) continue;
        const consumer = request.consumers.find(
          ({ target }) => metatype === target || metatype.prototype instanceof target,
        );
        if (consumer !== undefined) return `${consumer.where} of ${metatype.name} in ${module.name}`;
      }
    }
  }
  return undefined;
}
