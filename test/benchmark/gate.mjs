// node gate.mjs [--record]: fails when calls or casts through the injected client have become slower in relation to what they
// replace. A machine has no say in it: only ratios to a plain method and to a promise chain of the same minute are compared.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { gistOf, launchScenario, shuffled } from './lib/launch.mjs';
import { describeMachine, machine } from './lib/machine.mjs';
import { findPeers } from './lib/peers.mjs';
import { median, times } from './lib/statistics.mjs';
import { SLICES } from './lib/suites.mjs';

process.chdir(import.meta.dirname);
const { values: given } = parseArgs({ options: { record: { type: 'boolean', default: false } } });

const SUBJECT = 'ours';
const YARDSTICKS = ['plain', 'promise-chain'];
/** The metric that each scenario is judged by. */
const METRICS = {
  seqCall: 'seqCall.cpu',
  seqCallAsync: 'seqCallAsync.cpu',
  pipelined: 'pipelined.cpu',
  cast: 'cast100k.cpu',
};
const REPETITIONS = given.record ? 15 : 5;
/** As the benchmark itself, but for the million casts. */
const OPTIONS = { ...SLICES, castN: 100_000 };

/** By scenario and yardstick: how the median of ours compares, over interleaved repetitions. */
async function measure(scenarios) {
  const rates = {};
  for (let rep = 0; rep < REPETITIONS; rep++) {
    for (const scenario of scenarios) {
      for (const id of shuffled([SUBJECT, ...YARDSTICKS])) {
        const { metrics, late, complaint } = await launchScenario(id, scenario, OPTIONS, 30_000);
        const value = metrics[METRICS[scenario]];
        if (value === undefined) throw new Error(`${id}/${scenario}: ${late ? 'not done in time' : gistOf(complaint)}`);
        ((rates[scenario] ??= {})[id] ??= []).push(value);
      }
    }
  }
  return Object.fromEntries(
    scenarios.map((scenario) => {
      const of = (id) => median(rates[scenario][id]);
      return [scenario, Object.fromEntries(YARDSTICKS.map((id) => [id, of(SUBJECT) / of(id)]))];
    }),
  );
}

/** The scenarios that are too slow by both yardsticks. By one alone, it is the yardstick that has moved. */
function regressions(ratios, { recorded, slack }) {
  return Object.entries(ratios)
    .filter(([scenario, by]) => {
      const slower = YARDSTICKS.filter((id) => by[id] < recorded[scenario][id] * slack);
      const parts = YARDSTICKS.map((id) => {
        const least = recorded[scenario][id] * slack;
        return `${times(by[id])} ${id} (recorded ${times(recorded[scenario][id])}, at least ${times(least)})`;
      });
      const failed = slower.length === YARDSTICKS.length;
      console.log(`${failed ? 'REGRESSION' : 'ok'}  ${scenario}: ${parts.join(', ')}`);
      return failed;
    })
    .map(([scenario]) => scenario);
}

await findPeers([SUBJECT, ...YARDSTICKS]);
const scenarios = Object.keys(METRICS);
const file = 'gate.json';
const gate = JSON.parse(readFileSync(file, 'utf8'));
const taken = { machine: machine(), date: new Date().toISOString(), repsDone: REPETITIONS };
const ratios = await measure(scenarios);
if (given.record) {
  gate.taken = describeMachine(taken);
  gate.recorded = Object.fromEntries(
    Object.entries(ratios).map(([scenario, by]) => [
      scenario,
      Object.fromEntries(Object.entries(by).map(([id, ratio]) => [id, Number(ratio.toPrecision(2))])),
    ]),
  );
  writeFileSync(file, `${JSON.stringify(gate, null, 2)}\n`);
  console.log(JSON.stringify(gate.recorded, null, 2));
} else {
  const suspects = regressions(ratios, gate);
  if (suspects.length > 0) {
    console.log(`once more, to be sure: ${suspects.join(', ')}`);
    const failed = regressions(await measure(suspects), gate);
    if (failed.length > 0) {
      console.log(
        `Slower than test/benchmark/gate.json allows, twice: ${failed.join(', ')}. ` +
          'Find out why, or record new ratios with `npm run bench:gate -- --record` on an idle machine and say so in the commit.',
      );
      process.exitCode = 1;
    }
  }
}
