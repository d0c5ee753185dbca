import { ModuleRef, type ModulesContainer } from '@nestjs/core';

// Nest exports the container and not what it contains.
export type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;
export type Wrapper = NestModule['providers'] extends Map<unknown, infer W> ? W : never;

export function moduleRefOf(module: NestModule): ModuleRef {
  return module.getProviderByKey<ModuleRef>(ModuleRef).instance;
}

/** Nest's own order, corrected so that what a module imports always comes first, which Nest does not promise. */
export function modulesInOrder(container: ModulesContainer): readonly NestModule[] {
  const seen = new Set<NestModule>();
  const order: NestModule[] = [];
  const visit = (module: NestModule): void => {
    if (seen.has(module)) return;
    seen.add(module);
    for (const imported of module.imports) if (!imported.isGlobal) visit(imported);
    order.push(module);
  };
  [...container.values()].sort((a, b) => b.distance - a.distance).forEach(visit);
  return order;
}
