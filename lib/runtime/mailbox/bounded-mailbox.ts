import { CALL, CAST, SENT_ENVELOPE } from './envelope.js';
import { type Envelope, Mailbox } from './mailbox.js';

const OVERFLOWS = ['reject', 'drop_newest', 'drop_oldest'] as const;

/**
 * Which message is shed when a mailbox is full: the arriving one (`'reject'`), the newest of the waiting ones (`'drop_newest'`), or the
 * oldest of them (`'drop_oldest'`). In the last two cases the arriving message joins the end of the queue.
 *
 * @publicApi
 */
export type Overflow = (typeof OVERFLOWS)[number];

/**
 * How many messages may wait for a server, and which message is shed when there is one too many. The caller of a shed call gets an
 * `OverloadedError`; shed casts and messages are lost.
 *
 * @publicApi
 */
export interface MaxMailbox {
  /** The maximum number of waiting calls, casts and sent messages, 1 or more. The message that is being handled does not count. */
  readonly limit: number;
  /** Which message is shed when the mailbox is full. */
  readonly overflow: Overflow;
}

/** The valid values of `maxMailbox`, for error messages. */
export const MAX_MAILBOX_RANGE =
  "{ limit, overflow } with a whole number of messages, 1 or more, and 'reject', 'drop_newest' or 'drop_oldest'";

export function isMaxMailbox(value: unknown): value is MaxMailbox {
  if (typeof value !== 'object' || value === null) return false;
  const { limit, overflow } = value as Partial<MaxMailbox>;
  return Number.isSafeInteger(limit) && limit! >= 1 && OVERFLOWS.includes(overflow!);
}

/** Whether a message counts towards the limit: one sent by code does; system messages (exits, timers, requests to stop) always fit. */
function isCountable(envelope: Envelope): boolean {
  return envelope.kind === CALL || envelope.kind === CAST || envelope === SENT_ENVELOPE;
}

/** A mailbox with a maximum number of messages. A separate class, so that unbounded mailboxes do not pay for the counting. */
export class BoundedMailbox extends Mailbox {
  private counted = 0;

  constructor(
    private readonly bound: MaxMailbox,
    /** Called with each shed message, after the mailbox is consistent again. */
    private readonly shed: (envelope: Envelope, payload: unknown) => void,
    /** Called when the mailbox has become full. */
    private readonly onFull: () => void,
  ) {
    super();
  }

  /** Never: a bounded mailbox reports each shed message instead. */
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

  override withdraw(envelope: Envelope): boolean {
    if (!super.withdraw(envelope)) return false;
    if (isCountable(envelope)) this.counted--;
    return true;
  }

  override take(): unknown {
    if (isCountable(this.peek())) this.counted--;
    return super.take();
  }
}
