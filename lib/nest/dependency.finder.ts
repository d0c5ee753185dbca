import type { Type } from '@nestjs/common';
import type { NestModule, Wrapper } from './gen-server.explorer.js';

/** Where Nest's decorators keep what a class wants injected. */
const CONSTRUCTOR_TYPES = 'design:paramtypes';
const CONSTRUCTOR_TOKENS = 'self:paramtypes';
const PROPERTY_TOKENS = 'self:properties_metadata';

/** The providers that an instance of `type`, made in `module`, would be given, as far as there are any. */
export function findDependencies(type: Type, module: NestModule): readonly Wrapper[] {
  return dependencyTokens(type)
    .map((token) => findProvider(token, module))
    .filter((wrapper) => wrapper !== undefined);
}

function dependencyTokens(type: Type): readonly unknown[] {
  const tokens = [...read<unknown>(CONSTRUCTOR_TYPES, type)];
  for (const { index, param } of read<{ index: number; param: unknown }>(CONSTRUCTOR_TOKENS, type)) {
    tokens[index] = param;
  }
  for (const { type: token } of read<{ type: unknown }>(PROPERTY_TOKENS, type)) tokens.push(token);
  return tokens.map((token) => (isForwardReference(token) ? token.forwardRef() : token));
}

function read<T>(key: string, type: Type): readonly T[] {
  return (Reflect.getMetadata(key, type) as readonly T[] | undefined) ?? [];
}

function isForwardReference(token: unknown): token is { forwardRef: () => unknown } {
  return typeof token === 'object' && token !== null && 'forwardRef' in token;
}

/** The module's own provider, else what its imports export, global ones included. */
function findProvider(token: unknown, module: NestModule): Wrapper | undefined {
  return module.providers.get(token as Type) ?? findExported(token, module, new Set([module]));
}

function findExported(token: unknown, module: NestModule, seen: Set<NestModule>): Wrapper | undefined {
  for (const imported of module.imports) {
    if (seen.has(imported)) continue;
    seen.add(imported);
    const exported = imported.exports.has(token as Type) ? imported.providers.get(token as Type) : undefined;
    const found = exported ?? findExported(token, imported, seen);
    if (found !== undefined) return found;
  }
  return undefined;
}
