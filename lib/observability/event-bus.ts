import { Redaction } from '../runtime/secrets/redaction.js';
import type { EventSink, RuntimeEvent } from '../runtime/ports.js';
import { type GenServerEvent, reportDetachedListener } from './events.js';
import { isPromise } from '../runtime/secrets/inspect-safely.js';

type Listener = (event: GenServerEvent) => unknown;

/** One listener may be subscribed more than once, and each subscription ends on its own. */
interface Subscription {
  readonly listener: Listener;
  /** Whether it would do anything with an event now. */
  readonly isAwake: () => boolean;
}

const ALWAYS = (): boolean => true;

/**
 * Hands events to whoever listens: synchronously, first to those who listen to their type, then to those who listen to trouble of
 * their type, then to those who listen to everything, each in the order of subscription. A listener that throws is detached, and
 * that is an event of its own: listeners can never break what they observe (E20).
 */
export class EventBus implements EventSink {
  /** The last secret-free copy that was made: one reason goes through several events, and stays one. */
  private lastCopy: { readonly original: unknown; readonly copy: unknown } | undefined;
  private readonly byType = new Map<string, Set<Subscription>>();
  private readonly troubleByType = new Map<string, Set<Subscription>>();
  private readonly toAll = new Set<Subscription>();

  constructor(private readonly redaction = new Redaction()) {}

  wants(type: string, isRoutine = false): boolean {
    if (this.toAll.size > 0 || isHeard(this.byType.get(type))) return true;
    return !isRoutine && isHeard(this.troubleByType.get(type));
  }

  emit(event: RuntimeEvent): void {
    const shown = this.withoutSecrets(event) as GenServerEvent;
    this.tell(this.byType.get(event.type), shown);
    if (!isRoutine(shown)) this.tell(this.troubleByType.get(event.type), shown);
    this.tell(this.toAll, shown);
  }

  /** Every listener may be a way out: what must not be shown does not get this far. A state has been seen to by its server. */
  private withoutSecrets(event: RuntimeEvent): RuntimeEvent {
    const { reason, cause, error, message } = event as Partial<
      Record<'reason' | 'cause' | 'error' | 'message', unknown>
    >;
    if (!isWhole(reason) && !isWhole(cause) && !isWhole(error) && !isWhole(message)) return event;
    const shown: Record<string, unknown> = {};
    if (isWhole(reason)) shown['reason'] = this.once(reason);
    if (isWhole(cause)) shown['cause'] = cause === reason ? shown['reason'] : this.once(cause);
    if (isWhole(error)) shown['error'] = this.once(error);
    if (isWhole(message)) shown['message'] = this.redaction.shown(message);
    const isChanged = Object.entries(shown).some(([name, value]) => value !== (event as object as typeof shown)[name]);
    return isChanged ? { ...event, ...shown } : event;
  }

  private once(original: object): unknown {
    if (this.lastCopy?.original === original) return this.lastCopy.copy;
    const copy = this.redaction.reason(original);
    this.lastCopy = copy === original ? undefined : { original, copy };
    return copy;
  }

  /** Listens to one type of event, whenever `isAwake`. Answers how to stop. */
  on<T extends GenServerEvent['type']>(
    type: T,
    listener: (event: Extract<GenServerEvent, { type: T }>) => void,
    isAwake = ALWAYS,
  ): () => void {
    return this.addTo(this.byType, type, { listener: listener as Listener, isAwake });
  }

  /** Listens to one type of event, but not to exits that are clean and stops that went as they should. Answers how to stop. */
  onTrouble<T extends GenServerEvent['type']>(
    type: T,
    listener: (event: Extract<GenServerEvent, { type: T }>) => void,
    isAwake = ALWAYS,
  ): () => void {
    return this.addTo(this.troubleByType, type, { listener: listener as Listener, isAwake });
  }

  /** Listens to everything. Answers how to stop. */
  onAny(listener: (event: GenServerEvent) => void): () => void {
    return this.add(this.toAll, { listener, isAwake: ALWAYS });
  }

  private addTo(byType: Map<string, Set<Subscription>>, type: string, subscription: Subscription): () => void {
    let subscriptions = byType.get(type);
    if (subscriptions === undefined) byType.set(type, (subscriptions = new Set()));
    return this.add(subscriptions, subscription);
  }

  private add(subscriptions: Set<Subscription>, subscription: Subscription): () => void {
    subscriptions.add(subscription);
    return () => {
      subscriptions.delete(subscription);
    };
  }

  private tell(subscriptions: Set<Subscription> | undefined, event: GenServerEvent): void {
    if (subscriptions === undefined || subscriptions.size === 0) return;
    for (const subscription of [...subscriptions]) {
      // A listener before it may have ended it.
      if (!subscriptions.has(subscription) || !isAwake(subscription)) continue;
      try {
        const result = subscription.listener(event);
        // An async listener throws later, where nobody would catch it.
        if (isPromise(result)) {
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
    reportDetachedListener(this, event.type, error);
  }
}

function isHeard(subscriptions: Set<Subscription> | undefined): boolean {
  if (subscriptions === undefined) return false;
  for (const subscription of subscriptions) if (isAwake(subscription)) return true;
  return false;
}

/** Whoever cannot say whether it listens is told: that may break, here nothing may. */
function isAwake(subscription: Subscription): boolean {
  try {
    return subscription.isAwake();
  } catch {
    return true;
  }
}

function isRoutine(event: GenServerEvent): boolean {
  const { isClean, isUnexpected } = event as { readonly isClean?: boolean; readonly isUnexpected?: boolean };
  return isClean === true || isUnexpected === false;
}

function isWhole(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
