import type { Type } from '@nestjs/common';
import type { GenServerOptions } from '../gen-server.options.js';

/** A server that a module declares with options beyond its class. */
export interface ProvidedServer {
  readonly type: Type;
  /** The options given here, which override those of the class. */
  readonly options: GenServerOptions;
}

/** The factories that stand for servers. Nest hands the factory back, so the explorer finds the declaration by it. */
const provided = new WeakMap<object, ProvidedServer>();

export function rememberProvidedServer(factory: object, server: ProvidedServer): void {
  provided.set(factory, server);
}

export function findProvidedServer(factory: unknown): ProvidedServer | undefined {
  return typeof factory === 'function' ? provided.get(factory) : undefined;
}
