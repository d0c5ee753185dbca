/** A promise, and the functions that settle it. */
export interface Resolvers<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

let grabbedResolve!: (value: never) => void;
let grabbedReject!: (reason: unknown) => void;
const grab = (resolve: (value: never) => void, reject: (reason: unknown) => void): void => {
  grabbedResolve = resolve;
  grabbedReject = reject;
};

/** `Promise.withResolvers`, which Node 20 does not have, without a closure per promise: for code that runs often enough to notice. */
export function withResolvers<T>(): Resolvers<T> {
  const promise = new Promise<T>(grab);
  return { promise, resolve: grabbedResolve as (value: T) => void, reject: grabbedReject };
}
