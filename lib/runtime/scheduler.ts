import type { Clock } from './ports.js';

/** Something that can be given a turn: a process. */
export interface Schedulable {
  /** Handles what is waiting. Answers whether the time slice is used up. */
  run(): boolean;
  /** The next in the run queue. The queue is intrusive, so waking a process allocates nothing. */
  nextReady: Schedulable | null;
  isReady: boolean;
}

/** How long handlers may hold one turn of the event loop before timers and I/O get their chance. */
const SLICE_MS = 2;
/** How many messages a process may handle before the next ready process has its turn. */
export const QUOTA = 256;
/** The clock is read once in so many messages: reading it costs as much as handling one. */
const CLOCK_EVERY = 64;

/**
 * Decides whose turn is next and when to give way to the event loop.
 *
 * Handlers must never run in the async context of whoever happened to send a message. So the loop parks on a pending
 * promise whose reaction was registered in the context the runtime was made in, and a sender only resolves it: the reaction
 * keeps the context it was registered in. (`queueMicrotask` and a `then` on a settled promise would run in the sender's.)
 */
export class Scheduler {
  private first: Schedulable | null = null;
  private last: Schedulable | null = null;
  private readonly urgent: Schedulable[] = [];
  private isRunning = false;
  private isInTurn = false;
  private isDeferred = false;
  private turnStart = 0;
  private credit = CLOCK_EVERY;
  private open!: () => void;
  private readonly atTurnEnd: () => void;

  constructor(
    private readonly clock: Clock,
    private readonly onTurnEnd: () => void,
  ) {
    this.atTurnEnd = () => this.endTurn();
    this.park();
  }

  /** Puts a process at the end of the run queue. */
  ready(process: Schedulable): void {
    process.isReady = true;
    if (this.last === null) this.first = process;
    else this.last.nextReady = process;
    this.last = process;
    this.wake();
  }

  /**
   * Gives a process its turn before everybody else, also when the slice is used up: a supervisor that has to act on an
   * exit before anybody can notice it.
   */
  readyAtOnce(process: Schedulable): void {
    this.urgent.push(process);
    this.wake();
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
    // When a wake is on its way or the slice is over, the rest waits for it; an exit does not.
    if (wasRunning) this.runUrgent();
    else this.flush();
  }

  /** Whether the slice is used up. Looks at the clock once in {@link CLOCK_EVERY} calls. */
  isOverdue(): boolean {
    if (--this.credit > 0) return false;
    this.credit = CLOCK_EVERY;
    const now = this.clock.now();
    if (this.turnStart === 0) {
      this.turnStart = now;
      return false;
    }
    return now - this.turnStart > SLICE_MS;
  }

  private wake(): void {
    if (this.isRunning) return;
    this.isRunning = true;
    this.open();
  }

  private park(): void {
    void new Promise<void>((resolve) => {
      this.open = resolve;
    }).then(() => {
      this.park();
      this.flush();
    });
  }

  private flush(): void {
    if (!this.isInTurn) {
      this.isInTurn = true;
      this.clock.nextTurn(this.atTurnEnd);
    } else if (this.isDeferred || this.isOverdue()) {
      this.defer();
      return;
    }
    this.runUrgent();
    for (let process = this.first; process !== null; process = this.first) {
      this.first = process.nextReady;
      if (this.first === null) this.last = null;
      process.nextReady = null;
      process.isReady = false;
      if (process.run()) {
        this.defer();
        return;
      }
      this.runUrgent();
    }
    this.isRunning = false;
  }

  /** The slice is over: the next turn of the event loop goes on. */
  private defer(): void {
    this.credit = 1;
    this.isDeferred = true;
    this.runUrgent();
  }

  private runUrgent(): void {
    if (this.urgent.length === 0) return;
    const { urgent } = this;
    // By index: what runs may add to the list, and shifting a long one (a whole tree that dies) would be quadratic.
    for (let i = 0; i < urgent.length; i++) urgent[i]!.run();
    urgent.length = 0;
  }

  private endTurn(): void {
    this.isInTurn = false;
    this.turnStart = 0;
    this.onTurnEnd();
    if (this.isDeferred) {
      this.isDeferred = false;
      this.flush();
    }
  }
}
