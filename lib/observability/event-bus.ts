import type { EventSink, RuntimeEvent } from '../runtime/ports.js';
import type { GenServerEvent } from './events.js';

type Listener = (event: GenServerEvent) => unknown;

/** One listener may be subscribed more than once, and each subscription ends on its own. */
interface Subscription {
  readonly listener: Listener;
}

/**
 * Hands events to whoever listens: synchronously, first to those who listen to their type, then to those who listen to
 * everything, each in the order of subscription. A listener that throws is detached, and that is an event of its own:
 * listeners can never break what they observe (E20).
 */
export class EventBus implements EventSink {
  private readonly byType = new Map<string, Set<Subscription>>();
  private readonly toAll = new Set<Subscription>();

  wants(type: string): boolean {
    return this.toAll.size > 0 || (this.byType.get(type)?.size ?? 0) > 0;
  }

  emit(event: RuntimeEvent): void {
    this.tell(this.byType.get(event.type), event as GenServerEvent);
    this.tell(this.toAll, event as GenServerEvent);
  }

  /** Listens to one type of event. Answers how to stop. */
  on<T extends GenServerEvent['type']>(
    type: T,
    listener: (event: Extract<GenServerEvent, { type: T }>) => void,
  ): () => void {
    let subscriptions = this.byType.get(type);
    if (subscriptions === undefined) this.byType.set(type, (subscriptions = new Set()));
    return this.add(subscriptions, listener as Listener);
  }

  /** Listens to everything. Answers how to stop. */
  onAny(listener: (event: GenServerEvent) => void): () => void {
    return this.add(this.toAll, listener);
  }

  private add(subscriptions: Set<Subscription>, listener: Listener): () => void {
    const subscription = { listener };
    subscriptions.add(subscription);
    return () => {
      subscriptions.delete(subscription);
    };
  }

  private tell(subscriptions: Set<Subscription> | undefined, event: GenServerEvent): void {
    if (subscriptions === undefined || subscriptions.size === 0) return;
    for (const subscription of [...subscriptions]) {
      if (!subscriptions.has(subscription)) continue; // a listener before it has ended it
      try {
        const result = subscription.listener(event);
        // An async listener throws later, where nobody would catch it.
        if (result instanceof Promise) {
          result.catch((error: unknown) => this.detach(subscriptions, subscription, event, error));
        }
      } catch (error) {
        this.detach(subscriptions, subscription, event, error);
      }
    }
  }

  private detach(
    subscriptions: Set<Subscription>,
    subscription: Subscription,
    event: GenServerEvent,
    error: unknown,
  ): void {
    if (!subscriptions.delete(subscription)) return;
    this.emit({ type: 'observability.listener_detached', during: event.type, error } as RuntimeEvent);
  }
}
