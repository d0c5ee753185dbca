// node --expose-gc growth.mjs <operation> <n> <milliseconds of CPU time>: prints what one operation costs among `n`, in microseconds
import { OPERATIONS } from './lib/growth-operations.mjs';

const [operation, size, ms] = process.argv.slice(2);
const n = Number(size);
const operate = OPERATIONS[operation];

const cpuMs = (from) => {
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
};

/** The CPU time of `n` operations. */
async function round(count) {
  const { run, end } = await operate(count);
  globalThis.gc?.();
  const from = process.cpuUsage();
  await run();
  const spent = cpuMs(from);
  await end();
  return spent;
}

// The compiler is warm before anything counts, and it is warmed up with few, so that what is slow among many can be measured at all.
for (let spent = 0, rounds = 0; spent < Number(ms) && rounds < 2_000; rounds++)
  spent += await round(Math.min(n, 1_000));
let spent = 0;
let rounds = 0;
while (rounds === 0 || (spent < Number(ms) && rounds < 40_000 / n + 1)) {
  spent += await round(n);
  rounds++;
}
console.log(`METRIC growth.${operation.replaceAll(' ', '_')}.${n} ${(spent * 1000) / (rounds * n)}`);
process.exit(0);
