export interface Mutant {
  readonly id: string;
  readonly file: string;
  readonly find: string;
  readonly replacement: string;
  readonly breaks: string;
}
export const mutants: readonly Mutant[];
