import { expect } from 'vitest';
import type { ModuleMetadata, Type } from '@nestjs/common';
import { GenServerBase, GenServerRuntime, HandleCast, noReply, ok } from 'nestjs-genserver';
import { settle } from '../../support/manual-clock.js';
import { moduleOf, started } from './application.js';

/** A server that crashes when it is told to. Its constructor is the subclass's, which notes each instance. */
export abstract class Mortal extends GenServerBase<null> {
  override init() {
    return ok(null);
  }

  @HandleCast() crash() {
    throw new Error('boom');
    return noReply();
  }
}

/** Starts a server in a module of its own, crashes it twice, and gives its three instances out of those that it noted. */
export async function threeLives<T extends Mortal>(
  server: new (...args: never[]) => T,
  noted: readonly T[],
  { providers = [], imports = [] }: ModuleMetadata,
): Promise<readonly T[]> {
  const shop = moduleOf('ShopModule', { imports, providers: [...providers, server as Type] });
  const runtime = (await started({ imports: [shop] })).get(GenServerRuntime);
  for (let at = 0; at < 2; at++) {
    runtime.cast(server, 'crash');
    await settle();
  }
  // The first is the one that Nest makes of any provider, and that never becomes a process.
  expect(noted).toHaveLength(4);
  return noted.slice(1);
}
