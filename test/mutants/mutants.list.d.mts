export interface Mutant {
  readonly id: string;
  readonly breaks: string;
  /** The function or method. */
  readonly in: string;
  readonly remove?: string;
  readonly replace?: string;
  readonly by?: string;
  readonly before?: string;
  readonly after?: string;
  readonly insert?: string;
}
export const mutants: readonly Mutant[];
