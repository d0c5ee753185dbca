import { hasMethod } from '../../runtime/secrets/inspect-safely.js';
import { isThenable, whenSettled } from '../results/thenable.js';

/** An Observable of RxJS, or any other object with a `subscribe` method. The core does not import RxJS. */
export interface ObservableLike<T> {
  subscribe(observer: StreamObserver<T> | ((value: T) => void)): unknown;
}

export interface StreamObserver<T> {
  next: (value: T) => void;
  error: (error: unknown) => void;
  complete: () => void;
}

/** A sequence of items. */
export type StreamItems<T> = AsyncIterable<T> | Iterable<T> | ObservableLike<T>;

/**
 * The source of a stream: an async iterable (a generator, a `Readable`), an iterable, an Observable, or a function that returns one of
 * them. The function is called when reading begins, with a signal that fires when the stream is abandoned: the only way to interrupt what a
 * generator awaits.
 *
 * An Observable cannot be slowed down. Up to {@link MOST_BUFFERED} of its items wait for the reader; with one more, the stream ends and the
 * reader gets a `StreamOverflowError`.
 *
 * @publicApi
 */
export type StreamSource<T> = StreamItems<T> | ((signal: AbortSignal) => StreamItems<T>);

/** How many items of an Observable may wait for the reader. */
export const MOST_BUFFERED = 1_000;

/** Takes items from a source on demand. */
export type ItemIterator = AsyncIterator<unknown, unknown, undefined>;

export function isStreamSource(value: unknown): boolean {
  return typeof value === 'function' || isStreamItems(value);
}

/** Begins to take items. Throws a `TypeError` if the value is not a source. */
export function openItems(items: unknown, onOverflow: () => Error): ItemIterator {
  if (isAsyncIterable(items)) return items[Symbol.asyncIterator]() as ItemIterator;
  const observable = observableOf(items);
  if (observable !== undefined) return new ObservableItems(observable, onOverflow);
  if (isIterable(items)) return new SyncItems(items[Symbol.iterator]());
  throw new TypeError(
    'The function of a stream must return an async iterable, an iterable, a Readable or an Observable, but returned something else.',
  );
}

/** Releases a source that was never read. Only a generator or a `Readable` may hold resources before the first item. */
export function releaseItems(items: unknown): void {
  if (typeof items !== 'object' || items === null || destroy(items)) return;
  if (isAsyncIterable(items) && hasMethod(items, 'return')) leave(items as unknown as ItemIterator);
}

/** Releases a source that was read in part. A `Readable` is destroyed directly, because its iterator would wait for the next chunk. */
export function leaveItems(items: unknown, iterator: ItemIterator): void {
  leave(iterator);
  destroy(items);
}

function leave(iterator: ItemIterator): void {
  quietly(() => iterator.return?.());
}

/** Destroys a `Readable`. Returns whether the value was one. */
function destroy(items: unknown): boolean {
  if (!hasMethod(items, 'destroy') || !hasMethod(items, 'pipe')) return false;
  quietly(() => items.destroy());
  return true;
}

/** Ignores errors: nothing waits for a source to be released, so a failure to release it cannot be reported. */
function quietly(work: () => unknown): void {
  try {
    const result = work();
    if (isThenable(result)) whenSettled(result, NOTHING, NOTHING);
  } catch {
    // ignored, see above
  }
}

const NOTHING = (): void => undefined;

class SyncItems implements ItemIterator {
  constructor(private readonly iterator: Iterator<unknown>) {}

  /** Like `for await`: promises in a sync iterable are awaited, and a rejected one ends the iteration. */
  async next(): Promise<IteratorResult<unknown>> {
    const { done, value } = this.iterator.next() as IteratorResult<unknown, unknown>;
    try {
      return { done: done === true, value: await value } as IteratorResult<unknown>;
    } catch (error) {
      if (done !== true) quietly(() => this.iterator.return?.());
      throw error;
    }
  }

  return(): Promise<IteratorResult<unknown>> {
    this.iterator.return?.();
    return Promise.resolve(DONE);
  }
}

const DONE = Object.freeze({ done: true, value: undefined });

/** Buffers what an Observable emits until the reader asks for it. */
class ObservableItems implements ItemIterator {
  private readonly buffer: unknown[] = [];
  private end: { readonly error?: unknown } | null = null;
  private waiting: { resolve(result: IteratorResult<unknown>): void; reject(error: unknown): void } | null = null;
  private subscription: unknown;
  private isOver = false;

  constructor(
    observable: ObservableLike<unknown>,
    private readonly onOverflow: () => Error,
  ) {
    this.subscription = observable.subscribe({
      next: (value) => this.add(value),
      error: (error) => this.close({ error }),
      complete: () => this.close({}),
    });
    // It may have completed synchronously, while `subscribe` was running.
    if (this.isOver) this.unsubscribe();
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.buffer.length > 0) return Promise.resolve({ done: false, value: this.buffer.shift() });
    if (this.end !== null) return this.settled(this.end);
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<unknown>> {
    this.close({});
    return Promise.resolve(DONE);
  }

  private add(value: unknown): void {
    if (this.isOver) return;
    const { waiting } = this;
    this.waiting = null;
    if (waiting !== null) waiting.resolve({ done: false, value });
    else if (this.buffer.push(value) > MOST_BUFFERED) this.overflow();
  }

  private overflow(): void {
    this.buffer.length = 0;
    this.close({ error: this.onOverflow() });
  }

  private close(end: { readonly error?: unknown }): void {
    if (this.isOver) return;
    this.isOver = true;
    this.end = end;
    const { waiting } = this;
    this.waiting = null;
    this.unsubscribe();
    if (waiting === null) return;
    if ('error' in end) waiting.reject(end.error);
    else waiting.resolve(DONE);
  }

  private settled(end: { readonly error?: unknown }): Promise<IteratorResult<unknown>> {
    return 'error' in end ? Promise.reject(end.error) : Promise.resolve(DONE);
  }

  private unsubscribe(): void {
    const { subscription } = this;
    this.subscription = undefined;
    if (typeof subscription === 'function') quietly(subscription as () => unknown);
    else quietly(() => (subscription as { unsubscribe?: () => void } | undefined)?.unsubscribe?.());
  }
}

function isStreamItems(value: unknown): boolean {
  return isAsyncIterable(value) || isIterable(value) || observableOf(value) !== undefined;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return hasMethod(value, Symbol.asyncIterator);
}

/** A string does not count: a stream of its characters would be a mistake. */
function isIterable(value: unknown): value is Iterable<unknown> {
  return hasMethod(value, Symbol.iterator);
}

function observableOf(value: unknown): ObservableLike<unknown> | undefined {
  const key = (Symbol as unknown as { readonly observable?: symbol }).observable ?? '@@observable';
  if (hasMethod(value, key)) {
    const observable: unknown = value[key]!();
    if (hasMethod(observable, 'subscribe')) return observable;
  }
  return hasMethod(value, 'subscribe') ? value : undefined;
}
