import type { Clock } from '../ports.js';

/** Something that can be given a turn: a process. */
export interface Schedulable {
  /** Handles what is waiting. Answers whether the time slice is used up. */
  run(): boolean;
  /** How many messages wait for it. */
  readonly queueLength: number;
  /**
   * The next in the run queue: null for the last of them, undefined for one that is not in it. The queue is intrusive, so waking a
   * process allocates nothing.
   */
  nextReady: Schedulable | null | undefined;
}

/** How long handlers may hold one turn of the event loop before timers and I/O get their chance. */
const SLICE_MS = 2;
/** How many messages a process may handle before the next ready process has its turn. */
export const QUOTA = 256;
/** Reading the clock costs as much as handling a message, so it is read this seldom once the messages have proved quick. */
const MOST_BETWEEN_LOOKS = 64;
/** For how many turns nothing is gathered after a turn in which that was one message. */
const TURNS_BETWEEN_TRIES = 16;

/**
 * Decides whose turn is next and when to give way to the event loop.
 *
 * Handlers must never run in the async context of whoever happened to send a message. So the loop parks on a pending
 * promise whose reaction was registered in the context the runtime was made in, and a sender only resolves it: the reaction
 * keeps the context it was registered in. (`queueMicrotask` and a `then` on a settled promise would run in the sender's.)
 *
 * What comes first in a turn of the event loop is handled right after the callback of the platform that brought it. What further callbacks
 * bring (requests on other connections) is gathered and handled at the end of the turn: parsing all requests and then answering all of them
 * is much faster than changing between the two for each, since the code of either stays in the cache.
 *
 * At any time the flags are as in one row of this table (`*`: either). `test/runtime/scheduler-states.spec.ts` reads it and walks it.
 *
 * | state     | isRunning | isInTurn | isDeferred | isGathering | isWatched | needsNoBookkeeping | next states                  |
 * | --------- | --------- | -------- | ---------- | ----------- | --------- | ------------------ | ---------------------------- |
 * | idle      | no        | no       | no         | no          | *         | *                  | woken                        |
 * | woken     | yes       | no       | no         | no          | *         | *                  | running                      |
 * | running   | yes       | yes      | no         | no          | *         | *                  | resting, deferred, gathering |
 * | resting   | no        | yes      | no         | no          | *         | *                  | running, idle, deferred      |
 * | deferred  | yes       | yes      | yes        | no          | *         | no                 | ending                       |
 * | gathering | yes       | yes      | yes        | yes         | yes       | no                 | running, ending              |
 * | ending    | yes       | no       | yes        | *           | *         | no                 | woken                        |
 *
 * - idle: nobody is ready, and no end of a turn is awaited. The flags of the last turn mean nothing any more.
 * - woken: a wake is on its way, and begins a turn ({@link beginTurn}).
 * - running: processes run, or a wake is on its way to let them run in this turn.
 * - resting: all that came in this turn has been handled. A wake meant for the turn before may still arrive, and find the slice over.
 * - deferred: the slice is over ({@link defer}). Only exits are acted on until the turn ends; then the rest goes on.
 * - gathering: what comes waits for the end of the turn, so that all of it is handled together. An exit, or a full mailbox
 *   ({@link hurry}), ends that early ({@link stopGathering}).
 * - ending: the end of the turn is being told; what was deferred or gathered goes on right after that ({@link endTurn}).
 *
 * What the next wake of a turn does while the scheduler is neither deferred nor gathering depends on two flags:
 *
 * | needsNoBookkeeping | isWatched | next wake                                                                                 |
 * | ------------------ | --------- | ----------------------------------------------------------------------------------------- |
 * | yes                | no        | is handled at once: nothing is gathered in this turn                                      |
 * | no                 | no        | is handled at once, and the callback that brought it is watched ({@link watchCallback})   |
 * | yes                | yes       | is handled at once: it comes from the callback that is watched                            |
 * | no                 | yes       | begins a gathering, unless somebody exits, has no room for more, or nobody is ready       |
 */
export class Scheduler {
  /** The run queue, for a scheduler that gives the turns in another order. */
  protected first: Schedulable | null = null;
  private last: Schedulable | null = null;
  private readonly urgent: Schedulable[] = [];
  private isRunning = false;
  private isInTurn = false;
  private isDeferred = false;
  private sliceStart = 0;
  /** Counts the turns. */
  private turn = 0;
  /** How many messages may be handled until the next look at the clock, and how many it was between the last two. */
  private credit = 1;
  private stride = 1;
  /** Whether a wake means no more than that somebody is ready, as it nearly always does: one look for what happens most often. */
  private needsNoBookkeeping = true;
  /** Whether the clock was asked to tell when the callback is over that brought the second wake of this turn. */
  private isWatched = false;
  private readonly canGather: boolean;
  /** Whether what waits may go on waiting to the end of this turn, for more to come. */
  isGathering = false;
  /** How many turns are to end until something may be gathered again. */
  private turnsUntilTry = 0;
  /** Whether somebody has had no room for more in this turn: then nothing is gathered in the rest of it. */
  private isHurried = false;
  private open!: () => void;
  // Made once: closures that are made anew for every wake cost more than the rest of it.
  private readonly atTurnEnd = (): void => this.endTurn();
  private readonly onOpen = (): void => {
    this.park();
    if (this.needsNoBookkeeping || !this.isInTurn) this.flush();
    else this.takeSpecialWake();
  };
  private readonly atCallbackEnd = (): void => {
    this.needsNoBookkeeping = false;
  };
  private readonly keepOpen = (resolve: () => void): void => {
    this.open = resolve;
  };

  constructor(
    private readonly clock: Clock,
    private readonly onTurnEnd: () => void,
  ) {
    this.canGather = clock.afterCallback !== undefined;
    this.park();
  }

