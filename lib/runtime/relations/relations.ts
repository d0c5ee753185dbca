import type { Deadline } from '../time/deadline.js';
import { Family } from './family.js';
import { keepShape } from '../keep-shape.js';
import type { Monitor } from './monitors.js';
import type { Ref } from '../pid.js';
import type { Process } from '../process.js';

/**
 * The links, monitors, children and timers of a process. Most processes of a hundred thousand have none, so the
 * object is made with the first of them.
 */
export class Relations {
  /** Linked processes, without the parent and the children, which are linked by a flag of the child. */
  links: Set<Process> | null = null;
  /** Everybody who has this process as parent, linked or not. */
  children: Family | null = null;
  /** Who is told when this process ends, in the order in which they asked. */
  firstWatcher: Monitor | null = null;
  lastWatcher: Monitor | null = null;
  /** Whom this process watches. */
  watching: Map<Ref, Monitor> | null = null;
  /** A request to end this process waits in its queue. */
  isStopQueued = false;
  /** How many calls of this process are unanswered, as far as is known. */
  pendingCalls = 0;
  /** Pending messages to this very incarnation, which no successor may get (K2). */
  timers: Set<Deadline> | null = null;
  /** Timers that this process has set for a name which was its own then. They outlive it, and it is not idle while they run. */
  timersToOwnName: Set<Deadline> | null = null;
}

keepShape(new Relations());

/** The relations of a process, made when there were none. */
export function relationsOf(process: Process): Relations {
  return (process.relations ??= new Relations());
}

/** The list that holds the children of a process. */
export function childrenOf(process: Process): Family {
  return (relationsOf(process).children ??= new Family());
}

/** How many calls of a process are unanswered, as far as is known. */
export function pendingCallsOf({ relations }: Process): number {
  return relations === null ? 0 : relations.pendingCalls;
}

/** Counts a call that a process has made, or one of them that was settled. One that has ended waits for nothing. */
export function countCall(process: Process, by: 1 | -1): void {
  if (process.isAlive) relationsOf(process).pendingCalls += by;
}
