import type { Type } from '@nestjs/common';
import type { GenServerOptions } from '../gen-server.options.js';

/** A server that a module declares by more than its class. */
export interface ProvidedServer {
  readonly type: Type;
  /** What was said here, over what the class says. */
  readonly options: GenServerOptions;
}

/** Which factories stand for servers. Nest hands the factory back, so the explorer finds its way by it. */
const provided = new WeakMap<object, ProvidedServer>();

export function rememberProvidedServer(factory: object, server: ProvidedServer): void {
  provided.set(factory, server);
}

export function findProvidedServer(factory: unknown): ProvidedServer | undefined {
  return typeof factory === 'function' ? provided.get(factory) : undefined;
}
