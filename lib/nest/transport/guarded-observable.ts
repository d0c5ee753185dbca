import { Observable, type Observer, type Operator, Subscriber, type Subscription, type TeardownLogic } from 'rxjs';
import { isThenable, whenSettled } from '../../gen-server/results/thenable.js';

/** Is told what a subscriber threw, or the error that it had no handler for. The subscriber hears nothing any more. */
type OnDetached = (error: unknown) => void;

/** What a source of items tells them to. Telling never throws. */
export type Sink<T> = Pick<Observer<T>, 'next' | 'error' | 'complete'>;

/**
 * An Observable whose subscribers can break nothing. RxJS throws what a subscriber throws from a timer, where nobody catches it, and Node
 * ends. Here the subscriber is unsubscribed and reported, as any other listener of ours that throws. The same holds for what is piped
 * from it. What others make of it without a pipe, as `merge` does, is theirs.
 */
export class GuardedObservable<T> extends Observable<T> {
  constructor(
    private readonly onDetached: OnDetached,
    connect?: (sink: Sink<T>) => TeardownLogic,
  ) {
    super(connect && ((subscriber) => connect(new GuardedSink(subscriber, onDetached))));
  }

  /** What operators make of it. */
  override lift<R>(operator?: Operator<T, R>): Observable<R> {
    const lifted = new GuardedObservable<R>(this.onDetached);
    lifted.source = this;
    lifted.operator = operator;
    return lifted;
  }

  override subscribe(observer?: Partial<Observer<T>> | ((value: T) => void)): Subscription;
  override subscribe(
    next?: ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription;
  override subscribe(
    observerOrNext?: Partial<Observer<T>> | ((value: T) => void) | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // An operator: whoever subscribes to what it makes is guarded there.
    if (isSubscriber(observerOrNext)) return super.subscribe(observerOrNext);
    const observer =
      typeof observerOrNext === 'object' && observerOrNext !== null
        ? observerOrNext
        : ({ next: observerOrNext, error, complete } as Partial<Observer<T>>);
    const guarded = new GuardedObserver<T>(observer, this.onDetached);
    return super.subscribe((guarded.subscriber = new Subscriber<T>(guarded)));
  }
}

/** Whoever stands at the end, with functions of the user's. */
class GuardedObserver<T> implements Observer<T> {
  subscriber!: Subscriber<T>;
  private isDetached = false;

  constructor(
    private readonly observer: Partial<Observer<T>>,
    private readonly onDetached: OnDetached,
  ) {}

  next(value: T): void {
    this.guard(() => this.observer.next?.(value));
  }

  error(error: unknown): void {
    this.guard(() => {
      const { observer } = this;
      if (typeof observer.error !== 'function') throw error;
      return observer.error(error);
    });
  }

  complete(): void {
    this.guard(() => this.observer.complete?.());
  }

  private guard(handle: () => unknown): void {
    try {
      const result = handle();
      // An async function throws later, where nobody would catch it.
      if (isThenable(result)) {
        whenSettled(
          result,
          () => undefined,
          (error) => this.detach(error),
        );
      }
    } catch (error) {
      this.detach(error);
    }
  }

  /** Once: an async function may have been told more before it threw. */
  private detach(error: unknown): void {
    if (this.isDetached) return;
    this.isDetached = true;
    detach(this.subscriber, error, this.onDetached);
  }
}

/** Whoever stands at the beginning, where an operator or a teardown of the user's may throw through all that is between. */
class GuardedSink<T> implements Sink<T> {
  constructor(
    private readonly subscriber: Subscriber<T>,
    private readonly onDetached: OnDetached,
  ) {}

  next(value: T): void {
    this.guard(() => this.subscriber.next(value));
  }

  error(error: unknown): void {
    this.guard(() => this.subscriber.error(error));
  }

  complete(): void {
    this.guard(() => this.subscriber.complete());
  }

  private guard(tell: () => void): void {
    try {
      tell();
    } catch (error) {
      detach(this.subscriber, error, this.onDetached);
    }
  }
}

function detach(subscriber: Subscriber<never>, error: unknown, onDetached: OnDetached): void {
  try {
    subscriber.unsubscribe();
  } catch {
    // A teardown of the user's; one error is told.
  }
  onDetached(error);
}

/** Also one of another copy of RxJS. */
function isSubscriber<T>(value: unknown): value is Subscriber<T> {
  if (value instanceof Subscriber) return true;
  const { add, unsubscribe, next } = (value ?? {}) as Partial<Record<string, unknown>>;
  return [add, unsubscribe, next].every((method) => typeof method === 'function');
}
