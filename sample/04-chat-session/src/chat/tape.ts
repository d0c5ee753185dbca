import { EventEmitter, once } from 'node:events';
import type { TurnEvent } from './turn.js';

/**
 * What the model says in one turn, while it says it: written by one, read by any number, each at a pace of its own. A reader that
 * comes late misses nothing.
 */
export class Tape {
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly recorded: string[];

  constructor(
    tokens: readonly string[] = [],
    /** What became of the turn; null while nobody knows. */
    private end: string | null = null,
  ) {
    this.recorded = [...tokens];
  }

  get tokens(): readonly string[] {
    return [...this.recorded];
  }

  append(token: string): void {
    this.recorded.push(token);
    this.changes.emit('change');
  }

  finish(end: string): void {
    this.end = end;
    this.changes.emit('change');
  }

  /** All that comes after the first `from` tokens, until the end or until `signal` fires. */
  async *read(from: number, signal: AbortSignal): AsyncGenerator<TurnEvent, void> {
    let id = from;
    for (;;) {
      while (id < this.recorded.length) {
        const data = this.recorded[id]!;
        yield { id: ++id, data };
      }
      if (this.end !== null) break;
      await once(this.changes, 'change', { signal });
    }
    yield { id, type: 'end', data: this.end };
  }
}
