/** Keeps a deadline until its time has come. */
export interface DeadlineQueue {
  remove(deadline: Deadline): void;
}

/**
 * Something that expires unless it is removed in time: a call that waits, a message that is to be sent, a server that idles.
 * Whoever waits extends this class or, like the request of a call, has what it has, so that waiting allocates nothing of its own.
 */
export abstract class Deadline {
  /** When it expires, on the runtime's clock; null as long as that is open. @internal */
  expiresAt: number | null = null;
  /** Where it is kept while it is pending. @internal */
  queue: DeadlineQueue | null = null;
  /** Neighbours in a {@link DeadlineList}. @internal */
  previous: Deadline | null = null;
  /** @internal */
  next: Deadline | null = null;

  get isPending(): boolean {
    return this.queue !== null;
  }

  /** Called once, in the root context, unless the deadline was cancelled before. */
  abstract expire(): void;

  /** Harmless when it has expired or was cancelled already. */
  cancel(): void {
    this.queue?.remove(this);
  }
}
