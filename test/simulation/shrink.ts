import { GivenChoices } from './choices.js';
import { type Run, simulate } from './simulation.js';

/** Fewer steps first, then fewer and smaller choices. */
function isSmaller(a: Run, b: Run): boolean {
  if (a.steps !== b.steps) return a.steps < b.steps;
  if (a.choices.length !== b.choices.length) return a.choices.length < b.choices.length;
  return sum(a.choices) < sum(b.choices);
}

function sum(choices: readonly number[]): number {
  return choices.reduce((total, choice) => total + choice, 0);
}

/**
 * Looks for a shorter run that breaks the same rule: leaves out choices, a half of them at first and single ones in the end, and
 * makes those that stay smaller.
 */
export async function shrink(
  failed: Run,
  runAgain = (choices: readonly number[]): Promise<Run> => simulate(new GivenChoices(choices)),
  mostAttempts = 3_000,
): Promise<Run> {
  const rule = failed.violation!.rule;
  let best = failed;
  let attempts = 0;
  const attempt = async (choices: readonly number[]): Promise<boolean> => {
    if (++attempts > mostAttempts) return false;
    const run = await runAgain(choices);
    if (run.violation?.rule !== rule || !isSmaller(run, best)) return false;
    best = run;
    return true;
  };
  for (let hasImproved = true; hasImproved && attempts < mostAttempts;) {
    hasImproved = false;
    for (let size = best.choices.length >> 1; size > 0; size >>= 1) {
      for (let at = 0; at + size <= best.choices.length && attempts < mostAttempts;) {
        const { choices } = best;
        if (await attempt([...choices.slice(0, at), ...choices.slice(at + size)])) hasImproved = true;
        else at += size;
      }
    }
    for (let at = 0; at < best.choices.length && attempts < mostAttempts; at++) {
      for (const smaller of new Set([0, best.choices[at]! >> 1, best.choices[at]! - 1])) {
        if (smaller < 0 || smaller >= best.choices[at]!) continue;
        if (!(await attempt(best.choices.with(at, smaller)))) continue;
        hasImproved = true;
        break;
      }
    }
  }
  return best;
}

/** Choices as an argument of a command line. */
export function encode(choices: readonly number[]): string {
  return choices
    .map((choice) => choice.toString(36))
    .join('.')
    .replace(/(\.0)+$/, '');
}

export function decode(text: string): number[] {
  return text.split('.').map((choice) => Number.parseInt(choice, 36));
}
