import type { Clock } from '../ports.js';

/** What the scheduler runs: a process. */
export interface Schedulable {
  /** Handles waiting messages. Returns whether the time slice is used up. */
  run(): boolean;
  /** The number of waiting messages. */
  readonly queueLength: number;
  /**
   * The next process in the run queue: null for the last one, undefined for a process that is not in it. The queue is intrusive, so waking
   * a process allocates nothing.
   */
  nextReady: Schedulable | null | undefined;
}

/** How long handlers may run in one turn of the event loop before they yield to timers and I/O. */
const SLICE_MS = 2;
/** How many messages a process may handle before the next ready process runs. */
export const QUOTA = 256;
/** Reading the clock costs as much as handling a message, so while messages prove quick it is read after this many of them. */
const MAX_MESSAGES_BETWEEN_CLOCK_READS = 64;
/** For how many turns gathering is off after a turn that gathered only one message. */
const TURNS_WITHOUT_GATHERING = 16;

/**
 * Decides which process runs next, and when to yield to the event loop.
 *
 * Handlers must never run in the async context of the sender of a message. So the loop waits on a pending promise whose reaction was
 * registered in the context the runtime was created in, and a sender only resolves it: the reaction keeps the context it was registered
 * in. (`queueMicrotask`, or `then` on a settled promise, would run in the sender's context.)
 *
 * The first messages of a turn of the event loop are handled right after the platform callback that sent them. The messages of further
 * callbacks (requests on other connections) are gathered and handled at the end of the turn: parsing all requests and then answering all
 * of them is much faster than alternating between the two, because the code of each stays in the cache.
 *
 * At any time the flags match one row of this table (`*`: either value). `test/runtime/scheduler-states.spec.ts` reads the table and
 * checks it.
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
 * - idle: no process is ready, and no end of a turn is awaited. The flags of the last turn have no meaning.
 * - woken: a wake is pending, and will begin a turn ({@link beginTurn}).
 * - running: processes run, or a wake is pending that will let them run in this turn.
 * - resting: all messages of this turn have been handled. A wake meant for the previous turn may still arrive, and find the slice over.
 * - deferred: the slice is over ({@link defer}). Until the turn ends, only exits are handled; then the other processes continue.
 * - gathering: messages wait for the end of the turn, so that all of them are handled together. An exit, or a full mailbox
 *   ({@link hurry}), ends the gathering early ({@link stopGathering}).
 * - ending: the end of the turn is being announced; deferred and gathered work continues right after that ({@link endTurn}).
 *
 * What the next wake of a turn does while the scheduler is neither deferred nor gathering depends on two flags:
 *
 * | needsNoBookkeeping | isWatched | next wake                                                                                 |
 * | ------------------ | --------- | ----------------------------------------------------------------------------------------- |
 * | yes                | no        | is handled at once: nothing is gathered in this turn                                      |
 * | no                 | no        | is handled at once, and the callback that brought it is watched ({@link watchCallback})   |
 * | yes                | yes       | is handled at once: it comes from the callback that is watched                            |
 * | no                 | yes       | begins a gathering, unless a process exits, a mailbox is full, or no process is ready     |
 */
export class Scheduler {
  /** The head of the run queue. Protected, for a scheduler with another order. */
  protected first: Schedulable | null = null;
  private last: Schedulable | null = null;
  private readonly urgent: Schedulable[] = [];
  private isRunning = false;
  private isInTurn = false;
  private isDeferred = false;
  private sliceStart = 0;
  /** The number of the current turn. */
  private turn = 0;
  /** How many messages may be handled until the clock is read again. */
  private credit = 1;
  /** How many messages were handled between the last two reads of the clock. */
  private stride = 1;
  /** Fast path: a wake only has to run the ready processes, as nearly every wake does. */
  private needsNoBookkeeping = true;
  /** Whether the clock was asked to report the end of the callback that caused the second wake of this turn. */
  private isWatched = false;
  private readonly canGather: boolean;
  /** Whether waiting messages keep waiting for the end of this turn, so that more can join them. */
  isGathering = false;
  /** How many turns must end before messages may be gathered again. */
  private turnsUntilGathering = 0;
  /** Whether a mailbox was full in this turn: then nothing is gathered in the rest of it. */
  private isHurried = false;
  private open!: () => void;
  // Created once, because creating closures for each wake would cost more than the rest of the wake.
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
   * Runs a process before all others, even while those wait for the next turn: a supervisor must handle an exit before any other process
   * can notice it.
   */
  readyAtOnce(process: Schedulable): void {
    this.urgent.push(process);
    if (!this.isDeferred) this.wake();
    else if (this.urgent.length === 1) this.open(); // with more than one, the urgent processes are running or their wake is pending
  }

