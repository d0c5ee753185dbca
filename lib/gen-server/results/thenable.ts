/**
 * Whether `await` would wait for a value. A getter that throws counts: awaiting it throws the same, where it is looked for.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== 'object' || value === null) && typeof value !== 'function') return false;
  try {
    return typeof (value as { then?: unknown }).then === 'function';
  } catch {
    return true;
  }
}

/**
 * Waits for a value as `await` does, in the async context of whoever calls this: a thenable that calls back at once, twice or
 * in a context of its own, or whose `then` throws, is tamed by a native promise, and so is a promise with a `then` of its own.
 */
export function whenSettled(
  value: PromiseLike<unknown>,
  onDone: (value: unknown) => void,
  onFail: (thrown: unknown) => void,
): void {
  void nativeThen.call(Promise.resolve(value), onDone, onFail);
}

// eslint-disable-next-line @typescript-eslint/unbound-method -- called on a promise above
const nativeThen = Promise.prototype.then;
