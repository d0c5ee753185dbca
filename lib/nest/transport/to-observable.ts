import { Observable, type Subscriber } from 'rxjs';

/**
 * A stream, or the promise of one, as an Observable: what an `@Sse()` route returns. Reading begins with the first subscription, and
 * there can be only one of a `ReplyStream`. Unsubscribing, as Nest does when a client goes away, leaves the stream, which ends its
 * source.
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
  return new Observable((subscriber) => {
    const forwarding = new Forwarding(subscriber);
    void forwarding.run(stream);
    return () => forwarding.stop();
  });
}

/** One subscription to one stream. */
class Forwarding<T> {
  private iterator: AsyncIterator<T> | undefined;
  private isStopped = false;

  constructor(private readonly subscriber: Subscriber<T>) {}

  async run(stream: AsyncIterable<T> | PromiseLike<AsyncIterable<T>>): Promise<void> {
    try {
      const iterator = (await stream)[Symbol.asyncIterator]();
      // Unsubscribed while the stream was on its way: the stream still has to be left.
      if (this.isStopped) await iterator.return?.();
      else await this.forward((this.iterator = iterator));
    } catch (error) {
      // After an unsubscribe, RxJS has no subscriber to report an error to.
      if (!this.isStopped) this.subscriber.error(error);
    }
  }

  stop(): void {
    if (this.isStopped) return;
    this.isStopped = true;
    const { iterator } = this;
    this.iterator = undefined;
    void Promise.resolve(iterator?.return?.()).catch(() => undefined);
  }

  private async forward(iterator: AsyncIterator<T>): Promise<void> {
    for (;;) {
      const result = await iterator.next();
      if (this.isStopped) return;
      if (result.done === true) {
        this.iterator = undefined;
        this.subscriber.complete();
        return;
      }
      this.subscriber.next(result.value);
    }
  }
}
