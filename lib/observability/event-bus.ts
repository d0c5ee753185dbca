import type { EventSink, RuntimeEvent } from '../runtime/ports.js';
import type { GenServerEvent } from './events.js';

type Listener = (event: GenServerEvent) => void;

/**
 * Hands events to whoever listens, synchronously and in the order of subscription. A listener that throws is detached, and
 * that is an event of its own: listeners can never break what they observe (E20).
 */
export class EventBus implements EventSink {
  private readonly byType = new Map<string, Set<Listener>>();
  private readonly toAll = new Set<Listener>();

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
    let listeners = this.byType.get(type);
    if (listeners === undefined) this.byType.set(type, (listeners = new Set()));
    return this.add(listeners, listener as Listener);
  }

  /** Listens to everything. Answers how to stop. */
  onAny(listener: Listener): () => void {
    return this.add(this.toAll, listener);
  }

  private add(listeners: Set<Listener>, listener: Listener): () => void {
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
    };
  }

  private tell(listeners: Set<Listener> | undefined, event: GenServerEvent): void {
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        listener(event);
      } catch (error) {
        listeners.delete(listener);
        this.emit({ type: 'observability.listener_detached', during: event.type, error } as RuntimeEvent);
      }
    }
  }
}
