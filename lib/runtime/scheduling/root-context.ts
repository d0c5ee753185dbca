import { AsyncResource } from 'node:async_hooks';

/**
 * The async context a runtime was made in. Platform timers are armed inside it: a timer keeps the context it was armed in,
 * and arming is often caused by a caller whose context (and all that it holds on to) is none of our business.
 */
export class RootContext {
  private readonly resource = new AsyncResource('nestjs-genserver', { requireManualDestroy: true });

  run<T>(work: () => T): T {
    return this.resource.runInAsyncScope(work);
  }
}
