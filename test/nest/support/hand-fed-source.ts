import { deferred } from '../../support/deferred.js';

/** A source of a stream that is fed by the test, and says what its reader does. */
export class HandFedSource<T> implements AsyncIterable<T> {
  /** Items that were asked for so far. */
  asked = 0;
  /** How often it was told that nobody reads any more. */
  returned = 0;
  readonly #left = deferred();
  readonly #items: (() => Promise<IteratorResult<T, undefined>>)[] = [];
  readonly #waiting: ((item: Promise<IteratorResult<T, undefined>>) => void)[] = [];

  /** Resolves when the reader has left. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  give(...items: readonly T[]): void {
    for (const value of items) this.#add(() => Promise.resolve({ done: false, value }));
  }

  end(): void {
    this.#add(() => Promise.resolve({ done: true, value: undefined }));
  }

  fail(error: unknown): void {
    this.#add(() => Promise.reject(error));
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => {
        this.asked++;
        const item = this.#items.shift();
        return item?.() ?? new Promise((resolve) => this.#waiting.push(resolve));
      },
      return: () => {
        this.returned++;
        this.#left.resolve();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #add(item: () => Promise<IteratorResult<T, undefined>>): void {
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#items.push(item);
    else waiting(item());
  }
}
