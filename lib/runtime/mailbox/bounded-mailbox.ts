import { CALL, CAST, SENT_ENVELOPE } from './envelope.js';
import { type Envelope, Mailbox } from './mailbox.js';

const OVERFLOWS = ['reject', 'drop_newest', 'drop_oldest'] as const;

/**
 * Which message goes when a mailbox is full: the one that arrives (`'reject'`), the youngest of those that wait
 * (`'drop_newest'`), or the oldest of them (`'drop_oldest'`). In the last two cases the one that arrives takes its place at the end.
 *
 * @publicApi
 */
export type Overflow = (typeof OVERFLOWS)[number];

/**
 * How many messages may wait for a server, and what happens to the rest.
 *
 * @publicApi
 */
export interface MaxMailbox {
  /** The most calls, casts and sent messages that wait; the one in hand does not count. 1 or more. */
  readonly limit: number;
  /** Who goes when there is one too many. */
  readonly overflow: Overflow;
}

/** What `maxMailbox` may be, for messages about what it is not. */
export const MAX_MAILBOX_RANGE =
  "{ limit, overflow } with a whole number of messages, 1 or more, and 'reject', 'drop_newest' or 'drop_oldest'";

export function isMaxMailbox(value: unknown): value is MaxMailbox {
  if (typeof value !== 'object' || value === null) return false;
  const { limit, overflow } = value as Partial<MaxMailbox>;
  return Number.isSafeInteger(limit) && limit! >= 1 && OVERFLOWS.includes(overflow!);
}

/** Whether a message may be refused: what people send. What the system has to say (exits, timers, requests to stop) always fits. */
function isCountable(envelope: Envelope): boolean {
  return envelope.kind === CALL || envelope.kind === CAST || envelope === SENT_ENVELOPE;
}

/** A mailbox with room for so many messages. It is a class of its own, so that unbounded ones pay nothing for the counting. */
export class BoundedMailbox extends Mailbox {
  private counted = 0;

  constructor(
    private readonly bound: MaxMailbox,
    /** Told of a message that will not be handled, when the mailbox is in order again. */
    private readonly shed: (envelope: Envelope, payload: unknown) => void,
    /** Told when there is no room for another message. */
    private readonly onFull: () => void,
  ) {
    super();
  }

  /** A bound is said to be enough; there is a report for what goes over it. */
  override get isHigh(): boolean {
    return false;
  }

  override get isFull(): boolean {
    return this.counted >= this.bound.limit;
  }

  override push(envelope: Envelope, payload: unknown): void {
    if (!isCountable(envelope)) {
      super.push(envelope, payload);
      return;
    }
    if (this.counted < this.bound.limit) {
      this.counted++;
      super.push(envelope, payload);
      if (this.isFull) this.onFull();
      return;
    }
    if (this.bound.overflow === 'reject') {
      this.shed(envelope, payload);
      return;
    }
    const evicted =
      this.bound.overflow === 'drop_oldest' ? this.evictOldest(isCountable) : this.evictNewest(isCountable);
    super.push(envelope, payload);
    this.shed(...evicted!);
  }

  override take(): unknown {
    if (isCountable(this.peek())) this.counted--;
    return super.take();
  }
}
