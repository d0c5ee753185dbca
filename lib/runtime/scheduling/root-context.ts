import { AsyncResource } from 'node:async_hooks';

/**
 * The async context a runtime was created in. Platform timers are armed inside it, because a timer keeps the context it was armed in:
 * otherwise it would retain the context of the caller that happened to arm it, and everything that context refers to.
 */
export class RootContext {
  private readonly resource = new AsyncResource('nestjs-genserver', { requireManualDestroy: true });

  run<T>(work: () => T): T {
    return this.resource.runInAsyncScope(work);
  }
}
