import { TERMINATE_ENVELOPE, INFO_ENVELOPE } from './mailbox/envelope.js';
import { type ExitReason, reasonOfThrown } from './exits/exit-reason.js';
import { effectOfSignal } from './exits/exit-signals.js';
import { Mailbox, type Envelope } from './mailbox/mailbox.js';
import { Exit } from './exits/messages.js';
import { linkedTo } from './relations/links.js';
import { reportToWatchers } from './relations/monitors.js';
import { Pid } from './pid.js';
import type { Registration, ServerName } from './server-name.js';
import type { Runtime } from './runtime.js';
import { QUOTA, type Schedulable } from './scheduling/scheduler.js';
import { type RelatedProcess, type Relations, relationsOf } from './relations/relations.js';
import type { Activation, Awaited, TrackedProcess } from './tracking.js';

/** `starting` until `init` has finished, `exiting` while `terminate` runs. */
export type ProcessStatus = 'starting' | 'running' | 'exiting' | 'dead';

/**
 * One incarnation of a process: a mailbox, and a loop that handles one message to completion before it takes the next (P1). Subclasses
 * decide what a message means; this class implements links, exit signals and the end of a process.
 */
export abstract class Process implements Schedulable, TrackedProcess {
  readonly pid: Pid;
  status: ProcessStatus = 'starting';
  /** Work is in progress (`init`, a handler, `terminate`), so no message may be taken from the mailbox. */
  isBusy = false;

  nextReady: Schedulable | null | undefined = undefined;
  /** Neighbours in the list of the parent's children. @internal */
  olderSibling: RelatedProcess | null = null;
  /** @internal */
  youngerSibling: RelatedProcess | null = null;

  registration: Registration | null = null;
  /** The key of this process in its registration, which may be shared by many processes. @internal */
  registeredKey: unknown = undefined;
  isLinkedToParent = false;
  /** Null until the first link, monitor, child or timer. @internal */
  relations: Relations | null = null;
  /** The running callback, if callbacks are tracked. A field of the process, because tracking concerns every process. @internal */
  activation: Activation | null = null;

  /** Created with the first message. @internal */
  mailbox: Mailbox | null = null;
  /** Work that runs before the next message is pending: the start itself, or a continue. @internal */
  hasContinuation = true;
  /** Set as soon as the process is to end at once; the loop ends it later. */
  private pendingEnd: { readonly reason: ExitReason } | null = null;

  constructor(
    readonly runtime: Runtime,
    id: number,
    incarnation: number,
    readonly parent: RelatedProcess | null,
  ) {
    this.pid = new Pid(id, incarnation);
    Pid.attach(this.pid, this);
  }

  /** What the process is called in errors and events: its name, or the name of the class it runs. */
  abstract get label(): string;

  /** @internal */
  get awaited(): Awaited | null {
    return null;
  }

  /** Whether exit signals from processes other than the parent become messages. */
  get trapsExits(): boolean {
    return false;
  }

  /** Whether the process finishes its queue when its parent stops it, even if it does not trap exits. */
  get drains(): boolean {
    return false;
  }

  /** Handles one message. May leave work in progress ({@link isBusy}) or end the process. */
  protected abstract receive(envelope: Envelope, payload: unknown): void;

  /** Runs the work that comes before the next message: the start, or a continue. */
  protected abstract runContinuation(): void;

  /** Called for each queued message when the process has ended: the message will never be handled. */
  protected abstract discard(envelope: Envelope, payload: unknown, reason: ExitReason): void;

  /** Called when the process has ended, to release what it holds. Runs before links and monitors are told. */
  protected abstract onEnd(reason: ExitReason): void;

  /** Whether the process handles the exit of a linked process before anything else runs, as supervisors do. */
  protected get actsOnExitsAtOnce(): boolean {
    return false;
  }

  /** Creates the mailbox, for the first message. @internal */
  makeMailbox(): Mailbox {
    return new Mailbox();
  }

  /** Called when the backlog has reached a length that is worth a report. */
  protected onHighWater(_queueLength: number): void {}

  /** Called when the process has nothing left to do for now. */
  protected onQuiet(): void {}

  /** Called when a request to end this process was queued. */
  protected onStopQueued(): void {}

  /** The name it is registered under; undefined if it has none. */
  get registeredName(): ServerName | undefined {
    return this.registration?.nameOf(this.registeredKey);
  }

