import { Deadline } from './time/deadline.js';
import { assertDurationMs } from './errors.js';
import { INFO_ENVELOPE } from './mailbox/envelope.js';
import { type Pid, Ref } from './pid.js';
import { type Process, processOf } from './process.js';
import type { Runtime } from './runtime.js';
import { relationsOf } from './relations/relations.js';

/** A message that is sent later. */
class PendingMessage extends Deadline {
  constructor(
    private readonly ref: TimerRef,
    /** A process is reached in this incarnation or not at all; a function finds the receiver when the time has come (K2). */
    private readonly receiver: Process | (() => Process | undefined),
    private readonly message: unknown,
    /** Who sent it to a name of its own. */
    private readonly namesake: Process | null,
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
      // A registry of the user's own may throw; nobody waits for this message, so that is as good as nobody there.
      return undefined;
    }
  }

  private forget(): void {
    TimerRef.attach(this.ref, undefined);
    if (typeof this.receiver !== 'function') this.receiver.relations?.timers?.delete(this);
    else this.namesake?.relations?.timersToOwnName?.delete(this);
  }
}

/**
 * What `sendAfter` gives and `cancelTimer` takes.
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
 * Sends `message` to `receiver` in `delayMs` milliseconds. A receiver that is a process is one incarnation: its successor
 * never gets the message. `namesake` is the process that sends the message to a name of its own, and waits for it.
 */
export function sendAfter(
  runtime: Runtime,
  receiver: Process | (() => Process | undefined),
  message: unknown,
  delayMs: number,
  namesake: Process | null = null,
): TimerRef {
  assertDurationMs(delayMs, 'The delay of sendAfter', false);
  const ref = new TimerRef(runtime.nextRefId());
  if (typeof receiver !== 'function' && !receiver.isAlive) return ref;
  const pending = new PendingMessage(ref, receiver, message, namesake);
  TimerRef.attach(ref, pending);
  if (typeof receiver !== 'function') (relationsOf(receiver).timers ??= new Set()).add(pending);
  else if (namesake !== null) (relationsOf(namesake).timersToOwnName ??= new Set()).add(pending);
  runtime.deadlines.addUnshared(pending, delayMs);
  return ref;
}

/**
 * Cancels a timer. Answers the milliseconds that were left, or false when it fired, was cancelled or is not known. A message
 * that already lies in the mailbox stays there (K1).
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

/** The process behind a pid, for {@link sendAfter}: a pid that has ended is nobody. */
export function receiverOf(pid: Pid): Process | (() => undefined) {
  return processOf(pid) ?? (() => undefined);
}
