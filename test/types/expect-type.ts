// The compiler is the judge of this folder: `npm run types` fails when something here does not compile, or when a line
// under `@ts-expect-error` does.

/** Whether two types are the same, `any` and modifiers included. */
export type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only when `Actual` is exactly `Expected`. */
export function expectType<Actual, Expected>(_same: Equals<Actual, Expected>): void {}
