import { Logger } from '@nestjs/common';
import type { Observable } from 'rxjs';
import { isThenable } from '../../gen-server/results/thenable.js';
import { ReplyStream } from '../../gen-server/streams/reply-stream.js';
import { reportDetachedListener } from '../../observability/events.js';
import { excerptOfReason } from '../../observability/excerpt.js';
import { GuardedObservable, type Sink } from './guarded-observable.js';

/**
 * A stream, or the promise of one, as an Observable: what an `@Sse()` route returns. Reading begins with the first subscription, and
 * there can be only one of a `ReplyStream`. Unsubscribing, as Nest does when a client goes away, leaves the stream, which ends its
 * source.
 *
 * A promise that rejects is an error for its subscriber, and is ignored when there is none: Nest never subscribes for
 * a client that has left. A subscriber that throws is detached and reported by `observability.listener_detached`.
 *
 * The subscriber of an Observable cannot slow it down, so items are taken as fast as they come.
 *
 * @example A route that sends what a server streams
 * ```ts no-run: a fragment of a controller, which needs an application around it
 * @Sse('tokens')
 * tokens() {
 *   return toObservable(this.chat.tokens()).pipe(map((data) => ({ data })));
 * }
 * ```
 *
 * @publicApi
 */
export function toObservable<T>(stream: AsyncIterable<T> | PromiseLike<AsyncIterable<T>>): Observable<T> {
  const promise = isThenable(stream) ? Promise.resolve(stream) : undefined;
  promise?.catch(() => undefined);
  let source: unknown = stream;
  return new GuardedObservable<T>(
    (error) => reportDetached(source, error),
    (sink) => {
      const forwarding = new Forwarding(sink);
      void forwarding.run(async () => (source = await (promise ?? stream)));
      return () => forwarding.stop();
    },
  );
}

/** By the world that a stream of a server lives in; any other stream has none. */
function reportDetached(source: unknown, error: unknown): void {
  if (source instanceof ReplyStream) {
    reportDetachedListener(ReplyStream.runtimeOf(source).events, 'toObservable', error);
    return;
  }
  new Logger('GenServer').warn(
    `LISTENER DETACHED a listener threw on toObservable and hears nothing any more: ${excerptOfReason(error)}`,
  );
}

/** One subscription to one stream. */
class Forwarding<T> {
  private iterator: AsyncIterator<T> | undefined;
  private isStopped = false;

  constructor(private readonly sink: Sink<T>) {}

  async run(open: () => Promise<AsyncIterable<T>>): Promise<void> {
    try {
      const iterator = (await open())[Symbol.asyncIterator]();
      // It was unsubscribed before the stream arrived: the stream still has to be left.
      if (this.isStopped) await iterator.return?.();
      else await this.forward((this.iterator = iterator));
    } catch (error) {
      // After an unsubscribe, RxJS has no subscriber to report an error to.
      if (!this.isStopped) this.sink.error(error);
    }
  }

  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    const { iterator } = this;
    this.iterator = undefined;
    void (async () => iterator?.return?.())().catch(() => undefined);
  }

  private async forward(iterator: AsyncIterator<T>): Promise<void> {
    for (;;) {
      const result = await iterator.next();
      if (this.isStopped) return;
      if (result.done === true) {
        this.iterator = undefined;
        this.sink.complete();
        return;
      }
      this.sink.next(result.value);
    }
  }
}
