/**
 * Which children a failed child takes with it: none, all, or those started after it (S8, S9).
 *
 * @publicApi
 */
export type Strategy = 'one_for_one' | 'one_for_all' | 'rest_for_one';

/** Children in the order they are started. */
export interface StartOrder<C> {
  all(): readonly C[];
  /** A child and those started after it. */
  from(child: C): readonly C[];
}

/**
 * The children that are started anew when `failed` has ended, in start order; those of them that still run are stopped before, in
 * reverse. Children that stay as they are, are not looked at: there may be many of them.
 */
export function childrenToRestart<C>(strategy: Strategy, failed: C, order: StartOrder<C>): readonly C[] {
  if (strategy === 'one_for_one') return [failed];
  return strategy === 'one_for_all' ? order.all() : order.from(failed);
}