  get queueLength(): number {
    return this.mailbox === null ? 0 : this.mailbox.length;
  }

  /** Nothing that this incarnation still does may have an effect: it has ended, or is about to end without running `terminate`. */
  get isFenced(): boolean {
    return this.status === 'dead' || this.pendingEnd !== null;
  }

  /** A request to end this process waits in its queue, so no long operation should begin. */
  get isStopQueued(): boolean {
    return this.relations !== null && this.relations.isStopQueued;
  }

  get isAlive(): boolean {
    return this.status !== 'dead';
  }

  /** The process accepts no new work: it has ended, is about to end, or runs its `terminate`. */
  get isEnding(): boolean {
    return this.isFenced || this.status === 'exiting';
  }

  deliver(envelope: Envelope, payload: unknown): void {
    if (this.status === 'dead') return;
    const mailbox = (this.mailbox ??= this.makeMailbox());
    mailbox.push(envelope, payload);
    if (mailbox.isHigh) this.reachHighWater(mailbox);
    if (this.nextReady === undefined && !this.isBusy) this.runtime.scheduler.ready(this);
  }

  /** Queues a request to end this process behind the messages that are already waiting. */
  deliverStop(envelope: Envelope, payload: unknown): void {
    this.deliver(envelope, payload);
    relationsOf(this).isStopQueued = true;
    this.onStopQueued();
  }

  /** Receives an exit signal (section 6 of the rules). `from` is null if it comes from outside of any process. */
  signal(reason: ExitReason, from: RelatedProcess | null, isKill = false): void {
    if (this.isFenced) return;
    const effect = effectOfSignal(reason, {
      trapsExits: this.trapsExits,
      // A parent that has ended cannot enforce a shutdown time, so its exit signal acts like that of any linked process.
      drains: this.drains && from !== null && from.isAlive,
      fromParent: from !== null && from === this.parent,
      fromItself: from === this,
      isKill,
    });
    if (effect === 'die') this.die(isKill ? 'killed' : reason);
    else if (effect === 'terminate') this.queueTermination(reason);
    else if (effect === 'message') this.deliverExit(new Exit(from?.pid, reason));
  }

  /**
   * Ends the process at once, without `terminate`, even in the middle of a callback. The incarnation is fenced from this moment on; the
   * rest (names, callers, links, monitors) follows in the loop, because the caller may be the code of another process.
   */
  die(reason: ExitReason): void {
    if (this.isFenced) return;
    this.pendingEnd = { reason };
    this.runtime.scheduler.readyAtOnce(this);
  }

  run(): boolean {
    try {
      return this.takeTurn();
    } catch (thrown) {
      this.crash(thrown);
      return false;
    }
  }

  /**
   * Handles an error that was thrown outside of any callback, for instance by a getter of a message or result. The error ends this
   * process, and never the loop that all processes share.
   */
  protected crash(thrown: unknown): void {
    try {
      this.onCrash(thrown);
    } catch (another) {
      this.die(reasonOfThrown(another));
    }
  }

  /** Ends the process because of an error outside of any callback. If this method throws, the process ends with that error instead. */
  protected onCrash(thrown: unknown): void {
    this.die(reasonOfThrown(thrown));
  }

  /**
   * Runs a step of this process outside of its turn: the reaction to a promise or to a deadline. No other process runs until the step has
   * finished. An error that it throws ends this process, and never the loop that all processes share. The caller must check that the
   * process is not fenced. @internal
   */
  inLoop(step: () => void): void {
    const { scheduler } = this.runtime;
    const wasRunning = scheduler.enter();
    try {
      step();
    } catch (thrown) {
      this.crash(thrown);
    } finally {
      scheduler.leave(wasRunning);
    }
  }

  private takeTurn(): boolean {
    if (this.pendingEnd !== null) {
      this.end(this.pendingEnd.reason);
      return false;
    }
    const { scheduler } = this.runtime;
    for (let quota = QUOTA; !this.isBusy && this.pendingEnd === null; quota--) {
      const hasMail = this.mailbox !== null && !this.mailbox.isEmpty;
      if (!hasMail && !this.hasContinuation) {
        this.onQuiet();
        return false;
      }
      if (quota === 0) {
        this.becomeReady();
        return false;
      }
      if (this.hasContinuation) {
        this.runContinuation();
      } else {
        const mailbox = this.mailbox!;
        const envelope = mailbox.peek();
        this.receive(envelope, mailbox.take());
      }
      if (scheduler.isOverdue()) {
        if (!this.isBusy) this.becomeReady();
        return true;
      }
    }
    return false;
  }

