import type { Mutant } from './mutants.list.mjs';

export type Sources = ReadonlyMap<string, string>;

export function readLibrary(): Sources;
export function applyMutant(
  mutant: Mutant,
  sources: Sources,
): { file: string; owner: string | undefined; text: string };
export function identifiersOf(code: string): string[];
