import { ModuleRef, type ModulesContainer } from '@nestjs/core';

// Nest exports the container's type, but not the types of its contents.
export type NestModule = ModulesContainer extends Map<string, infer M> ? M : never;
export type Wrapper = NestModule['providers'] extends Map<unknown, infer W> ? W : never;

export function moduleRefOf(module: NestModule): ModuleRef {
  return module.getProviderByKey<ModuleRef>(ModuleRef).instance;
}

/** Nest's own order, corrected so that imported modules always come first, which Nest does not guarantee. */
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
