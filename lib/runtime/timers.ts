import { Deadline } from './time/deadline.js';
import { assertDurationMs } from './errors.js';
import { INFO_ENVELOPE } from './mailbox/envelope.js';
import { type Pid, Ref } from './pid.js';
import { type Process, processOf } from './process.js';
import type { Runtime } from './runtime.js';
import { relationsOf } from './relations/relations.js';

/** A message that is to be sent later. */
class PendingMessage extends Deadline {
  constructor(
    private readonly ref: TimerRef,
    /** A process means exactly this incarnation; a function finds the receiver when the timer fires (K2). */
    private readonly receiver: Process | (() => Process | undefined),
    private readonly message: unknown,
    /** The sender, if it held the name that the message is for when it set the timer; else null. */
    private readonly nameHolder: Process | null,
  ) {
    super();
  }

  expire(): void {
    this.forget();
    this.findReceiver()?.deliver(INFO_ENVELOPE, this.message);
  }

  override cancel(): void {
    super.cancel();
    this.forget();
  }

  private findReceiver(): Process | undefined {
    if (typeof this.receiver !== 'function') return this.receiver;
    try {
      return this.receiver();
    } catch {
      // A user-defined registry may throw. The message is dropped as if there were no receiver: its sender does not wait for it.
      return undefined;
    }
  }

  private forget(): void {
    TimerRef.attach(this.ref, undefined);
    if (typeof this.receiver !== 'function') this.receiver.relations?.timers?.delete(this);
    else this.nameHolder?.relations?.timersToOwnName?.delete(this);
  }
}

/**
 * A timer: returned by `sendAfter`, taken by `cancelTimer` and `readTimer`.
 *
 * @publicApi
 */
export class TimerRef extends Ref {
  #pending: Deadline | undefined = undefined;

  /** @internal */
  static pendingOf(ref: TimerRef): Deadline | undefined {
    return ref.#pending;
  }

  /** @internal */
  static attach(ref: TimerRef, pending: Deadline | undefined): void {
    ref.#pending = pending;
  }
}

/**
 * Sends `message` to `receiver` in `delayMs` milliseconds. A receiver that is a process means this incarnation: its successor never gets
 * the message. `nameHolder` is the sender if it holds the name that the message is for: such a process is not idle while the timer runs.
 *
 * @throws {InvalidArgumentError} `delayMs` is not a finite number, 0 or more. No timer was set.
 */
export function sendAfter(
  runtime: Runtime,
  receiver: Process | (() => Process | undefined),
  message: unknown,
  delayMs: number,
  nameHolder: Process | null = null,
): TimerRef {
  assertDurationMs(delayMs, 'The delay of sendAfter', false);
  const ref = new TimerRef(runtime.nextRefId());
  if (typeof receiver !== 'function' && !receiver.isAlive) return ref;
  const pending = new PendingMessage(ref, receiver, message, nameHolder);
  TimerRef.attach(ref, pending);
  if (typeof receiver !== 'function') (relationsOf(receiver).timers ??= new Set()).add(pending);
  else if (nameHolder !== null) (relationsOf(nameHolder).timersToOwnName ??= new Set()).add(pending);
  runtime.deadlines.addUnshared(pending, delayMs);
  return ref;
}

/**
 * Cancels a timer. Returns the milliseconds that were left, or false if the timer has fired, was cancelled or is unknown. A message that
 * is already in the mailbox stays there (K1).
 */
export function cancelTimer(runtime: Runtime, ref: TimerRef): number | false {
  const remaining = readTimer(runtime, ref);
  if (remaining !== false) TimerRef.pendingOf(ref)?.cancel();
  return remaining;
}

/** The milliseconds until a timer fires, or false as for {@link cancelTimer}. */
export function readTimer(runtime: Runtime, ref: TimerRef): number | false {
  const pending = ref instanceof TimerRef ? TimerRef.pendingOf(ref) : undefined;
  return pending?.isPending ? runtime.deadlines.remainingMs(pending) : false;
}

/** The receiver behind a pid, for {@link sendAfter}: the process, or a function that finds none if the process has ended. */
export function receiverOf(pid: Pid): Process | (() => undefined) {
  return processOf(pid) ?? (() => undefined);
}
