// Runs every `step`-th schedule of a range, in a thread of its own, and tells of the first violation.
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';

const { target, seed, first, end, step, progress, index, isReplayed } = workerData;
const load = (file) => import(pathToFileURL(`${target}/simulation/${file}.js`).href);
const [{ simulate }, { SeededChoices }, { Coverage }] = await Promise.all(
  ['simulation', 'choices', 'coverage'].map(load),
);

// A schedule is full of errors that are as they should be; nobody reads where they came from.
Error.stackTraceLimit = 0;

const coverage = new Coverage();
const counts = new BigInt64Array(progress);
let steps = 0;
let digest = 0n;
let rerun = 0;
let equal = 0;
let failed;
let rule;
for (let schedule = first; schedule < end && failed === undefined; schedule += step) {
  counts[index] = BigInt(schedule);
  const run = await simulate(new SeededChoices(seed, schedule), { coverage });
  steps += run.steps;
  digest ^= BigInt(`0x${run.hash}`) * BigInt(2 * schedule + 1);
  if (run.violation !== undefined) {
    failed = schedule;
    rule = run.violation.rule;
  }
  if (!isReplayed || schedule % 100 !== 0) continue;
  rerun++;
  if ((await simulate(new SeededChoices(seed, schedule))).hash === run.hash) equal++;
}
parentPort.postMessage({ failed, rule, steps, digest, rerun, equal, counts: coverage.counts });
