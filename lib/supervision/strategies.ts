/**
 * Which children a failed child takes with it: none, all, or those started after it (S8, S9).
 *
 * @publicApi
 */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/**
 * The children that are started anew when the one at `failed` has ended, in start order; those of them that still run are
 * stopped before, in reverse. `count` is the number of children.
 */
export function childrenToRestart(strategy: Strategy, failed: number, count: number): readonly number[] {
  if (strategy === 'one_for_one') return [failed];
  const first = strategy === 'one_for_all' ? 0 : failed;
  return Array.from({ length: count - first }, (_, offset) => first + offset);
}