  /** Continues with the mailbox after work that took more than one turn. */
  resume(): void {
    this.isBusy = false;
    if (!this.hasContinuation && this.queueLength === 0) {
      this.onQuiet();
      return;
    }
    this.becomeReady();
    const { scheduler } = this.runtime;
    if (scheduler.isGathering && this.mailbox?.isFull === true) scheduler.hurry();
  }

  protected becomeReady(): void {
    if (this.nextReady === undefined) this.runtime.scheduler.ready(this);
  }

  /**
   * Ends the process, in OTP's order (E13): the name is freed, then callers, links and monitors are told. All of it happens in one
   * synchronous step, so other processes never see an intermediate state.
   */
  end(reason: ExitReason): void {
    if (this.status === 'dead') return;
    const { mailbox, relations } = this;
    const linked = linkedTo(this);
    // Before the status changes: the children of a dead process are expected among the orphans, where `remove` moves them.
    this.runtime.remove(this);
    this.status = 'dead';
    this.isBusy = true;
    this.hasContinuation = false;
    this.releaseName();
    Pid.detach(this.pid);

    this.mailbox = null;
    if (mailbox !== null && !mailbox.isEmpty) this.discardAll(mailbox, reason);
    this.onEnd(reason);
    if (relations !== null) giveUp(relations);
    if (this.isLinkedToParent) {
      this.isLinkedToParent = false;
      if (relations === null || !relations.isStoppedByParent) this.parent!.signal(reason, this);
    }
    // If the parent is a supervisor that ends before its child, it was killed, so nothing will read its record of this child.
    if (this.parent !== null && this.parent.isFenced) Pid.setSupervisorRecord(this.pid, undefined);
    for (const other of linked) {
      other.forgetLink(this);
      other.signal(reason, this);
    }
    try {
      if (this.relations !== null) reportToWatchers(this, reason);
    } finally {
      // Garbage in the old generation keeps the young objects it refers to alive, and collecting those costs more than ending a process.
      this.relations = null;
      this.runtime.reportExit(this, reason);
    }
  }

  private discardAll(mailbox: Mailbox, reason: ExitReason): void {
    mailbox.forEach((envelope, payload) => this.discard(envelope, payload, reason));
  }

  /** @internal */
  forgetLink(other: RelatedProcess): void {
    if (other === this.parent) this.isLinkedToParent = false;
    this.relations?.links?.delete(other);
  }

  /** A user-defined registry may throw. The error is reported, and the process ends all the same. */
  private releaseName(): void {
    const { registration, registeredKey } = this;
    if (registration === null) return;
    try {
      registration.release(registeredKey, this.pid);
    } catch (error) {
      this.runtime.reportUnreleasedName(this, registration.nameOf(registeredKey), error);
    }
  }

  private reachHighWater(mailbox: Mailbox): void {
    // First, because the handler of the report may send another message.
    mailbox.raiseHighWater();
    this.onHighWater(mailbox.length);
  }

  private queueTermination(reason: ExitReason): void {
    // A process whose `terminate` is running keeps its exit reason.
    if (this.status === 'exiting') return;
    this.deliverStop(TERMINATE_ENVELOPE, reason);
  }

  private deliverExit(exit: Exit): void {
    this.deliver(INFO_ENVELOPE, exit);
    if (this.actsOnExitsAtOnce && !this.isBusy) this.runtime.scheduler.readyAtOnce(this);
  }
}

/** Cancels the timers and monitors of a process that has ended. */
function giveUp(relations: Relations): void {
  if (relations.timers !== null) for (const timer of relations.timers) timer.cancel();
  if (relations.watching !== null) for (const monitor of relations.watching.values()) monitor.stop();
  relations.links = relations.children = relations.watching = relations.timers = null;
}

/** The live process of a pid; undefined if it has ended. */
export function processOf(pid: Pid): Process | undefined {
  // Safe: only the constructor of `Process` attaches an owner to a pid.
  return Pid.ownerOf(pid) as Process | undefined;
}

/** Every live process of a runtime: parents before their children, older processes before younger ones. */
export function processesOf(runtime: Runtime): IterableIterator<Process> {
  return runtime.processes() as IterableIterator<Process>;
}
