/** The functions of a test runner that a contract suite needs. Those of Vitest, Jest and `node:test` with an `expect` fit. */
export interface TestFunctions {
  readonly describe: (name: string, suite: () => void) => unknown;
  readonly it: {
    (name: string, test: () => Promise<void>): unknown;
    readonly skip: (name: string, test: () => Promise<void>) => unknown;
  };
  readonly expect: (value: unknown) => { toEqual(expected: unknown): unknown };
}
