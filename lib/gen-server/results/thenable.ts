/**
 * Whether `await` would wait for a value. A value whose `then` getter throws counts too: awaiting it throws that error, where the caller
 * expects one.
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
 * Waits for a value as `await` does, and calls back once, in the async context of the caller. A native promise shields it from a thenable
 * that calls back at once, twice or in another context, or whose `then` throws, and from a promise with a `then` of its own.
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
