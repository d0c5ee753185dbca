import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Mutant, mutants } from './mutants.list.mjs';
import { sourceOf, syntaxErrorsOf } from './mutate.mjs';

const all: readonly Mutant[] = mutants;

describe('the mutants', () => {
  it('are at least fifty, each with a name of its own', () => {
    expect(all.length).toBeGreaterThanOrEqual(50);
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
  });

  it.each(all)('$id is one edit of $file, and transpiles', (mutant) => {
    expect(sourceOf(mutant)).not.toBe(readFileSync(mutant.file, 'utf8'));
    expect(syntaxErrorsOf(mutant)).toEqual([]);
  });

  it('refuse a text that does not occur exactly once', () => {
    expect(() => sourceOf({ ...all[0]!, find: 'import ' })).toThrow(/occurs \d+ times/);
    expect(() => sourceOf({ ...all[0]!, find: 'nothing of the kind' })).toThrow('occurs 0 times');
  });
});
