import { isThenable, whenSettled } from '../gen-server/results/thenable.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RegistryListenerDetached } from './events.js';

/** One function may listen more than once, and each time ends on its own. */
interface Subscription<T> {
  readonly listener: (news: T) => unknown;
  readonly onClosed: (() => void) | undefined;
}

/** What a set of listeners is told by. */
export interface ListenersContext {
  readonly runtime: Runtime;
  /** What is listened to, for people. */
  readonly source: string;
  /** Called when the last listener has gone. */
  readonly onEmpty?: () => void;
}

/**
 * Functions that are told something, in the order they came. They run in the root context and outside of any process: neither in the
 * async context of the sender, nor as the process whose handler is on the stack. One that throws, or whose promise rejects, is
 * detached and reported; the other listeners and the sender do not notice.
 */
export class Listeners<T> {
  private readonly subscriptions = new Set<Subscription<T>>();
  private readonly news: T[] = [];
  private isTelling = false;

  constructor(private readonly context: ListenersContext) {}

  /** Begins to listen. Answers how to stop. `onClosed` is called when there is nothing to listen to any more. */
  add(listener: (news: T) => unknown, onClosed?: () => void): () => void {
    const subscription = { listener, onClosed };
    this.subscriptions.add(subscription);
    return () => this.remove(subscription);
  }

  get size(): number {
    return this.subscriptions.size;
  }

  /** News that a listener causes wait until all listeners have heard the present ones, so that all hear them in the same order. */
  tell(news: T): void {
    if (this.subscriptions.size === 0) return;
    this.news.push(news);
    if (this.isTelling) return;
    this.isTelling = true;
    const { runtime } = this.context;
    runtime.runAs(null, () => runtime.root.run(() => this.tellAll()), undefined);
    this.isTelling = false;
  }

  close(): void {
    const closed = [...this.subscriptions];
    this.subscriptions.clear();
    for (const subscription of closed) this.guard(subscription, () => subscription.onClosed?.());
  }

  private tellAll(): void {
    // By index: listeners may add to the list.
    for (let i = 0; i < this.news.length; i++) {
      for (const subscription of [...this.subscriptions]) {
        if (!this.subscriptions.has(subscription)) continue; // a listener before it has ended it
        this.guard(subscription, () => subscription.listener(this.news[i]!));
      }
    }
    this.news.length = 0;
  }

  private guard(subscription: Subscription<T>, run: () => unknown): void {
    try {
      const result = run();
      // An async listener rejects later, where nothing would catch it.
      if (isThenable(result)) {
        whenSettled(
          result,
          () => undefined,
          (error) => this.detach(subscription, error),
        );
      }
    } catch (error) {
      this.detach(subscription, error);
    }
  }

  private detach(subscription: Subscription<T>, error: unknown): void {
    this.remove(subscription);
    reportDetachedListener(this.context.runtime, this.context.source, error);
  }

  private remove(subscription: Subscription<T>): void {
    if (this.subscriptions.delete(subscription) && this.subscriptions.size === 0) this.context.onEmpty?.();
  }
}

/** Tells that a listener of `source` was detached, unless nobody wants to know. */
export function reportDetachedListener({ events }: Runtime, source: string, error: unknown): void {
  if (!events.wants('registry.listener_detached')) return;
  const event: RegistryListenerDetached = { type: 'registry.listener_detached', source, error };
  events.emit(event);
}
