import { INFO_ENVELOPE } from '../mailbox/envelope.js';
import type { ExitReason } from '../exits/exit-reason.js';
import { Down } from '../exits/messages.js';
import { Pid, type Ref } from '../pid.js';
import { Monitor, type RelatedProcess, relationsOf } from './relations.js';

/** A process that can watch another one: it has a source of references. */
interface Watcher extends RelatedProcess {
  readonly runtime: { newRef(): Ref };
}

/** Tells a process by a {@link Down} message. */
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

/** Tells code outside of any process by calling it. */
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
 * Lets `owner` know when `target` ends. `target` is undefined when there is nobody to watch: then the message says `noproc`
 * at once. `object` is what the user named: a pid or a name.
 */
export function monitor(owner: Watcher, target: RelatedProcess | undefined, object: unknown): Ref {
  const ref = owner.runtime.newRef();
  if (target === undefined || !target.isAlive) {
    const pid = target?.pid ?? (object instanceof Pid ? object : undefined);
    owner.deliver(INFO_ENVELOPE, new Down(ref, pid, object, 'noproc'));
  } else {
    new ProcessMonitor(ref, owner, target, object).start();
  }
  return ref;
}

/**
 * Ends the watch. Answers whether it was still on: false when it reported already, or never was this process's.
 * A `Down` that already lies in the mailbox stays there (M2).
 */
export function demonitor(owner: Watcher, ref: Ref): boolean {
  const watching = owner.relations?.watching;
  const found = watching?.get(ref);
  watching?.delete(ref);
  return found?.stop() ?? false;
}

/** Calls `onDown` in the turn of the exit. For the runtime's own use and for code outside of any process. */
export function watch(target: RelatedProcess, onDown: (reason: ExitReason) => void): Monitor {
  return new CallbackMonitor(target, onDown).start();
}

/** Tells everybody who watches a process that it has ended. Who is told may end the watch of another. */
export function reportToWatchers({ relations }: RelatedProcess, reason: ExitReason): void {
  if (relations === null) return;
  for (let watcher = relations.firstWatcher; watcher !== null; watcher = relations.firstWatcher) {
    watcher.stop();
    watcher.report(reason);
  }
}
