import { seededRandom } from '../../lib/testing/seeded-random.js';

/** Where every decision of a schedule comes from: which world, which operation, which fault, and what goes next. */
export interface Choices {
  /** A whole number in [0, n). The simpler alternative had better be 0: that is what shrinking turns a choice into. */
  next(n: number): number;
  /** What has been chosen so far. */
  readonly taken: readonly number[];
}

/** Different numbers for each pair of a seed and the number of a schedule, and the same ones each time. */
export class SeededChoices implements Choices {
  readonly taken: number[] = [];
  private readonly draw: () => number;

  constructor(seed: number, schedule: number) {
    this.draw = seededRandom(Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul((schedule + 1) | 0, 0x85ebca6b));
    this.draw();
    this.draw();
  }

  next(n: number): number {
    const chosen = n <= 1 ? 0 : Math.floor(this.draw() * n);
    this.taken.push(chosen);
    return chosen;
  }
}

/** The same choices again, or others in their place; 0 once they are used up. */
export class GivenChoices implements Choices {
  readonly taken: number[] = [];
  /** How many alternatives each choice had: a walk through all of them needs that. */
  readonly radices: number[] = [];

  constructor(private readonly given: readonly number[]) {}

  next(n: number): number {
    const chosen = Math.min(this.given[this.taken.length] ?? 0, Math.max(0, n - 1));
    this.taken.push(chosen);
    this.radices.push(n);
    return chosen;
  }
}

/** The choices after these in a walk through all there are, depth first; undefined at the end. */
export function following({ taken, radices }: GivenChoices): readonly number[] | undefined {
  for (let at = taken.length - 1; at >= 0; at--) {
    if (taken[at]! + 1 < radices[at]!) return [...taken.slice(0, at), taken[at]! + 1];
  }
  return undefined;
}

export function pick<T>(choices: Choices, alternatives: readonly T[]): T {
  return alternatives[choices.next(alternatives.length)]!;
}

/** True once in `n`. */
export function oneIn(choices: Choices, n: number): boolean {
  return choices.next(n) === n - 1;
}
