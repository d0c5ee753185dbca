// Measures, prints the tables and writes them. See README.md for what the options mean.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { goalsTable } from './lib/goals.mjs';
import { DATA, writeResults } from './lib/files.mjs';
import { gistOf } from './lib/launch.mjs';
import { machine, wasIdle } from './lib/machine.mjs';
import { findPeers } from './lib/peers.mjs';
import { report } from './lib/report.mjs';
import { Results } from './lib/results.mjs';
import { scaleReport } from './lib/scale-report.mjs';
import { MESSAGE_SCENARIOS, SLICES, SUITES } from './lib/suites.mjs';

const { values: given } = parseArgs({
  options: {
    reps: { type: 'string', default: '5' },
    suites: { type: 'string', default: Object.keys(SUITES).join() },
    scenarios: { type: 'string', default: MESSAGE_SCENARIOS.join() },
    only: { type: 'string', default: '' },
    out: { type: 'string' },
    quick: { type: 'boolean', default: false },
    add: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
  },
});
const listed = (text, known, what) => {
  const names = text.split(',').filter(Boolean);
  const unknown = names.filter((name) => known !== undefined && !known.includes(name));
  if (unknown.length > 0) throw new Error(`There is no ${what} ${unknown.join(', ')}: ${known.join(', ')}.`);
  return names;
};
const suites = listed(given.suites, Object.keys(SUITES), 'suite');
const scenarios = listed(given.scenarios, MESSAGE_SCENARIOS, 'scenario');
const only = listed(given.only);
const reps = Number(given.reps);
if (!Number.isInteger(reps) || reps < 1) throw new Error(`--reps takes a whole number, 1 or more, got: ${given.reps}`);
const folder =
  given.out === undefined
    ? join(import.meta.dirname, 'results', given.publish ? '' : 'local')
    : resolve(process.env.INIT_CWD ?? process.cwd(), given.out);

// Wherever it is called from, adapters are those beside it.
process.chdir(import.meta.dirname);
const file = join(folder, DATA);
const { peers, leftOut } = await findPeers(only);
for (const { id, why } of leftOut) console.log(`left out ${id}: ${why}`);
const data = {
  machine: machine(),
  date: new Date().toISOString(),
  repsDone: 0,
  quick: given.quick,
  peers,
  leftOut,
  runs: {},
};
if (given.add && existsSync(file)) {
  const old = JSON.parse(readFileSync(file, 'utf8'));
  data.runs = old.runs;
  data.peers = [...peers, ...old.peers.filter((p) => !peers.some(({ id }) => id === p.id))];
  data.leftOut = [...leftOut, ...old.leftOut].filter(({ id }) => !data.peers.some((p) => p.id === id));
}
if (!wasIdle(data.machine)) {
  console.log(
    `The machine is busy (load average ${data.machine.loadAtStart}): do not trust what is measured by the wall.`,
  );
}

/** What was measured in this run: with --add it takes the place of the old values. */
const fresh = new Set();
const store = (id, metric, value) => {
  const metrics = (data.runs[id] ??= {});
  if (!fresh.has(`${id}/${metric}`)) {
    fresh.add(`${id}/${metric}`);
    metrics[metric] = [];
  }
  metrics[metric].push(value);
};

/** Jobs that are not tried again: too slow, or left without a result twice. */
const givenUp = new Set();
async function runJob(job) {
  const key = `${job.id}/${job.scenario}`;
  if (givenUp.has(key)) return;
  let result = await job.run();
  if (!result.late && Object.keys(result.metrics).length === 0) {
    console.log(`${key}: no result, once more (${gistOf(result.complaint)})`);
    result = await job.run();
    if (Object.keys(result.metrics).length === 0) givenUp.add(key);
  }
  for (const [metric, value] of Object.entries(result.metrics)) store(job.id, metric, value);
  if (result.late) {
    console.log(`${key}: not done in time`);
    givenUp.add(key);
    store(job.id, `late:${job.scenario}`, 1);
  }
}

const results = new Results(data);
const begin = Date.now();
const options = given.quick ? { quick: true, warm: 150, ms: 100 } : SLICES;
for (let rep = 1; rep <= reps; rep++) {
  for (const suite of suites) {
    for (const job of SUITES[suite](peers, options, scenarios)) await runJob(job);
  }
  data.repsDone = rep;
  writeResults(folder, results);
  console.log(`repetition ${rep} of ${reps} done, ${Math.round((Date.now() - begin) / 1000)} s`);
}
console.log(report(results));
console.log(scaleReport(results));
console.log(goalsTable(results).join('\n'));
console.log(`\nWritten to ${folder}`);
