import { INFO_ENVELOPE } from './envelope.js';
import type { ExitReason } from './exit-reason.js';
import { Down } from './messages.js';
import { Pid, type Ref } from './pid.js';
import type { Process } from './process.js';
import type { Runtime } from './runtime.js';

/** One watch over one incarnation (M3). It reports exactly once, or not at all after {@link stop}. */
export abstract class Monitor {
  constructor(
    readonly ref: Ref,
    private readonly target: Process,
  ) {
    (target.watchers ??= new Map()).set(ref, this);
  }

  abstract report(reason: ExitReason): void;

  /** Answers whether the watch was still on. */
  stop(): boolean {
    return this.target.watchers?.delete(this.ref) ?? false;
  }
}

/** Tells a process by a {@link Down} message. */
class ProcessMonitor extends Monitor {
  constructor(
    ref: Ref,
    private readonly owner: Process,
    target: Process,
    private readonly object: unknown,
  ) {
    super(ref, target);
    this.pid = target.pid;
    (owner.watching ??= new Map()).set(ref, this);
  }

  private readonly pid: Pid;

  report(reason: ExitReason): void {
    this.owner.watching?.delete(this.ref);
    this.owner.deliver(INFO_ENVELOPE, new Down(this.ref, this.pid, this.object, reason));
  }
}

/** Tells code outside of any process by calling it. */
class CallbackMonitor extends Monitor {
  constructor(
    ref: Ref,
    target: Process,
    private readonly onDown: (reason: ExitReason) => void,
  ) {
    super(ref, target);
  }

  report(reason: ExitReason): void {
    this.onDown(reason);
  }
}

/**
 * Lets `owner` know when `target` ends. `target` is undefined when there is nobody to watch: then the message says `noproc`
 * at once. `object` is what the user named: a pid or a name.
 */
export function monitor(owner: Process, target: Process | undefined, object: unknown): Ref {
  const ref = owner.runtime.newRef();
  if (target === undefined || !target.isAlive) {
    const pid = target?.pid ?? (object instanceof Pid ? object : undefined);
    owner.deliver(INFO_ENVELOPE, new Down(ref, pid, object, 'noproc'));
  } else {
    new ProcessMonitor(ref, owner, target, object);
  }
  return ref;
}

/**
 * Ends the watch. Answers whether it was still on: false when it reported already, or never was this process's.
 * A `Down` that already lies in the mailbox stays there (M2).
 */
export function demonitor(owner: Process, ref: Ref): boolean {
  const found = owner.watching?.get(ref);
  owner.watching?.delete(ref);
  return found?.stop() ?? false;
}

/** Calls `onDown` in the turn of the exit. For the runtime's own use and for code outside of any process. */
export function watch(runtime: Runtime, target: Process, onDown: (reason: ExitReason) => void): Monitor {
  return new CallbackMonitor(runtime.newRef(), target, onDown);
}
