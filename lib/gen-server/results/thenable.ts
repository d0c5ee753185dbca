export { isAwaitable, isThenable } from '../../runtime/secrets/inspect-safely.js';

/**
 * Waits for a value as `await` does, and calls back once, in the async context of the caller. A native promise shields it from a thenable
 * that calls back at once, twice or in another context, or whose `then` throws, and from a promise with a `then` of its own.
 */
export function whenSettled(
  value: PromiseLike<unknown>,
  onDone: (value: unknown) => void,
  onFail: (thrown: unknown) => void,
): void {
  try {
    void nativeThen.call(Promise.resolve(value), onDone, onFail);
  } catch (thrown) {
    // A promise whose `constructor` throws: both of them ask for it.
    void nativeThen.call(Promise.reject(thrown as Error), onDone, onFail);
  }
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called on a promise above
const nativeThen = Promise.prototype.then;
