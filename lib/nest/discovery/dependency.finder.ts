import type { Type } from '@nestjs/common';
import type { NestModule, Wrapper } from './nest-container.js';

/** The metadata keys under which Nest's decorators keep the dependencies of a class. */
const CONSTRUCTOR_TYPES = 'design:paramtypes';
const CONSTRUCTOR_TOKENS = 'self:paramtypes';
const PROPERTY_TOKENS = 'self:properties_metadata';

/** The providers that would be injected into an instance of `type` created in `module`, as far as they exist. */
export function findDependencies(type: Type, module: NestModule): readonly Wrapper[] {
  return dependencyTokens(type)
    .map((token) => findProvider(token, module))
    .filter((wrapper) => wrapper !== undefined);
}

/** Whether `type` has dependencies, regardless of whether providers for them exist. */
export function wantsInjection(type: Type): boolean {
  return dependencyTokens(type).length > 0;
}

function dependencyTokens(type: Type): readonly unknown[] {
  const tokens = [...read<unknown>(CONSTRUCTOR_TYPES, type)];
  for (const { index, param } of read<{ index: number; param: unknown }>(CONSTRUCTOR_TOKENS, type)) {
    tokens[index] = param;
  }
  for (const { type: token } of read<{ type: unknown }>(PROPERTY_TOKENS, type)) tokens.push(token);
  return tokens.map(behindForwardReference);
}

function read<T>(key: string, type: Type): readonly T[] {
  return (Reflect.getMetadata(key, type) as readonly T[] | undefined) ?? [];
}

function behindForwardReference(token: unknown): unknown {
  return isForwardReference(token) ? token.forwardRef() : token;
}

function isForwardReference(token: unknown): token is { forwardRef: () => unknown } {
  return typeof token === 'object' && token !== null && 'forwardRef' in token;
}

/** The module's own provider, or else one that its imports export, global ones included. */
function findProvider(token: unknown, module: NestModule): Wrapper | undefined {
  const found = module.providers.get(token as Type) ?? findExported(token, module, new Set([module]));
  return found && behindAliases(found);
}

/** The target of `useExisting`, as Nest injects it: if that is transient, one shared instance for all consumers of the alias. */
function behindAliases(provider: Wrapper): Wrapper {
  if (!provider.isAlias || provider.host === undefined) return provider;
  const [token] = provider.inject as readonly unknown[];
  return findProvider(behindForwardReference(token), provider.host) ?? provider;
}

/** What an imported module imports is visible only if it exports that as well. */
function findExported(
  token: unknown,
  module: NestModule,
  seen: Set<NestModule>,
  isImported = false,
): Wrapper | undefined {
  for (const next of module.imports) {
    if (seen.has(next) || (isImported && !module.exports.has(next.metatype))) continue;
    seen.add(next);
    const exported = next.exports.has(token as Type) ? next.providers.get(token as Type) : undefined;
    const found = exported ?? findExported(token, next, seen, true);
    if (found !== undefined) return found;
  }
  return undefined;
}
