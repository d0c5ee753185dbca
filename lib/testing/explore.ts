import { InvalidArgumentError } from '../runtime/errors.js';
import { print } from '../runtime/secrets/print.js';
import { ExploreError } from './errors.js';
import { Decisions, Interleaving } from './interleaving.js';
import { seededRandom } from './seeded-random.js';
import { TestWorld, type TestWorldOptions } from './test-world.js';

/** What a scenario is given. Its functions need no `this`. @publicApi */
export interface ExploreContext {
  /** The seed of this run. */
  readonly seed: number;
  /** A world of this run's own, with a manual clock and seeded chance. It is stopped when the run is over. */
  readonly world: TestWorld;
  /** A number in [0, 1), the same ones for the same seed. */
  readonly random: () => number;
  /**
   * Waits until it is its turn to go on, which the seed decides among all that wait: put it where your code waits for something
   * that takes its time. `label` is what the trace calls it.
   */
  readonly pause: (label?: string) => Promise<void>;
  /**
   * Runs all of them side by side, in an order that the seed decides, and gives what they give. When some reject, rejects with what
   * the first of them in the list rejected with, when all are done.
   */
  readonly run: <T extends readonly (() => unknown)[]>(
    thunks: readonly [...T],
  ) => Promise<{ -readonly [K in keyof T]: Awaited<ReturnType<T[K]>> }>;
  /**
   * An object whose methods pause before they begin and before they answer: for what your code waits for, a repository say. Every
   * method answers with a promise then, as it must have done before. `label` is what the trace calls it; default: its class.
   */
  readonly pausing: <T extends object>(target: T, label?: string) => T;
}

/** @publicApi */
export interface ExploreOptions {
  /** The seed of the first run; the others count on from there. Default: 1, so that every run of the tests explores the same. */
  readonly seed?: number;
  /** The decisions to take instead of random ones, as an `ExploreError` gives them. Default: the seed decides. */
  readonly order?: readonly number[];
  /** How many more runs a failure may cost to find a shorter order that fails. 0 keeps the one that was found. Default: 200. */
  readonly shrinkRuns?: number;
  /** What the worlds of the runs are given. Their clocks and their chance are their own. */
  readonly world?: Omit<TestWorldOptions, 'clock' | 'randomness' | 'cleanup'>;
}

/** What `explore` did when nothing failed. @publicApi */
export interface ExploreReport {
  readonly runs: number;
  /** How many of them took an order that no other took. */
  readonly orders: number;
}

/** A scenario of `explore`: it fails by throwing, as a test does. @publicApi */
export type Scenario = (context: ExploreContext) => unknown;

interface Run {
  readonly decisions: readonly number[];
  readonly trace: readonly string[];
  readonly failure: { readonly cause: unknown } | undefined;
}

/** Apart from the seed itself: what a scenario draws must not change with the decisions, nor the other way round. */
const SALT = { scenario: 0x5eed_0001, decisions: 0x5eed_0002, world: 0x5eed_0003 } as const;

/**
 * Runs a scenario under many orders of what goes on at once, to find the one that breaks it: a race at an `await`, a deadlock, an
 * assertion that holds only most of the time. The same seed is the same order, so what is found once is found again.
 *
 * Everything that {@link ExploreContext.run} runs goes on side by side. Work that pauses, with {@link ExploreContext.pause} or in a
 * method of an object from {@link ExploreContext.pausing}, goes on when the seed says so; also without a pause the runs overlap at
 * every `await`. Time passes on the clock of `ctx.world` when nothing else can happen. Nothing else may decide what happens: real
 * time, real input and `Math.random` would make an order that cannot be repeated, and what waits for them counts as a deadlock.
 *
 * @param seedCount  How many runs, each with a seed of its own.
 * @returns How many runs there were, and how many different orders. Rejects with {@link ExploreError}, which says how to repeat the
 *   run that failed, and shows the shortest order that fails.
 *
 * @example
 * ```ts no-run: fails, as it should
 * await explore(100, async ({ run, pausing }) => {
 *   const stock = new StockService(pausing(new StockRepository(2)));
 *   await run([() => stock.take(1), () => stock.take(1)]);
 *   expect(await stock.left()).toBe(0);
 * });
 * ```
 *
 * @publicApi
 */
