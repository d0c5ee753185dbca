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
import type { Activation, TrackedProcess } from './tracking.js';

/** `starting` until `init` is done, `exiting` while `terminate` runs. */
export type ProcessStatus = 'starting' | 'running' | 'exiting' | 'dead';

/**
 * One life of a process: a mailbox, and a loop that takes one message at a time to its very end (P1). What a message means
 * is the business of a subclass; what it means to be linked, to be signalled and to end is settled here.
 */
export abstract class Process implements Schedulable, TrackedProcess {
  readonly pid: Pid;
  status: ProcessStatus = 'starting';
  /** Work is in progress (`init`, a handler, `terminate`), so nothing may be taken from the mailbox. */
  isBusy = false;

  nextReady: Schedulable | null | undefined = undefined;
  /** Neighbours among those with the same parent. @internal */
  olderSibling: RelatedProcess | null = null;
  /** @internal */
  youngerSibling: RelatedProcess | null = null;

  registration: Registration | null = null;
  /** What it is found by where it is registered, when others are registered there too. @internal */
  registeredKey: unknown = undefined;
  isLinkedToParent = false;
  /** Null as long as nothing but the parent has to do with it. @internal */
  relations: Relations | null = null;
  /** The callback that is under way, where that is tracked: on the process itself, since it is every process then. @internal */
  activation: Activation | null = null;

  /** Made with the first message. @internal */
  mailbox: Mailbox | null = null;
  /** Something comes before the mailbox: the start itself, or a continue. @internal */
  hasContinuation = true;
  private doom: { readonly reason: ExitReason } | null = null;

  constructor(
    readonly runtime: Runtime,
    id: number,
    incarnation: number,
    readonly parent: RelatedProcess | null,
  ) {
    this.pid = new Pid(id, incarnation);
    Pid.attach(this.pid, this);
  }

  /** How people call it: its name, or what it runs. */
  abstract get label(): string;

  /** Turns exit signals of others than the parent into messages. */
  get trapsExits(): boolean {
    return false;
  }

  /** Finishes its queue when its parent stops it, also without trapping exits. */
  get drains(): boolean {
    return false;
  }

  /** Handles one message. May leave work in progress behind ({@link isBusy}) or end the process. */
  protected abstract receive(envelope: Envelope, payload: unknown): void;

  /** Runs what a result asked to be run before the next message. */
  protected abstract runContinuation(): void;

  /** A message that will never be handled, because the process has ended. */
  protected abstract discard(envelope: Envelope, payload: unknown, reason: ExitReason): void;

  /** The process has ended; what is left of it is to be given up. Runs before links and monitors are told. */
  protected abstract onEnd(reason: ExitReason): void;

  /** Whether an exit of a linked process has to be acted on before anything else runs: supervisors. */
  protected get actsOnExitsAtOnce(): boolean {
    return false;
  }

  /** The mailbox comes with the first message. */
  /** @internal */
  makeMailbox(): Mailbox {
    return new Mailbox();
  }

  /** The queue has become so long that somebody should be told. */
  protected onHighWater(_queueLength: number): void {}

  /** Called when there is nothing left to do for now. */
  protected onQuiet(): void {}

  /** Called when a request to end this process was queued. */
  protected onStopQueued(): void {}

  /** What it was registered under; undefined when it has no name. */
  get registeredName(): ServerName | undefined {
    return this.registration?.nameOf(this.registeredKey);
  }

  get queueLength(): number {
    return this.mailbox === null ? 0 : this.mailbox.length;
  }

  /** Nothing that this incarnation still does may have an effect: it has ended, or is about to without being asked. */
  get isFenced(): boolean {
    return this.status === 'dead' || this.doom !== null;
  }

  /** A request to end this process waits in its queue: what takes long had better not begin. */
  get isStopQueued(): boolean {
    return this.relations !== null && this.relations.isStopQueued;
  }

  get isAlive(): boolean {
    return this.status !== 'dead';
  }

  /** It takes in nothing new: it has ended, is about to, or is in its `terminate`. */
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

  /** Delivers a request to end this process, in its place in the queue. */
  deliverStop(envelope: Envelope, payload: unknown): void {
    this.deliver(envelope, payload);
    relationsOf(this).isStopQueued = true;
    this.onStopQueued();
  }

