// What every program here has in common: options, goals, a last line with the figure, and an exit code.
import { parseArgs } from 'node:util';

/**
 * The options of the command line over these defaults, whose types they keep: `--name value`, and `--name` alone for a boolean.
 * Anything else ends the program with what there is.
 */
export function readOptions(defaults) {
  const types = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) => [
      name,
      { type: typeof value === 'boolean' ? 'boolean' : 'string' },
    ]),
  );
  let values;
  try {
    ({ values } = parseArgs({ options: types }));
  } catch (error) {
    refuse(error.message, defaults);
  }
  const options = { ...defaults };
  for (const [name, text] of Object.entries(values)) {
    options[name] = typeof defaults[name] === 'number' ? Number(text) : text;
    if (Number.isNaN(options[name])) refuse(`--${name} takes a number, got: ${text}`, defaults);
  }
  return options;
}

function refuse(problem, defaults) {
  console.error(
    `${problem}\nOptions: ${Object.entries(defaults)
      .map(([name, value]) => `--${name} ${value}`)
      .join('  ')}`,
  );
  process.exit(2);
}

/** Collects goals. A goal that is missed makes the exit code 1, and is named in the last line. */
export class Report {
  #missed = [];
  #begin = performance.now();

  constructor(program) {
    this.program = program;
    process.on('exit', this.#refuseSilence);
  }

  /** A program that waits for what never comes ends by itself, and has shown nothing. */
  #refuseSilence = () => {
    console.log(`${this.program}: MISSED its own end: it waited for something that never came`);
    process.exitCode = 1;
  };

  /** Whether every goal so far was met. */
  get isMet() {
    return this.#missed.length === 0;
  }

  /** Says something on the way. */
  say(text) {
    console.log(text);
  }

  /** States a goal, with the figure that was measured, and whether that meets it. */
  goal(text, isMet, figure) {
    if (!isMet) this.#missed.push(`${text}: ${figure}`);
    console.log(`${isMet ? 'ok    ' : 'MISSED'} ${text}: ${figure}`);
  }

  /** A figure that is not judged, and why not. */
  note(text, figure, why) {
    console.log(`       ${text}: ${figure} (${why})`);
  }

  /** The last line. */
  end(figure) {
    process.off('exit', this.#refuseSilence);
    const tookS = Math.round((performance.now() - this.#begin) / 1_000);
    const verdict = this.#missed.length === 0 ? 'every goal met' : `MISSED ${this.#missed.join('; ')}`;
    console.log(`${this.program}: ${figure}; ${tookS} s on Node ${process.versions.node}; ${verdict}`);
    process.exitCode = this.#missed.length === 0 ? 0 : 1;
  }
}

/** The value that a share of the sorted values does not exceed; NaN of nothing. */
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN;
}

/** Lets timers and I/O have their turn. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs `work(0)`, `work(1)`, … up to `count`, so many at a time. */
export async function inParallel(count, atATime, work) {
  let next = 0;
  const worker = async () => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(count, atATime) }, worker));
}
