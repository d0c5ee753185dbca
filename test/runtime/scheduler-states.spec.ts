import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../lib/runtime/ports.js';
import { RandomScheduler } from '../../lib/runtime/scheduling/random-scheduler.js';
import { type Schedulable, Scheduler } from '../../lib/runtime/scheduling/scheduler.js';
import { settleMicrotasks } from '../support/callback-clock.js';
import { seededRandom } from '../support/seeded-random.js';

/** A row of the first table in the comment of `Scheduler`: a flag that is missing may be either. */
interface Row {
  readonly state: string;
  readonly flags: ReadonlyMap<string, boolean>;
  readonly either: readonly string[];
  readonly next: readonly string[];
}

const source = readFileSync(new URL('../../lib/runtime/scheduling/scheduler.ts', import.meta.url), 'utf8');

/** The cells of the first table below a header that begins like this. */
function tableOf(header: string): string[][] {
  const lines = source.slice(source.indexOf(` * | ${header}`)).split('\n');
  const table = lines.slice(
    0,
    lines.findIndex((line) => !line.startsWith(' * |')),
  );
  return table.map((line) =>
    line
      .slice(' * |'.length, -1)
      .split('|')
      .map((cell) => cell.trim()),
  );
}

const [header, , ...body] = tableOf('state ');
const FLAGS = header!.slice(1, -1);
const ROWS: readonly Row[] = body.map((cells) => {
  const values = FLAGS.map((flag, i) => [flag, cells[i + 1]!] as const);
  return {
    state: cells[0]!,
    flags: new Map(values.filter(([, cell]) => cell !== '*').map(([flag, cell]) => [flag, cell === 'yes'])),
    either: values.filter(([, cell]) => cell === '*').map(([flag]) => flag),
    next: cells.at(-1)!.split(', '),
  };
});

/** Every method that reads or changes the flags: the state is looked at before and after each. */
const STEPS = [
  ...['ready', 'readyAtOnce', 'enter', 'leave', 'hurry', 'expectTurnEnd', 'wake', 'park', 'flush', 'takeSpecialWake'],
  ...['watchCallback', 'stopGathering', 'learnFromGathering', 'defer', 'runUrgent', 'beginTurn', 'endTurn'],
];

/** A scheduler on a clock of its own, and a note of every state it has been in. */
class Walk {
  readonly states = new Set<string>();
  readonly moves = new Set<string>();
  /** `flag=value in state`, for the flags that a row leaves open. */
  readonly values = new Set<string>();
  readonly faults = new Set<string>();
  ran = 0;
  private readonly scheduler: Scheduler;
  private readonly processes: Schedulable[];
  private turnEnds: (() => void)[] = [];
  private callbackEnds: (() => void)[] = [];
  private time = 0;
  private last = 'idle';

