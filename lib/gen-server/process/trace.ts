import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { RequestDescription } from '../errors.js';

/**
 * One action of a traced server. `at` is wall-clock time in milliseconds since 1970; an entry without `at` belongs to the entry before it.
 * Messages and answers are kept by reference, as far as redaction shows them; the state as `formatStatus` shows it.
 *
 * @publicApi
 */
export type TraceEntry =
  | {
      readonly type: 'in';
      readonly at: number;
      readonly kind: 'call' | 'cast' | 'continue';
      readonly message: RequestDescription;
    }
  | { readonly type: 'in'; readonly at: number; readonly kind: 'info'; readonly message: unknown }
  /** A call was answered, with a value or an error. */
  | { readonly type: 'out'; readonly at: number; readonly to: RequestDescription; readonly value: unknown }
  /** A message was handled without an answer. */
  | { readonly type: 'noreply' }
  | { readonly type: 'state'; readonly state: unknown }
  | { readonly type: 'exit'; readonly at: number; readonly reason: ExitReason };

/**
 * The latest actions of a server, oldest first. Beyond `limit` entries the oldest ones are dropped. It can still be read after the server
 * has ended.
 *
 * @publicApi
 */
export class Trace {
  private ring: TraceEntry[] = [];
  private oldest = 0;

  constructor(
    /** The maximum number of entries. */
    readonly limit: number,
    private readonly bringUpToDate: () => void,
  ) {}

  /** Returns the current entries, oldest first, in a new array. */
  entries(): readonly TraceEntry[] {
    this.bringUpToDate();
    return [...this.ring.slice(this.oldest), ...this.ring.slice(0, this.oldest)];
  }

  /** @internal */
  add(entry: TraceEntry): void {
    if (this.ring.length < this.limit) {
      this.ring.push(entry);
      return;
    }
    this.ring[this.oldest] = entry;
    this.oldest = (this.oldest + 1) % this.limit;
  }

  /** @internal */
  clear(): void {
    this.ring = [];
    this.oldest = 0;
  }
}