  /** Puts a process at the end of the run queue. */
  ready(process: Schedulable): void {
    process.nextReady = null;
    if (this.last === null) this.first = process;
    else this.last.nextReady = process;
    this.last = process;
    this.wake();
  }

  /**
   * Gives a process its turn before everybody else, also when these wait for the next turn: a supervisor that has to act on an
   * exit before anybody can notice it.
   */
  readyAtOnce(process: Schedulable): void {
    this.urgent.push(process);
    if (!this.isDeferred) this.wake();
    else if (this.urgent.length === 1) this.open(); // others are being run, or the wake for them is on its way
  }

  /**
   * Enters the loop from the continuation of a handler, so that what it makes ready runs in the same go: nobody sees an exit
   * before the supervisor has acted on it. Only for code that runs in the root context, as the reactions that the loop
   * itself registered do. What it answers goes to {@link leave}.
   */
  enter(): boolean {
    const wasRunning = this.isRunning;
    this.isRunning = true;
    return wasRunning;
  }

  leave(wasRunning: boolean): void {
    // When a wake is on its way or the slice is over, the rest waits for it; an exit does not, and ends a gathering.
    if (!wasRunning) this.flush();
    else if (this.isGathering && this.urgent.length > 0) this.stopGathering();
    else this.runUrgent();
  }

  /** What waits must not wait for others to be gathered: somebody has no room for more. */
  hurry(): void {
    this.isHurried = true;
    if (this.isGathering) this.open();
  }

  /** Sees to it that the end of this turn is told, also when no process runs in it. */
  expectTurnEnd(): void {
    if (!this.isInTurn) this.wake();
  }

  /** Whether the slice is used up. Looks at the clock after 1, 2, 4, … messages of a turn, then once in 64. */
  isOverdue(): boolean {
    if (--this.credit > 0) return false;
    this.stride = Math.min(this.stride * 2, MOST_BETWEEN_LOOKS);
    this.credit = this.stride;
    return this.clock.now() - this.sliceStart > SLICE_MS;
  }

  protected wake(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.open();
  }

  private park(): void {
    void new Promise<void>(this.keepOpen).then(this.onOpen);
  }

  private flush(): void {
    if (!this.isInTurn) {
      this.beginTurn();
    } else if (this.isDeferred || this.isOverdue()) {
      this.defer();
      return;
    }
    this.runUrgent();
    for (let process = this.first; process !== null; process = this.first) {
      this.first = process.nextReady!;
      if (this.first === null) this.last = null;
      process.nextReady = undefined;
      if (process.run()) {
        this.defer();
        return;
      }
      this.runUrgent();
    }
    this.isRunning = false;
  }

  private takeSpecialWake(): void {
    if (this.isGathering) this.stopGathering();
    else if (this.isDeferred) this.runUrgent();
    else if (!this.isWatched) this.watchCallback();
    else if (this.mayGather()) this.isGathering = this.isDeferred = true;
    else this.flush();
  }

  /** What comes in this callback is handled at once; most turns have one wake, so it is watched from the second on. */
  private watchCallback(): void {
    this.isWatched = this.needsNoBookkeeping = true;
    this.insistOnTurnEnd(this.turn);
    this.clock.afterCallback!(this.atCallbackEnd);
    this.flush();
  }

  private mayGather(): boolean {
    return this.first !== null && this.urgent.length === 0 && !this.isHurried;
  }

  /** An exit is to be healed, and a full mailbox to be emptied, before the next callback: all that waits is handled now. */
  private stopGathering(): void {
    this.isGathering = this.isDeferred = false;
    // None of the time so far went to handlers. Once a turn at most, which many exits might not be.
    if (this.isHurried) this.beginSlice();
    this.flush();
  }

  /** Somebody who brings one message after the other, each in a callback of its own, would wait a turn for each of them. */
  private learnFromGathering(): void {
    this.isGathering = false;
    const { first } = this;
    const hasSeveral = first !== null && (first.nextReady !== null || first.queueLength > 1);
    if (!hasSeveral) this.turnsUntilTry = TURNS_BETWEEN_TRIES;
  }

  /** The slice is over: the next turn of the event loop goes on. */
  private defer(): void {
    // Also after a wake that came late, in a turn after the one that it was meant for, when nobody was ready any more.
    this.isRunning = this.isDeferred = true;
    this.needsNoBookkeeping = false;
    this.insistOnTurnEnd(this.turn);
    this.runUrgent();
  }

  /** The end that was asked for before may have gone with the fake timers of a test runner, and nothing would ever run again. */
  private insistOnTurnEnd(turn: number): void {
    this.clock.nextTurn(() => {
      if (this.turn === turn) this.endTurn();
    });
  }

  private runUrgent(): void {
    if (this.urgent.length === 0) return;
    const { urgent } = this;
    // By index: what runs may add to the list, and shifting a long one (a whole tree that dies) would be quadratic.
    for (let i = 0; i < urgent.length; i++) urgent[i]!.run();
    urgent.length = 0;
  }

  private beginTurn(): void {
    this.isInTurn = true;
    this.beginSlice();
    this.isWatched = this.isHurried = false;
    this.needsNoBookkeeping = !this.canGather || this.turnsUntilTry > 0;
    this.clock.nextTurn(this.atTurnEnd);
  }

  private beginSlice(): void {
    this.sliceStart = this.clock.now();
    this.credit = this.stride = 1;
  }

  private endTurn(): void {
    this.turn++;
    this.isInTurn = false;
    this.onTurnEnd();
    if (this.turnsUntilTry > 0) this.turnsUntilTry--;
    if (this.isGathering) this.learnFromGathering();
    if (this.isDeferred) {
      this.isDeferred = false;
      this.flush();
    }
  }
}
