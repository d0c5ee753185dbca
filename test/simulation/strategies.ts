import { type Choices, oneIn } from './choices.js';

/** Something that can go next: an operation of a client, a promise that settles, a turn, a timer, a jump of the clock. */
export interface Thing {
  /** Who it belongs to; things of one owner have one priority. */
  readonly owner: string;
  readonly run: () => void;
}

/** Picks what goes next. */
export type Strategy = (things: readonly Thing[]) => Thing;

/** Any of them. */
export function atRandom(choices: Choices): Strategy {
  return (things) => things[choices.next(things.length)]!;
}

/**
 * Always the one whose owner stands highest, and now and then the order of the owners changes: few forced switches find rare
 * orders sooner than many.
 */
export function byPriority(choices: Choices): Strategy {
  const priorities = new Map<string, number>();
  return (things) => {
    if (oneIn(choices, 6)) priorities.clear();
    let best = things[0]!;
    let highest = -1;
    for (const thing of things) {
      let priority = priorities.get(thing.owner);
      if (priority === undefined) priorities.set(thing.owner, (priority = choices.next(1_000)));
      if (priority <= highest) continue;
      best = thing;
      highest = priority;
    }
    return best;
  };
}
