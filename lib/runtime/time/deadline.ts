/** Holds a deadline until it expires. */
export interface DeadlineQueue {
  remove(deadline: Deadline): void;
}

/**
 * Something that expires unless it is cancelled in time: a waiting call, a message to be sent later, an idle server. The waiting object
 * extends this class or, like the request of a call, has the same members, so that waiting allocates nothing.
 */
export abstract class Deadline {
  /** When it expires, in milliseconds of the runtime's clock; null while that is not decided. @internal */
  expiresAt: number | null = null;
  /** The queue that holds it while it is pending. @internal */
  queue: DeadlineQueue | null = null;
  /** Neighbours in a {@link DeadlineList}. @internal */
  previous: Deadline | null = null;
  /** @internal */
  next: Deadline | null = null;

  get isPending(): boolean {
    return this.queue !== null;
  }

  /** Called once, in the root context, unless the deadline is cancelled first. */
  abstract expire(): void;

  /** Prevents {@link expire}. Harmless if the deadline has expired or was cancelled already. */
  cancel(): void {
    this.queue?.remove(this);
  }
}
