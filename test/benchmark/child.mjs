// node --expose-gc child.mjs <adapter file> <scenario> <options JSON>; prints "METRIC name value" lines
import { scenarios } from './lib/workloads.mjs';
const [, , file, scenario, opts] = process.argv;
if (process.env.BENCH_ALS) {
  // as in an app with request contexts or tracing: from here on Node 20 hooks every promise
  const { AsyncLocalStorage } = await import('node:async_hooks');
  new AsyncLocalStorage().run({}, () => {});
}
const A = (await import(`./adapters/${file}`)).default;
const ctx = A.setup ? await A.setup() : {};
const keep = setInterval(() => {}, 1e6);
await scenarios[scenario](A, ctx, { warm: 150, ms: 400, ...JSON.parse(opts ?? '{}') }, (k, v) =>
  console.log(`METRIC ${k} ${v}`),
);
clearInterval(keep);
process.exit(0);
