// npm run simulate -- [--schedules 100000] [--seed 1] [--workers 2] [--coverage]
// npm run simulate -- --seed S --schedule N [--choices …]
// npm run simulate -- --exhaustive [--scenarios 60 | --scenario N] [--orders 2000]
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildSimulator, root } from './build.mjs';
import { exploreAll } from './explore.mjs';
import { replay } from './replay.mjs';
import { runSchedules } from './run-schedules.mjs';

const { values } = parseArgs({
  options: {
    schedules: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    schedule: { type: 'string' },
    choices: { type: 'string' },
    coverage: { type: 'boolean', default: false },
    exhaustive: { type: 'boolean', default: false },
    scenarios: { type: 'string', default: '60' },
    scenario: { type: 'string' },
    orders: { type: 'string', default: '2000' },
  },
});
const number = (name, least) => {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value >= least) return value;
  console.error(`--${name} must be a whole number, ${least} or more, got: ${values[name]}`);
  process.exit(2);
};
const target = join(root, 'dist');
const seed = number('seed', 0);
buildSimulator(target);

if (values.exhaustive) {
  const range =
    values.scenario === undefined
      ? { first: 0, scenarios: number('scenarios', 1) }
      : { first: number('scenario', 0), scenarios: 1 };
  process.exit((await exploreAll({ target, ...range, mostOrders: number('orders', 1) })) ? 0 : 1);
}

if (values.schedule !== undefined) {
  const violation = await replay({ target, seed, schedule: number('schedule', 0), given: values.choices });
  process.exit(violation === undefined ? 0 : 1);
}

const schedules = number('schedules', 1);
const result = await runSchedules({ target, seed, schedules, workers: number('workers', 1) });
if (values.coverage) printCoverage(result.coverage);
if (result.hung !== undefined) {
  console.log(`Schedule ${result.hung} does not end.`);
  console.log(`npm run simulate -- --seed ${seed} --schedule ${result.hung}`);
  process.exit(1);
}
if (result.failed !== undefined) {
  await replay({ target, seed, schedule: result.failed, given: undefined });
  process.exit(1);
}
console.log(`${(result.steps / schedules).toFixed(1)} steps per schedule, traces ${result.digest.toString(16)}`);
console.log(`${result.equal} of ${result.rerun} re-runs with equal trace hashes`);
if (result.equal !== result.rerun) process.exitCode = 1;
console.log(`${schedules} schedules, 0 violations, seed ${seed}`);

/** One row per operation, one column per fault: how many schedules had both. */
function printCoverage({ counts }) {
  const faults = [...new Set(Object.values(counts).flatMap((row) => Object.keys(row)))].sort();
  console.log(`| Operation | ${faults.join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(faults.length)}`);
  for (const operation of Object.keys(counts).sort()) {
    console.log(`| ${operation} | ${faults.map((fault) => counts[operation][fault] ?? 0).join(' | ')} |`);
  }
}
