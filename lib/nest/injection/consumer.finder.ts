import type { ModulesContainer } from '@nestjs/core';
import type { ClientRequest } from './inject-gen-server.js';

/** Who in this application asked for something by a decorator, in words; undefined when only other applications did. */
export function findConsumer(
  modules: ModulesContainer,
  request: Pick<ClientRequest, 'token' | 'aliases' | 'consumers'>,
): string | undefined {
  for (const module of modules.values()) {
    for (const wrappers of [module.providers, module.controllers, module.injectables, module.middlewares]) {
      for (const wrapper of wrappers.values()) {
        const { metatype } = wrapper;
        const tokens = [request.token, ...request.aliases];
        if (!wrapper.isAlias && wrapper.inject?.some((token) => tokens.includes(token as symbol)))
          return `A factory in ${module.name}`;
        if (typeof metatype !== 'function' || wrapper.inject != null) continue;
        const consumer = request.consumers.find(
          (known) => (metatype === known.target || metatype.prototype instanceof known.target) && !known.isOptional(),
        );
        if (consumer !== undefined) return `${consumer.where} of ${metatype.name} in ${module.name}`;
      }
    }
  }
  return undefined;
}
