import type { Ref } from '../pid.js';

/**
 * Where in one mailbox the messages that belong to a ref stand: a `Down`, or the result of a task. It is made when such a message is
 * first to be taken out of the middle of the queue, and then looks at every message once, so that a queue of `Down`s can be emptied in
 * any order. Positions are those of the mailbox; one that was taken meanwhile is not removed here, so whoever asks looks again.
 */
export class RefIndex {
  /** How many messages were taken out of the middle of the queue, and left a hole there. */
  holes = 0;
  private readonly positions = new Map<Ref, number[]>();
  /** Everything before this position was looked at. */
  private end = 0;
  /** Nothing before this position can be evicted as the oldest. */
  private evicted = 0;
  private count = 0;

  /** How many positions are kept, those of messages that have gone included. */
  get size(): number {
    return this.count;
  }

  /** Where to go on looking, for a mailbox whose oldest message stands at `head`. */
  startFrom(head: number): number {
    return Math.max(this.end, head);
  }

  add(ref: Ref, position: number): void {
    const present = this.positions.get(ref);
    if (present === undefined) this.positions.set(ref, [position]);
    else present.push(position);
    this.count++;
  }

  /** Every message before `end` was looked at. */
  readUpTo(end: number): void {
    this.end = end;
  }

  /** There is nothing at `tail` and behind it, whatever was there before. */
  endAt(tail: number): void {
    this.end = Math.min(this.end, tail);
    this.evicted = Math.min(this.evicted, tail);
  }

  /** Where to look for the oldest that can be evicted. */
  evictFrom(head: number): number {
    return Math.max(this.evicted, head);
  }

  /** The oldest that could be evicted stood at `position`. */
  evictedAt(position: number): void {
    this.evicted = position;
  }

  positionsOf(ref: Ref): readonly number[] {
    return this.positions.get(ref) ?? [];
  }

  /** Forgets one position. */
  remove(ref: Ref, position: number): void {
    const positions = this.positions.get(ref)!;
    this.count--;
    if (positions.length === 1) this.positions.delete(ref);
    else positions.splice(positions.indexOf(position), 1);
  }

  /** Forgets what was found, but not that there are holes. */
  clear(): void {
    this.positions.clear();
    this.count = 0;
    this.end = 0;
  }
}
