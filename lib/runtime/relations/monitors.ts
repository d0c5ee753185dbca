import { INFO_ENVELOPE } from '../mailbox/envelope.js';
import type { ExitReason } from '../exits/exit-reason.js';
import { Down } from '../exits/messages.js';
import { FirstFailure } from '../first-failure.js';
import { Pid, type Ref } from '../pid.js';
import { isInstanceOf } from '../secrets/inspect-safely.js';
import { Monitor, type RelatedProcess, relationsOf } from './relations.js';

/** A process that can monitor another one. */
interface Watcher extends RelatedProcess {
  readonly runtime: { newRef(): Ref };
}

/** A monitor that reports to a process, with a {@link Down} message. */
class ProcessMonitor extends Monitor {
  constructor(
    private readonly ref: Ref,
    private readonly owner: RelatedProcess,
    target: RelatedProcess,
    private readonly object: unknown,
  ) {
    super(target);
    this.pid = target.pid;
    (relationsOf(owner).watching ??= new Map()).set(ref, this);
  }

  private readonly pid: Pid;

  report(reason: ExitReason): void {
    this.owner.relations?.watching?.delete(this.ref);
    this.owner.deliver(INFO_ENVELOPE, new Down(this.ref, this.pid, this.object, reason));
  }
}

/** A monitor that reports to code outside of any process, by calling it. */
class CallbackMonitor extends Monitor {
  constructor(
    target: RelatedProcess,
    private readonly onDown: (reason: ExitReason) => void,
  ) {
    super(target);
  }

  report(reason: ExitReason): void {
    this.onDown(reason);
  }
}

/**
 * Sends `owner` one {@link Down} message when `target` ends. If `target` is undefined or has ended, the message comes at once, with reason
 * `'noproc'`. `object` is what the user passed: a pid or a name.
 */
export function monitor(owner: Watcher, target: RelatedProcess | undefined, object: unknown): Ref {
  const ref = owner.runtime.newRef();
  if (target === undefined || !target.isAlive) {
    const pid = target?.pid ?? (isInstanceOf(object, Pid) ? object : undefined);
    owner.deliver(INFO_ENVELOPE, new Down(ref, pid, object, 'noproc'));
  } else {
    new ProcessMonitor(ref, owner, target, object).start();
  }
  return ref;
}

/**
 * Ends a monitor. Returns whether it was still active: false if it has already reported, or if another process owns it. A `Down` that is
 * already in the mailbox stays there (M2).
 */
export function demonitor(owner: Watcher, ref: Ref): boolean {
  const watching = owner.relations?.watching;
  const found = watching?.get(ref);
  watching?.delete(ref);
  return found?.stop() ?? false;
}

/** Calls `onDown` in the turn in which `target` ends. For the library itself, and for code outside of any process. */
export function watch(target: RelatedProcess, onDown: (reason: ExitReason) => void): Monitor {
  return new CallbackMonitor(target, onDown).start();
}

/** Reports the end of a process to its monitors. */
export function reportToWatchers({ relations }: RelatedProcess, reason: ExitReason): void {
  if (relations === null) return;
  const failure = new FirstFailure();
  // From the head each time: a report may stop other monitors.
  for (let watcher = relations.firstWatcher; watcher !== null; watcher = relations.firstWatcher) {
    watcher.stop();
    try {
      watcher.report(reason);
    } catch (thrown) {
      failure.note(thrown);
    }
  }
  failure.raise();
}
