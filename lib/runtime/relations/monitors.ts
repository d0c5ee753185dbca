import { INFO_ENVELOPE } from '../mailbox/envelope.js';
import type { ExitReason } from '../exits/exit-reason.js';
import { Down } from '../exits/messages.js';
import { Pid, type Ref } from '../pid.js';
import type { Process } from '../process.js';
import { relationsOf } from './relations.js';

/**
 * One watch over one incarnation (M3). From {@link start} on it reports exactly once, or not at all after {@link stop}. The watches over
 * a process are a list that runs through them, so that one costs no more than itself.
 */
export abstract class Monitor {
  private elder: Monitor | null = null;
  private younger: Monitor | null = null;
  private isOn = false;

  constructor(protected readonly target: Process) {}

  abstract report(reason: ExitReason): void;

  start(): this {
    const relations = relationsOf(this.target);
    const elder = relations.lastWatcher;
    this.isOn = true;
    this.elder = elder;
    if (elder === null) relations.firstWatcher = this;
    else elder.younger = this;
    relations.lastWatcher = this;
    return this;
  }

  /** Answers whether the watch was still on. */
  stop(): boolean {
    if (!this.isOn) return false;
    this.isOn = false;
    const { elder, younger } = this;
    const relations = relationsOf(this.target);
    if (elder === null) relations.firstWatcher = younger;
    else elder.younger = younger;
    if (younger === null) relations.lastWatcher = elder;
    else younger.elder = elder;
    this.elder = this.younger = null;
    return true;
  }
}

/** Tells a process by a {@link Down} message. */
class ProcessMonitor extends Monitor {
  constructor(
    private readonly ref: Ref,
    private readonly owner: Process,
    target: Process,
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
    target: Process,
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
export function monitor(owner: Process, target: Process | undefined, object: unknown): Ref {
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
export function demonitor(owner: Process, ref: Ref): boolean {
  const watching = owner.relations?.watching;
  const found = watching?.get(ref);
  watching?.delete(ref);
  return found?.stop() ?? false;
}

/** Calls `onDown` in the turn of the exit. For the runtime's own use and for code outside of any process. */
export function watch(target: Process, onDown: (reason: ExitReason) => void): Monitor {
  return new CallbackMonitor(target, onDown).start();
}

/** Tells everybody who watches a process that it has ended. Who is told may end the watch of another. */
export function reportToWatchers({ relations }: Process, reason: ExitReason): void {
  if (relations === null) return;
  for (let watcher = relations.firstWatcher; watcher !== null; watcher = relations.firstWatcher) {
    watcher.stop();
    watcher.report(reason);
  }
}
