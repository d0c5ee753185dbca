import { AsyncLocalStorage } from 'node:async_hooks';
import type { ManualClock } from './manual-clock.js';
import { isSettling, quiet } from './settle.js';

/** Something that waits until it is its turn to go on. */
interface Pause {
  readonly label: string;
  readonly resume: () => void;
}

/** A run that takes so many steps does not end. */
const MOST_STEPS = 10_000;
/** All work of a world is done in one turn of the event loop, and its deadlines are armed at the end of that turn. */
const TURNS_TO_REST = 2;
/** What may happen before the next one goes on: everything comes to rest, or so many rounds of microtasks go by. */
const HEAD_STARTS = ['rest', 0, 1, 3] as const;

/** The decisions of one run: the given ones, or, as long as none are given, random ones. */
export class Decisions {
  readonly taken: number[] = [];

  constructor(
    private readonly random: () => number,
    private readonly given: readonly number[] | undefined,
  ) {}

  /** One of `count` possibilities. Where there is but one, there is nothing to decide. Behind the given ones: the first. */
  among(count: number): number {
    if (count < 2) return 0;
    const { given, taken } = this;
    const decision =
      given === undefined ? Math.floor(this.random() * count) : Math.min(given[taken.length] ?? 0, count - 1);
    taken.push(decision);
    return decision;
  }
}

/**
 * Decides in which order things that wait go on. All work that pauses waits here: what runs comes to rest, one of the
 * pauses ends, and so forth. Sometimes the next one goes on when the one before has only got a few microtasks far, so that
 * an `await` without a pause is a place to be interrupted too.
 */
export class Interleaving {
  readonly trace: string[] = [];
  private readonly pauses: Pause[] = [];
  private readonly branch = new AsyncLocalStorage<string>();
  private isOver = false;

  constructor(
    private readonly decisions: Decisions,
    private readonly clock: ManualClock,
  ) {}

  pause(label: string): Promise<void> {
    if (this.isOver) return Promise.resolve();
    const branch = this.branch.getStore();
    return new Promise((resolve) => {
      this.pauses.push({ label: branch === undefined ? label : `${branch}: ${label}`, resume: resolve });
    });
  }

  /** Runs work whose steps carry a name in the trace. It begins when it is its turn. */
  runBranch(name: string, work: () => unknown): Promise<unknown> {
    const outer = this.branch.getStore();
    return this.branch.run(outer === undefined ? name : `${outer} > ${name}`, async () => {
      await this.pause('begins');
      return await work();
    });
  }

  /** Lets a scenario go on until it is done. Rejects as it does, and when it does not end. */
  async drive(scenario: Promise<void>): Promise<void> {
    let isDone = false;
    scenario.then(
      () => (isDone = true),
      () => (isDone = true),
    );
    for (let steps = 0; ; steps++) {
      await quiet(TURNS_TO_REST);
      if (isDone) return scenario;
      if (steps === MOST_STEPS) throw new Error(`The scenario has not ended after ${MOST_STEPS} steps.`);
      // Code that settles or turns the clock goes on by itself, as long as it does not wait for work that pauses.
      if (isSettling()) continue;
      if (this.pauses.length > 0) await this.resumeOne();
      else if (this.clock.pendingTimers > 0 && !this.clock.isTurning) await this.letTimePass();
      else throw stuck();
    }
  }

  /** Holds up no work any more: what is left behind must be able to end. */
  end(): void {
    this.isOver = true;
    for (const { resume } of this.pauses.splice(0)) resume();
  }

  private async resumeOne(): Promise<void> {
    for (let how = ''; this.pauses.length > 0; how = 'meanwhile, ') {
      const [next] = this.pauses.splice(this.decisions.among(this.pauses.length), 1);
      this.trace.push(`${how}${next!.label}`);
      next!.resume();
      if (this.pauses.length === 0) return;
      const headStart = HEAD_STARTS[this.decisions.among(HEAD_STARTS.length)]!;
      if (headStart === 'rest') return;
      for (let tick = 0; tick < headStart; tick++) await Promise.resolve();
    }
  }

  private async letTimePass(): Promise<void> {
    const before = this.clock.now();
    await this.clock.advanceToNextTimer();
    this.trace.push(`${this.clock.now() - before} ms pass`);
  }
}

function stuck(): Error {
  return new Error(
    'Nothing goes on: the scenario waits for something that is neither a pause, nor a server, nor a timer of the clock of ctx.world. ' +
      'It is a deadlock; or it waits for real time or real input, which stand-ins that pause with ctx.pause() should give.',
  );
}
