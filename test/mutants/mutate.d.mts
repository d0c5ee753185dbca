import type { Mutant } from './mutants.list.mjs';

export function sourceOf(mutant: Mutant): string;
export function syntaxErrorsOf(mutant: Mutant): string[];
