import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** A worker that is still at the same schedule after so long hangs. */
const HANGS_AFTER_MS = 20_000;

/** Runs schedules on several threads, until one of them finds a violation. */
export async function runSchedules({ target, seed, schedules, workers, isReplayed = true }) {
  const { Coverage } = await import(pathToFileURL(`${target}/simulation/coverage.js`).href);
  const progress = new SharedArrayBuffer(8 * workers);
  const result = {
    failed: undefined,
    hung: undefined,
    steps: 0,
    digest: 0n,
    rerun: 0,
    equal: 0,
    coverage: new Coverage(),
  };
  const threads = [];
  const stopAll = () => threads.map((thread) => thread.terminate());
  const runs = Array.from({ length: workers }, (_, index) => {
    const workerData = { target, seed, first: index, end: schedules, step: workers, progress, index, isReplayed };
    const thread = new Worker(new URL('./worker.mjs', import.meta.url), { workerData });
    threads.push(thread);
    return new Promise((resolve, reject) => {
      thread.once('error', reject);
      thread.once('exit', resolve);
      thread.once('message', (message) => {
        if (message.failed !== undefined && !(message.failed > result.failed)) {
          result.failed = message.failed;
          result.rule = message.rule;
        }
        result.steps += message.steps;
        result.digest ^= message.digest;
        result.rerun += message.rerun;
        result.equal += message.equal;
        result.coverage.merge(message.counts);
        if (message.failed !== undefined) stopAll();
      });
    });
  });
  const watch = watchProgress(new BigInt64Array(progress), (schedule) => {
    result.hung = schedule;
    stopAll();
  });
  try {
    await Promise.all(runs);
  } finally {
    clearInterval(watch);
  }
  return result;
}

function watchProgress(counts, onHang) {
  let last = [];
  let since = Date.now();
  return setInterval(() => {
    const now = [...counts];
    if (now.some((schedule, index) => schedule !== last[index])) {
      last = now;
      since = Date.now();
    } else if (Date.now() - since > HANGS_AFTER_MS) {
      onHang(Number(now.reduce((a, b) => (a < b ? a : b))));
    }
  }, 1_000);
}
