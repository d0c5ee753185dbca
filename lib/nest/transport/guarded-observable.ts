import { Observable, type Observer, type Operator, Subscriber, type Subscription, type TeardownLogic } from 'rxjs';
import { isThenable, whenSettled } from '../../gen-server/results/thenable.js';

/** Receives what a subscriber threw, or the error that it had no handler for. The subscriber receives nothing more. */
type OnDetached = (error: unknown) => void;

/** The means by which a source delivers its items. Delivering never throws. */
export type Sink<T> = Pick<Observer<T>, 'next' | 'error' | 'complete'>;

/**
 * An Observable whose subscribers cannot crash Node. RxJS rethrows a subscriber's error from a timer, where nothing catches it, and Node
 * ends. Here the subscriber is unsubscribed and reported, like any listener of ours that throws. The same holds for Observables piped
 * from it. Observables that are derived without a pipe, as by `merge`, are not guarded.
 */
export class GuardedObservable<T> extends Observable<T> {
  constructor(
    private readonly onDetached: OnDetached,
    connect?: (sink: Sink<T>) => TeardownLogic,
  ) {
    super(connect && ((subscriber) => connect(new GuardedSink(subscriber, onDetached))));
  }

  /** The Observable that operators derive from it. */
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
    // An operator: the subscribers of the Observable that it creates are guarded there.
    if (isSubscriber(observerOrNext)) return super.subscribe(observerOrNext);
    const observer =
      typeof observerOrNext === 'object' && observerOrNext !== null
        ? observerOrNext
        : ({ next: observerOrNext, error, complete } as Partial<Observer<T>>);
    const guarded = new GuardedObserver<T>(observer, this.onDetached);
    return super.subscribe((guarded.subscriber = new Subscriber<T>(guarded)));
  }
}

/** The subscriber at the end of the chain, with the user's functions. */
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
      // An async function throws later, where nothing would catch it.
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

  /** Reported once: an async function may have received more items before it threw. */
  private detach(error: unknown): void {
    if (this.isDetached) return;
    this.isDetached = true;
    detach(this.subscriber, error, this.onDetached);
  }
}

/** The subscriber at the start of the chain, where a user's operator or teardown may throw through everything in between. */
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
    // A user's teardown threw; only one error is reported.
  }
  onDetached(error);
}

/** Recognises subscribers of another copy of RxJS too. */
function isSubscriber<T>(value: unknown): value is Subscriber<T> {
  if (value instanceof Subscriber) return true;
  const { add, unsubscribe, next } = (value ?? {}) as Partial<Record<string, unknown>>;
  return [add, unsubscribe, next].every((method) => typeof method === 'function');
}