  /**
   * Enters the loop from the continuation of a handler, so that processes which become ready run in the same synchronous step: no process
   * sees an exit before the supervisor has handled it. Only for code that runs in the root context, such as the reactions that the loop
   * registers. Pass the returned value to {@link leave}.
   */
  enter(): boolean {
    const wasRunning = this.isRunning;
    this.isRunning = true;
    return wasRunning;
  }

  leave(wasRunning: boolean): void {
    // While a wake is pending or the slice is over, ready processes wait for it. Exits do not wait, and end a gathering.
    if (!wasRunning) this.flush();
    else if (this.isGathering && this.urgent.length > 0) this.stopGathering();
    else this.runUrgent();
  }

  /** Ends the gathering of this turn, because a mailbox is full: its messages must be handled now. */
  hurry(): void {
    this.isHurried = true;
    if (this.isGathering) this.open();
  }

  /** Makes sure that the end of this turn is announced, even if no process runs in it. */
  expectTurnEnd(): void {
    if (!this.isInTurn) this.wake();
  }

  /** Whether the time slice is used up. Reads the clock after 1, 2, 4, … messages of a turn, then after every 64. */
  isOverdue(): boolean {
    if (--this.credit > 0) return false;
    this.stride = Math.min(this.stride * 2, MAX_MESSAGES_BETWEEN_CLOCK_READS);
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

  /**
   * Handles the messages of this callback at once, and asks the clock for its end. Only from the second wake on, because most turns have
   * just one.
   */
  private watchCallback(): void {
    this.isWatched = this.needsNoBookkeeping = true;
    this.insistOnTurnEnd(this.turn);
    this.clock.afterCallback!(this.atCallbackEnd);
    this.flush();
  }

  private mayGather(): boolean {
    return this.first !== null && this.urgent.length === 0 && !this.isHurried;
  }

  /** Handles all gathered messages now: an exit, or a full mailbox, must be dealt with before the next callback. */
  private stopGathering(): void {
    this.isGathering = this.isDeferred = false;
    // The time so far went to other code, not to handlers. Only for a full mailbox, which happens at most once per turn; exits may be many.
    if (this.isHurried) this.beginSlice();
    this.flush();
  }

  /**
   * Turns gathering off for some turns if this one gathered a single message: a client that sends one message after the other, each in a
   * callback of its own, would wait a whole turn for each of them.
   */
  private learnFromGathering(): void {
    this.isGathering = false;
    const { first } = this;
    const hasSeveral = first !== null && (first.nextReady !== null || first.queueLength > 1);
    if (!hasSeveral) this.turnsUntilGathering = TURNS_WITHOUT_GATHERING;
  }

  /** The slice is over: ready processes continue in the next turn of the event loop. */
  private defer(): void {
    // `isRunning` may be false here: a wake can arrive one turn late, when no process is ready any more.
    this.isRunning = this.isDeferred = true;
    this.needsNoBookkeeping = false;
    this.insistOnTurnEnd(this.turn);
    this.runUrgent();
  }

  /** Asks for the end of the turn once more: the first request may be lost with a test runner's fake timers, and the loop would stall. */
  private insistOnTurnEnd(turn: number): void {
    this.clock.nextTurn(() => {
      if (this.turn === turn) this.endTurn();
    });
  }

  private runUrgent(): void {
    if (this.urgent.length === 0) return;
    const { urgent } = this;
    // By index: the processes may add to the list while it runs, and shifting a long list (a whole tree that dies) would be quadratic.
    for (let i = 0; i < urgent.length; i++) urgent[i]!.run();
    urgent.length = 0;
  }

  private beginTurn(): void {
    this.isInTurn = true;
    this.beginSlice();
    this.isWatched = this.isHurried = false;
    this.needsNoBookkeeping = !this.canGather || this.turnsUntilGathering > 0;
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
    if (this.turnsUntilGathering > 0) this.turnsUntilGathering--;
    if (this.isGathering) this.learnFromGathering();
    if (this.isDeferred) {
      this.isDeferred = false;
      this.flush();
    }
  }
}