export async function explore(
  seedCount: number,
  scenario: Scenario,
  options: ExploreOptions = {},
): Promise<ExploreReport> {
  const { seed: firstSeed = 1, order, shrinkRuns = 200 } = options;
  assertCount('seedCount', seedCount, 1);
  assertCount('shrinkRuns', shrinkRuns, 0);
  if (!Number.isSafeInteger(firstSeed)) refuse('seed', 'a whole number', firstSeed);
  const orders = new Set<string>();
  for (let run = 1; run <= seedCount; run++) {
    const seed = firstSeed + run - 1;
    const found = await runOnce(scenario, seed, order, options.world);
    orders.add(found.decisions.join());
    if (found.failure === undefined) continue;
    const again = (decisions: readonly number[]): Promise<Run> => runOnce(scenario, seed, decisions, options.world);
    const shortest = await shrink(found, again, shrinkRuns);
    const { trace, failure } = shortest ?? found;
    throw new ExploreError({
      seed,
      run,
      runs: seedCount,
      order: shortest === undefined ? undefined : withoutDefaults(shortest.decisions),
      trace,
      cause: failure!.cause,
    });
  }
  return { runs: seedCount, orders: orders.size };
}

async function runOnce(
  scenario: Scenario,
  seed: number,
  order: readonly number[] | undefined,
  options: ExploreOptions['world'],
): Promise<Run> {
  const world = new TestWorld({ ...options, randomness: { random: seededRandom(seed ^ SALT.world) } });
  const decisions = new Decisions(seededRandom(seed ^ SALT.decisions), order);
  const interleaving = new Interleaving(decisions, world.clock);
  const context = contextOf(seed, world, interleaving);
  let failure: Run['failure'];
  try {
    await interleaving.drive((async () => void (await scenario(context)))());
  } catch (cause) {
    failure = { cause };
  }
  // What the end brings is not the scenario's.
  const trace = [...interleaving.trace];
  const taken = [...decisions.taken];
  interleaving.end();
  await world.stop();
  return { decisions: taken, trace, failure };
}

function contextOf(seed: number, world: TestWorld, interleaving: Interleaving): ExploreContext {
  const pause = (label = 'a pause'): Promise<void> => interleaving.pause(label);
  return {
    seed,
    world,
    random: seededRandom(seed ^ SALT.scenario),
    pause,
    run: async (thunks) => {
      const outcomes = await Promise.allSettled(
        thunks.map((thunk, at) => interleaving.runBranch(thunk.name === '' ? `#${at + 1}` : thunk.name, thunk)),
      );
      const failed = outcomes.find(({ status }) => status === 'rejected') as PromiseRejectedResult | undefined;
      if (failed !== undefined) throw failed.reason;
      return outcomes.map((outcome) => (outcome as PromiseFulfilledResult<unknown>).value) as never;
    },
    pausing: (target, label = target.constructor.name) =>
      new Proxy(target, {
        get: (_, key) => {
          const value: unknown = Reflect.get(target, key, target);
          if (typeof value !== 'function' || typeof key === 'symbol' || key === 'constructor') return value;
          return async (...args: unknown[]): Promise<unknown> => {
            await pause(`${label}.${key}`);
            const result: unknown = await (value as (...args: unknown[]) => unknown).apply(target, args);
            await pause(`${label}.${key} answers`);
            return result;
          };
        },
      }),
  };
}

/**
 * The run that is left when every decision that does not matter is the first of its possibilities: the work that has waited longest
 * goes on, and comes to rest. Undefined when the failure does not come back in the very order it was found in.
 */
async function shrink(
  found: Run,
  again: (decisions: readonly number[]) => Promise<Run>,
  runs: number,
): Promise<Run | undefined> {
  let shortest = await again(found.decisions);
  if (shortest.failure === undefined) return undefined;
  let left = runs;
  for (let at = shortest.decisions.length - 1; at >= 0 && left > 0; at--) {
    if (shortest.decisions[at] === 0 || at >= shortest.decisions.length) continue;
    left--;
    const shorter = await again(shortest.decisions.map((decision, index) => (index === at ? 0 : decision)));
    if (shorter.failure !== undefined) shortest = shorter;
  }
  return shortest;
}

/** Decisions at the end that are the first of their possibilities need not be written. */
function withoutDefaults(decisions: readonly number[]): readonly number[] {
  return decisions.slice(0, decisions.findLastIndex((decision) => decision !== 0) + 1);
}

function assertCount(what: string, value: unknown, least: number): void {
  if (!Number.isSafeInteger(value) || (value as number) < least)
    refuse(what, `a whole number, ${least} or more`, value);
}

function refuse(what: string, expected: string, got: unknown): never {
  throw new InvalidArgumentError(`${what} of explore must be ${expected}, got: ${print(got)}`);
}