  /** An exit signal arrives (section 6 of the rules). `from` is null when it comes from outside of any process. */
  signal(reason: ExitReason, from: RelatedProcess | null, isKill = false): void {
    if (this.isFenced) return;
    const effect = effectOfSignal(reason, {
      trapsExits: this.trapsExits,
      // A parent that has ended enforces no time: its link ends the process as anybody's does.
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
   * Ends at once, without `terminate`, in the middle of whatever is running. From this moment on the incarnation is fenced;
   * the rest (names, callers, links, monitors) follows in the loop, since it may be a stranger's code that called us.
   */
  die(reason: ExitReason): void {
    if (this.isFenced) return;
    this.doom = { reason };
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
   * Code threw outside of any callback, for instance because a message or a result of the user's throws when it is looked at. This
   * ends the process, and never the loop that all processes share.
   */
  protected crash(thrown: unknown): void {
    try {
      this.onCrash(thrown);
    } catch (another) {
      this.die(reasonOfThrown(another));
    }
  }

  /** Ends the process because of what was thrown outside of any callback. May throw: then the process ends because of that. */
  protected onCrash(thrown: unknown): void {
    this.die(reasonOfThrown(thrown));
  }

  /**
   * Runs a step of this process that is not part of its turn: the reaction to a promise, or to a deadline. No other process runs before
   * it is done. What it throws ends this process, and never the loop that all processes share. The caller makes sure that the process
   * is not fenced. @internal
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
    if (this.doom !== null) {
      this.end(this.doom.reason);
      return false;
    }
    const { scheduler } = this.runtime;
    for (let quota = QUOTA; !this.isBusy && this.doom === null; quota--) {
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

  /** Goes on with the mailbox after work that took more than one turn. */
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
   * The end. The order is OTP's (E13): the name is free, then callers, links and monitors are told. All of it happens in one
   * go, so nobody sees half of it.
   */
  end(reason: ExitReason): void {
    if (this.status === 'dead') return;
    const { mailbox, relations } = this;
    const linked = linkedTo(this);
    // Before it is dead: until then it is among its siblings, and its children are with it.
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
    // A parent that ended without it, or is about to, was killed if it was a supervisor: nobody will ask about this child.
    if (this.parent !== null && this.parent.isFenced) Pid.setSupervisorRecord(this.pid, undefined);
    for (const other of linked) {
      other.forgetLink(this);
      other.signal(reason, this);
    }
    if (this.relations !== null) reportToWatchers(this, reason);
    // An old object that is garbage keeps alive what is young: collecting that costs more than ending a process does.
    this.relations = null;
    this.runtime.reportExit(this, reason);
  }

  private discardAll(mailbox: Mailbox, reason: ExitReason): void {
    mailbox.forEach((envelope, payload) => this.discard(envelope, payload, reason));
  }

  /** @internal */
  forgetLink(other: RelatedProcess): void {
    if (other === this.parent) this.isLinkedToParent = false;
    this.relations?.links?.delete(other);
  }

  /** A registry of the user's own may throw. The end goes on all the same. */
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
    // First, since whoever is told may send another message.
    mailbox.raiseHighWater();
    this.onHighWater(mailbox.length);
  }

  private queueTermination(reason: ExitReason): void {
    // A process that is already on its way out ends with the reason it has.
    if (this.status === 'exiting') return;
    this.deliverStop(TERMINATE_ENVELOPE, reason);
  }

  private deliverExit(exit: Exit): void {
    this.deliver(INFO_ENVELOPE, exit);
    if (this.actsOnExitsAtOnce && !this.isBusy) this.runtime.scheduler.readyAtOnce(this);
  }
}

/** Nothing that an ended process asked for reaches anybody. */
function giveUp(relations: Relations): void {
  if (relations.timers !== null) for (const timer of relations.timers) timer.cancel();
  if (relations.watching !== null) for (const monitor of relations.watching.values()) monitor.stop();
  relations.links = relations.children = relations.watching = relations.timers = null;
}

/** The live process of a pid; undefined when it has ended. */
export function processOf(pid: Pid): Process | undefined {
  // Only the constructor of a process attaches anything to a pid.
  return Pid.ownerOf(pid) as Process | undefined;
}

/** Every live process of a runtime: parents before their children, the older before the younger. */
export function processesOf(runtime: Runtime): IterableIterator<Process> {
  return runtime.processes() as IterableIterator<Process>;
}
