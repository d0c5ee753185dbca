import type { Observable } from 'rxjs';
import { reportDetachedListener } from '../../registry/listeners.js';
import { PubSub as CorePubSub } from '../../registry/pub-sub.js';
import { GuardedObservable } from '../transport/guarded-observable.js';

/**
 * Topics that servers subscribe to and any code can broadcast on. There is one PubSub per application: a server's
 * `self.broadcast` is received here, and vice versa. Injectable where `PubSubModule.forRoot()` is imported.
 *
 * @example A gateway that forwards a topic
 * ```ts no-run: a fragment of a gateway, which needs a client to talk to
 * constructor(private readonly pubsub: PubSub) {}
 *
 * handleConnection(client: Socket) {
 *   const stop = this.pubsub.listen('prices', (price) => client.emit('price', price));
 *   client.on('disconnect', stop);
 * }
 * ```
 *
 * @publicApi
 */
export class PubSub extends CorePubSub {
  /**
   * The messages on a topic, from the subscription on: for `@Sse()` routes and the like. Unsubscribing stops listening; it
   * completes when the application shuts down. A subscriber that throws is detached, as a listener is, and reported by the event
   * `registry.listener_detached`; the broadcaster and the others do not notice.
   */
  topic$<T = unknown>(topic: string): Observable<T> {
    const onDetached = (error: unknown): void => reportDetachedListener(this.runtime, `topic '${topic}'`, error);
    return new GuardedObservable(onDetached, (sink) =>
      this.listen(
        topic,
        (message) => sink.next(message as T),
        () => sink.complete(),
      ),
    );
  }
}
