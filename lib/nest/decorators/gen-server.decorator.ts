import { applyDecorators, Injectable, type Type } from '@nestjs/common';
import { getGenServerToken } from '../injection/inject-gen-server.js';
import type { GenServerOptions } from '../gen-server.options.js';
import { defineServerOptions } from '../discovery/gen-server-metadata.accessor.js';

/**
 * Makes a provider class a server: listed in `providers` of a module, it runs as a supervised process of its own. The class
 * extends `GenServerBase`; its methods become handlers by `@HandleCall`, `@HandleCast`, `@HandleInfo` and `@HandleContinue`.
 *
 * Every incarnation is a new instance with its dependencies injected. Nest makes one more, unused instance at bootstrap, so
 * the constructor should have no effects: `init` is the place for them.
 *
 * @publicApi
 */
export function GenServer(options: GenServerOptions = {}): ClassDecorator {
  return applyDecorators(Injectable(), (target: object) => {
    defineServerOptions(target as () => void, options);
    // From now on consumers can request its client, including lazily loaded modules and app.get().
    getGenServerToken(target as Type);
  });
}
