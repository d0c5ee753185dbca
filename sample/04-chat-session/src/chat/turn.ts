import type { Tape } from './tape.js';

/**
 * `'interrupted'` is a turn that was being answered when its conversation crashed. It is not tried again: it may well be the reason.
 */
export type TurnStatus = 'waiting' | 'answering' | 'answered' | 'aborted' | 'failed' | 'interrupted';

/** A turn as it is stored. */
export interface TurnRow {
  /** The first is 1. */
  readonly number: number;
  readonly question: string;
  readonly status: TurnStatus;
  readonly tokens: readonly string[];
}

/** A turn as its conversation knows it. */
export interface Turn {
  readonly number: number;
  readonly question: string;
  readonly status: TurnStatus;
  readonly tape: Tape;
}

/** One thing that a reader of a turn is told: a token, or what became of the turn. */
export interface TurnEvent {
  /** How many tokens there were up to here: who comes again says how far they got. */
  readonly id: number;
  readonly type?: 'end';
  readonly data: string;
}
