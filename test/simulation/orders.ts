import { type Choices, following, GivenChoices, SeededChoices } from './choices.js';
import { type Run, simulate } from './simulation.js';
import type { Thing } from './strategies.js';
import type { Trace } from './trace.js';
import { ServersWorld } from './world.js';

/** How many clients there are, and how many messages each of them sends: six in all at most. */
const CLIENTS = [
  [2, 2],
  [3, 3],
  [2, 2, 2],
  [1, 1, 1],
  [4, 2],
  [1, 2, 2],
];

/** What a scenario is made of. The orders of one scenario differ in nothing else. */
function contentOf(scenario: number, part: number): Choices {
  return new SeededChoices(scenario, part);
}

/** A few clients with a few messages each, and nothing left to chance but the order in which things happen. */
class OrdersWorld extends ServersWorld {
  private readonly programs: number[][];

  constructor(
    private readonly scenario: number,
    trace: Trace,
  ) {
    super(contentOf(scenario, 0), trace, { faultsIn: 4, handlersAct: false, spins: false });
    this.operationsLeft = 0;
    let message = 0;
    this.programs = CLIENTS[scenario % CLIENTS.length]!.map((count) => Array.from({ length: count }, () => ++message));
  }

  override things(): readonly Thing[] {
    const open = this.programs.filter((program) => program.length > 0);
    if (open.length === 0) return super.things();
    const sending = open.map((program) => ({ owner: 'client', run: () => this.send(program.shift()!) }));
    return [...sending, ...this.ownThings()];
  }

  /** The same message whenever its turn comes. */
  private send(message: number): void {
    const { observer } = this;
    const content = observer.choices;
    observer.choices = contentOf(this.scenario, message);
    this.ops.byClient();
    observer.choices = content;
  }
}

export interface Exploration {
  readonly orders: number;
  /** Whether there are no more. */
  readonly isComplete: boolean;
  readonly failed: Run | undefined;
}

/** Goes through the orders of a scenario one by one, all of them when there are not too many. */
export async function explore(scenario: number, mostOrders: number): Promise<Exploration> {
  let orders = 0;
  for (let given: readonly number[] | undefined = []; given !== undefined; orders++) {
    if (orders === mostOrders) return { orders, isComplete: false, failed: undefined };
    const choices: GivenChoices = new GivenChoices(given);
    const run = await runOrder(choices, scenario);
    if (run.violation !== undefined) return { orders: orders + 1, isComplete: false, failed: run };
    given = following(choices);
  }
  return { orders, isComplete: true, failed: undefined };
}

export function runOrder(choices: Choices, scenario: number, keepsLines = false): Promise<Run> {
  return simulate(choices, {
    keepsLines,
    makeWorld: (_order, trace) => {
      const world = new OrdersWorld(scenario, trace);
      world.populate();
      return world;
    },
  });
}
