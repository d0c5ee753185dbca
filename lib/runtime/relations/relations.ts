import type { ExitReason } from '../exits/exit-reason.js';
import { keepShape } from '../keep-shape.js';
import type { Envelope } from '../mailbox/mailbox.js';
import type { Pid, Ref } from '../pid.js';
import type { Deadline } from '../time/deadline.js';
import { Family, type Sibling } from './family.js';

/**
 * A process as the processes related to it see it: its parent and children, those that it is linked to, and those that watch it. The
 * code in this folder and the runtime know no more of a process than this, so `Process` can be built on top of them.
 */
export interface RelatedProcess extends Sibling<RelatedProcess> {
  readonly pid: Pid;
  /** The name of the process, or of the class it runs, for errors and events. */
  readonly label: string;
  readonly parent: RelatedProcess | null;
  readonly isAlive: boolean;
  /** It has ended, or is about to end without running `terminate`. Nothing that it still does may have an effect. */
  readonly isFenced: boolean;
  /** The link between a child and its parent is this flag of the child. */
  isLinkedToParent: boolean;
  /** Null until the first link, monitor, child or timer. @internal */
  relations: Relations | null;
  deliver(envelope: Envelope, payload: unknown): void;
  /** Receives an exit signal. `from` is null if it was sent from outside of any process. */
  signal(reason: ExitReason, from: RelatedProcess | null, isKill?: boolean): void;
  /** @internal */
  forgetLink(other: RelatedProcess): void;
}

/**
 * Watches one incarnation of a process (M3). After {@link start} it reports exactly once, or not at all after {@link stop}. The monitors of
 * a process form an intrusive list, so a monitor costs no memory besides this object.
 */
export abstract class Monitor<P extends RelatedProcess = RelatedProcess> {
  private previousWatcher: Monitor | null = null;
  private nextWatcher: Monitor | null = null;
  private isOn = false;

  constructor(protected readonly target: P) {}

  abstract report(reason: ExitReason): void;

  start(): this {
    const relations = relationsOf(this.target);
    const previousWatcher = relations.lastWatcher;
    this.isOn = true;
    this.previousWatcher = previousWatcher;
    if (previousWatcher === null) relations.firstWatcher = this;
    else previousWatcher.nextWatcher = this;
    relations.lastWatcher = this;
    return this;
  }

  /** Ends the monitor. Returns whether it was still active. */
  stop(): boolean {
    if (!this.isOn) return false;
    this.isOn = false;
    const { previousWatcher, nextWatcher } = this;
    const relations = relationsOf(this.target);
    if (previousWatcher === null) relations.firstWatcher = nextWatcher;
    else previousWatcher.nextWatcher = nextWatcher;
    if (nextWatcher === null) relations.lastWatcher = previousWatcher;
    else nextWatcher.previousWatcher = previousWatcher;
    this.previousWatcher = this.nextWatcher = null;
    return true;
  }
}

/**
 * The links, monitors, children and timers of a process. Created with the first of them, because most of a hundred thousand processes have
 * none.
 */
export class Relations {
  /** Linked processes, except the parent and the children: the link to a parent is a flag of the child. */
  links: Set<RelatedProcess> | null = null;
  /** All processes whose parent this process is, linked or not. */
  children: Family<RelatedProcess> | null = null;
  /** The list of the monitors that report the end of this process, in the order in which they were started. */
  firstWatcher: Monitor | null = null;
  lastWatcher: Monitor | null = null;
  /** The monitors that this process owns. */
  watching: Map<Ref, Monitor> | null = null;
  /** The parent stops this process and hears of its end in another way than by the link, which stays: the parent may be killed. */
  isStoppedByParent = false;
  /** A request to end this process waits in its queue. */
  isStopQueued = false;
  /** How many calls made by this process are unanswered, as far as their caller is known. */
  pendingCalls = 0;
  /** Pending messages to exactly this incarnation: a successor never gets them (K2). */
  timers: Set<Deadline> | null = null;
  /** Timers for a name that this process held when it set them. They outlive the process, which is not idle while they run. */
  timersToOwnName: Set<Deadline> | null = null;
}

keepShape(new Relations());

/** The relations of a process; created if there were none. */
export function relationsOf(process: RelatedProcess): Relations {
  return (process.relations ??= new Relations());
}

/** The list of the children of a process; created if there was none. */
export function childrenOf(process: RelatedProcess): Family<RelatedProcess> {
  return (relationsOf(process).children ??= new Family());
}

/** How many calls made by a process are unanswered, as far as their caller is known. */
export function pendingCallsOf({ relations }: RelatedProcess): number {
  return relations === null ? 0 : relations.pendingCalls;
}

/** Counts a call that a process has made (1), or that was settled (-1). The calls of a process that has ended no longer count. */
export function countCall(process: RelatedProcess, by: 1 | -1): void {
  if (process.isAlive) relationsOf(process).pendingCalls += by;
}