  constructor(
    private readonly random: () => number,
    canGather: boolean,
    isRandom: boolean,
  ) {
    const clock = {
      now: () => this.time,
      nextTurn: (turn: () => void) => this.turnEnds.push(turn),
      ...(canGather ? { afterCallback: (done: () => void) => this.callbackEnds.push(done) } : {}),
    } as unknown as Clock;
    const onTurnEnd = (): void => this.look();
    this.scheduler = isRandom ? new RandomScheduler(clock, onTurnEnd, { random }) : new Scheduler(clock, onTurnEnd);
    const methods = this.scheduler as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of STEPS) {
      const step = methods[name]!;
      methods[name] = (...args) => {
        this.look();
        const result = step.apply(this.scheduler, args);
        this.look();
        return result;
      };
    }
    this.processes = Array.from({ length: 4 }, () => this.makeProcess());
  }

  pick<T>(...choices: readonly T[]): T {
    return choices[Math.floor(this.random() * choices.length)]!;
  }

  async step(): Promise<void> {
    const move = this.pick('act', 'act', 'act', 'continue', 'wakes', 'wakes', 'callback ends', 'turn ends');
    if (move === 'act') this.act();
    else if (move === 'continue') this.continueProcess();
    else await settleMicrotasks();
    if (move === 'callback ends' || move === 'turn ends') for (const done of this.callbackEnds.splice(0)) done();
    if (move === 'turn ends') for (const end of this.turnEnds.splice(0)) end();
    this.look();
  }

  /** Lets everything run to its end. */
  async drain(): Promise<void> {
    for (let turn = 0; turn < 8; turn++) {
      await settleMicrotasks();
      for (const end of this.turnEnds.splice(0)) end();
    }
    this.look();
  }

  get isQuiet(): boolean {
    return this.last === 'idle' && this.processes.every(({ nextReady }) => nextReady === undefined);
  }

  private makeProcess(): Schedulable {
    const process: Schedulable = {
      nextReady: undefined,
      queueLength: this.pick(1, 3),
      run: () => {
        this.ran++;
        this.look();
        // One in three makes others ready, so that every run comes to an end.
        if (this.random() < 0.3) this.act();
        const isOver = this.random() < 0.2;
        if (isOver) this.time += 5;
        return isOver;
      },
    };
    return process;
  }

  private act(): void {
    const process = this.pick(...this.processes);
    const action = this.pick('ready', 'ready', 'readyAtOnce', 'expectTurnEnd', 'hurry');
    if (action === 'expectTurnEnd') this.scheduler.expectTurnEnd();
    else if (action === 'hurry') this.scheduler.hurry();
    else if (action === 'readyAtOnce') this.scheduler.readyAtOnce(process);
    else if (process.nextReady === undefined) this.scheduler.ready(process);
  }

  private continueProcess(): void {
    const wasRunning = this.scheduler.enter();
    this.act();
    this.scheduler.leave(wasRunning);
  }

  private look(): void {
    const flags = this.scheduler as unknown as Record<string, boolean>;
    const rows = ROWS.filter((row) => [...row.flags].every(([flag, value]) => flags[flag] === value));
    if (rows.length !== 1) {
      const shown = FLAGS.map((flag) => `${flag}=${flags[flag]}`).join(' ');
      this.faults.add(`${shown}, after ${this.last}, is in ${rows.length} rows`);
      return;
    }
    const [{ state, either }] = rows as [Row];
    this.states.add(state);
    for (const flag of either) this.values.add(`${flag}=${flags[flag]} in ${state}`);
    if (state !== this.last) this.moves.add(`${this.last} -> ${state}`);
    this.last = state;
  }
}

describe('the table of the states of the scheduler', () => {
  it('names flags that there are, and states that lead to states', () => {
    const scheduler = new Scheduler({ now: () => 0 } as Clock, () => undefined) as unknown as Record<string, unknown>;
    expect(FLAGS.filter((flag) => typeof scheduler[flag] !== 'boolean')).toEqual([]);
    const names = ROWS.map(({ state }) => state);
    expect(new Set(names).size).toBe(names.length);
    expect(ROWS.flatMap(({ next }) => next).filter((state) => !names.includes(state))).toEqual([]);
  });

  it('holds all that a walk of 16 000 steps meets, and the walk meets all that it holds', async () => {
    const states = new Set<string>();
    const moves = new Set<string>();
    const values = new Set<string>();
    for (const canGather of [true, false]) {
      for (const isRandom of [true, false]) {
        for (let seed = 1; seed <= 8; seed++) {
          const walk = new Walk(seededRandom(seed), canGather, isRandom);
          for (let step = 0; step < 500; step++) await walk.step();
          await walk.drain();
          const where = `seed ${seed}, gathers: ${canGather}, random: ${isRandom}`;
          expect([...walk.faults], where).toEqual([]);
          expect(walk.ran, where).toBeGreaterThan(50);
          expect(walk.isQuiet, where).toBe(true);
          walk.states.forEach((state) => states.add(state));
          walk.moves.forEach((move) => moves.add(move));
          walk.values.forEach((value) => values.add(value));
        }
      }
    }
    expect([...states].sort()).toEqual(ROWS.map(({ state }) => state).sort());
    expect([...moves].sort()).toEqual(ROWS.flatMap(({ state, next }) => next.map((to) => `${state} -> ${to}`)).sort());
    const open = ROWS.flatMap(({ state, either }) =>
      either.flatMap((flag) => [`${flag}=false in ${state}`, `${flag}=true in ${state}`]),
    );
    expect([...values].sort()).toEqual(open.sort());
  });
});
