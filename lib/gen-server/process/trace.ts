import type { ExitReason } from '../../runtime/exits/exit-reason.js';
import type { RequestDescription } from '../errors.js';

/**
 * One thing that a traced server did. `at` is wall-clock time in milliseconds since 1970; what has none happened with what is
 * in front of it. Messages and answers are kept as they are, by reference; the state as `formatStatus` shows it.
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
  /** A message was handled and answered nobody. */
  | { readonly type: 'noreply' }
  | { readonly type: 'state'; readonly state: unknown }
  | { readonly type: 'exit'; readonly at: number; readonly reason: ExitReason };

/**
 * The last things that a server did, oldest first: a ring that forgets what is older than its limit. It can still be read when
 * the server has ended.
 *
 * @publicApi
 */
export class Trace {
  private ring: TraceEntry[] = [];
  private oldest = 0;

  constructor(
    /** How many entries are kept. */
    readonly limit: number,
    private readonly bringUpToDate: () => void,
  ) {}

  /** The entries as they are now, oldest first, in an array of their own. */
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
