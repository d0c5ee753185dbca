import { Observable } from 'rxjs';
import { PubSub as CorePubSub } from '../../registry/pub-sub.js';

/**
 * Topics that servers subscribe to and anybody broadcasts on. There is one per application: what a server says with
 * `self.broadcast` is heard here, and the other way round. Injected where `PubSubModule.forRoot()` is imported.
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
   * completes when the application shuts down. An error thrown by a subscriber is RxJS's to report, as always.
   */
  topic$<T = unknown>(topic: string): Observable<T> {
    return new Observable((subscriber) =>
      this.listen(
        topic,
        (message) => subscriber.next(message as T),
        () => subscriber.complete(),
      ),
    );
  }
}
