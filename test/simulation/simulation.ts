import { type Choices, pick } from './choices.js';
import { Coverage } from './coverage.js';
import type { Violation } from './violation.js';
import { atRandom, byPriority, type Strategy } from './strategies.js';
import { Trace } from './trace.js';
import { SupervisedWorld } from './supervised-world.js';
import { ServersWorld, type SimulatedWorld } from './world.js';

/** How one schedule went. */
export interface Run {
  readonly violation: Violation | undefined;
  readonly hash: string;
  readonly steps: number;
  readonly choices: readonly number[];
  /** What happened, when it was asked for. */
  readonly lines: readonly string[] | undefined;
}

export interface RunOptions {
  readonly keepsLines?: boolean;
  readonly coverage?: Coverage | undefined;
  /** Default: a world that is drawn as well. */
  readonly makeWorld?: (choices: Choices, trace: Trace) => SimulatedWorld;
}

/** More steps than this mean an endless loop. */
const MOST_STEPS = 400;

/**
 * Runs one schedule: makes a world, lets one thing after the other happen until nothing is left to do, and checks every invariant
 * after each. `onDone` gets what came of it. Between two steps everything runs that can run by itself.
 */
export class Simulation {
  private readonly trace: Trace;
  private readonly world: SimulatedWorld;
  private readonly strategy: Strategy;
  private steps = 0;

  constructor(
    private readonly choices: Choices,
    private readonly onDone: (run: Run) => void,
    options: RunOptions = {},
  ) {
    this.trace = new Trace(options.keepsLines === true);
    this.coverage = options.coverage;
    const { makeWorld = drawWorld } = options;
    const byOwner = options.makeWorld === undefined && choices.next(2) === 1;
    this.strategy = byOwner ? byPriority(choices) : atRandom(choices);
    this.world = makeWorld(choices, this.trace);
  }

  private readonly coverage: Coverage | undefined;

  /** Begins; the rest follows in turns of the event loop, each of which drains what the step before has set off. */
  start(): void {
    setImmediate(this.step);
  }

  private readonly step = (): void => {
    const { world } = this;
    const { observer } = world;
    world.checkRest();
    if (observer.violation !== undefined || this.steps >= MOST_STEPS) {
      if (observer.violation === undefined)
        observer.fail('liveness', `the schedule does not end in ${MOST_STEPS} steps`);
      this.end();
      return;
    }
    const things = world.things();
    if (things.length === 0) {
      this.end();
      return;
    }
    this.steps++;
    const thing = this.strategy(things);
    this.trace.note('-', thing.owner);
    try {
      thing.run();
    } catch (error) {
      observer.fail('crash', `${thing.owner}: ${String(error)}`);
    }
    setImmediate(this.step);
  };

  private end(): void {
    const { observer } = this.world;
    this.coverage?.add(this.world.operations, this.world.faults);
    this.onDone({
      violation: observer.violation,
      hash: this.trace.hash,
      steps: this.steps,
      choices: this.choices.taken,
      lines: this.trace.lines,
    });
  }
}

export function simulate(choices: Choices, options: RunOptions = {}): Promise<Run> {
  return new Promise((resolve) => new Simulation(choices, resolve, options).start());
}

/** A world of either kind. */
function drawWorld(choices: Choices, trace: Trace): SimulatedWorld {
  const World = pick(choices, [ServersWorld, SupervisedWorld]);
  const world = new World(choices, trace);
  world.populate();
  return world;
}
