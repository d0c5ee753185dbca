/**
 * How long to wait before a restart, in milliseconds.
 *
 * @publicApi
 */
export interface RestartBackoff {
  readonly minMs: number;
  readonly maxMs: number;
}

/** The delay before restart number `attempt` (from 1) in a row. */
export function backoffMs({ minMs, maxMs }: RestartBackoff, attempt: number): number {
  return Math.min(maxMs, minMs * 2 ** Math.min(attempt - 1, 30));
}
